"""From the accelerometer to events: the unit hangs otherwise than when somebody looked, or was knocked.

Both last until a person commissions anew (`level`): what hung askew for a second may have looked into a window since.
"""

from __future__ import annotations

from typing import Final

from agent.base.clock import NS, Clock
from agent.base.phrase import amount, say
from agent.base.topic import TRUTH, WORDS, Topic
from agent.ports.accelerometer import Acceleration
from agent.ports.event import Event, Priority, PropertyOperation, Value

TILTED: Final = "vigie:Tilted"
TOPICS: Final = (
    Topic(
        TILTED,
        "The unit hangs otherwise than when it was commissioned, or was knocked.",
        {"State": TRUTH, "Reason": WORDS},
    ),
)
SHOCK_M_S2: Final = 20.0
"""Two g beyond gravity: assumed; what a swaying post does only a swaying post shows."""
_LASTS_NS: Final = 2 * NS
"""So long a tilt must last: wind and a slammed door lean on a post as well."""


class TiltWatch:
    """One thread, but for `tilted`. `upright` is how it hung when it was commissioned; None while nobody has said."""

    def __init__(self, node_id: str, tilt_degrees: float, clock: Clock) -> None:
        self.upright: Acceleration | None = None
        self.tilted = ""
        """How much, in words; empty while it hangs as it did, or nobody can tell."""
        self._node_id = node_id
        self._most = tilt_degrees
        self._clock = clock
        self._since_ns: int | None = None
        self._told: bool | None = None

    def level(self, upright: Acceleration | None, tilted: str = "") -> None:
        """From now on this is upright (None: not known); with `tilted` it is astray all the same."""
        self.upright, self.tilted, self._since_ns = upright, tilted, None

    def observe(self, now: Acceleration) -> list[Event]:
        """Take a reading; what is to be told."""
        degrees = self.upright.tilt_from(now) if self.upright is not None else None
        if not self.tilted:
            self.tilted = self._astray(degrees, now.shock)
        if self.upright is None or self._told is bool(self.tilted):
            return []
        first, self._told = self._told is None, bool(self.tilted)
        data: dict[str, Value] = {"State": self._told, "Reason": str(self.tilted)}
        operation = PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED
        return [Event(TILTED, self._clock.wall_ns(), {"Token": self._node_id}, data, operation, Priority.ALARM)]

    def _astray(self, degrees: float | None, shock: float) -> str:
        if self.upright is not None and shock > SHOCK_M_S2:
            return say("it was knocked, with {shock} m/s² beyond gravity", shock=amount(shock, 0))
        now_ns = self._clock.monotonic_ns()
        if degrees is None or degrees <= self._most:
            self._since_ns = None
            return ""
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < _LASTS_NS:
            return ""
        return say("it hangs {degrees}° otherwise than when it was commissioned", degrees=amount(degrees, 1))
