"""What a changed configuration asks of a running daemon: which parts take it at once, which keys wait for a restart.

Nothing here stops a recording. A part that is applied is applied whole; keys that wait are named in the log and in health
until the daemon has been restarted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from agent.config.model import Config, Section


class Part(StrEnum):
    """What can be changed while the recording goes on."""

    PRIVACY = "privacy"
    MOTION = "motion"
    TAMPERING = "tampering"
    RETENTION = "retention"
    MQTT = "mqtt"
    HEALTH = "health"
    BOARD = "board"
    STILLS = "stills"


_BY_KEY = {
    "recording.retention_days": Part.RETENTION,
    "recording.min_free_mb": Part.RETENTION,
    "mqtt.health_seconds": Part.HEALTH,
    "mqtt.event_stills": Part.STILLS,
}
_BY_SECTION = {
    "privacy": Part.PRIVACY,
    "motion": Part.MOTION,
    "tampering": Part.TAMPERING,
    "mqtt": Part.MQTT,
    "board": Part.BOARD,
}

_CONSEQUENCES = {
    Part.PRIVACY: "the masks change with the next picture; it is opaque until `vigie masks validate` has seen them",
    Part.MOTION: "motion is judged anew from the next picture",
    Part.TAMPERING: "tampering is judged anew from the next picture",
    Part.RETENTION: "the next sweep goes by it",
    Part.MQTT: "the session with the broker is opened anew; what is not sent yet waits in the outbox",
    Part.HEALTH: "the next health message goes by it",
    Part.BOARD: "the board's next reading is judged by it",
    Part.STILLS: "the next event goes by it",
}


class Change(Struct, frozen=True):
    """One key that differs. `part` takes it at once; None: it waits for a restart."""

    key: str
    old: Any
    new: Any
    part: Part | None

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.old)} -> {_shown(self.new)}"


class ReloadPlan(Struct, frozen=True):
    """The differences between two configurations, in the model's order."""

    changes: tuple[Change, ...]

    @property
    def apply(self) -> frozenset[Part]:
        """The parts that must be given the new configuration now."""
        return frozenset(change.part for change in self.changes if change.part is not None)

    @property
    def restart(self) -> tuple[str, ...]:
        """The keys whose new values wait for a restart."""
        return tuple(change.key for change in self.changes if change.part is None)

    @property
    def words(self) -> tuple[str, ...]:
        """Lines for the log: what changes, what follows from it, and what waits."""
        if not self.changes:
            return ("the configuration is read again and means the same as before",)
        lines = []
        for part in Part:
            changed = [str(change) for change in self.changes if change.part is part]
            if changed:
                lines.append(f"{'; '.join(changed)}: {_CONSEQUENCES[part]}")
        waiting = [str(change) for change in self.changes if change.part is None]
        if waiting:
            lines.append(f"{'; '.join(waiting)}: waits for `systemctl restart vigie`, the recording goes on as before")
        return tuple(lines)


def plan(old: Config, new: Config) -> ReloadPlan:
    """How to get from `old` to `new` without stopping the recording."""
    before, after = _keys(old), _keys(new)
    names = [*after, *(key for key in before if key not in after)]
    pairs = ((key, before.get(key), after.get(key)) for key in names)
    return ReloadPlan(tuple(Change(key, was, now, _part(key)) for key, was, now in pairs if was != now))


def _part(key: str) -> Part | None:
    return _BY_KEY.get(key) or _BY_SECTION.get(key.partition(".")[0])


def _keys(section: Section, at: str = "") -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section) and not at:
            keys |= _keys(value, f"{name}.")
        elif value is not None or at:
            keys[at + name] = value
    return keys


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Section):
        return "set"
    if isinstance(value, tuple):
        return "1 entry" if len(value) == 1 else f"{len(value)} entries"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
