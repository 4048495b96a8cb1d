"""What `vigie status` says: two lines for a person, the facts that matter, and with -v all of them, each with its unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent.fleet.feed import NodeView

Facts = Mapping[str, Any]

_UNITS: Final = {
    "_ms": "ms", "_s": "s", "_px": "px", "_c": "°C", "_days": "days", "_percent": "%", "_bps": "bit/s", "_us": "µs",
}  # fmt: skip
_CLOCKS: Final = {"holdover": "set, and not synchronised", "unset": "not set"}
_NAMED_UNITS: Final = {"fps": "frames per second", "days": "days", "shortfall": "days"}


def headline(health: Facts) -> str:
    """What the node does, in one sentence."""
    node = str(health.get("node", "this node"))
    camera, privacy, recording = (_part(health, name) for name in ("camera", "privacy", "recording"))
    match recording.get("state"):
        case "recording" if privacy.get("state") == "opaque":
            return f"{node} records, and every picture is covered whole."
        case "recording":
            return f"{node} records with its masks, at {_number(camera.get('fps', 0.0))} frames per second."
        case "failing":
            return f"{node} cannot record."
        case _:
            return f"{node} waits for its first picture, and records nothing yet."


def verdict(health: Facts) -> str:
    """What needs a hand, the worst first; or that nothing does."""
    view = NodeView(str(health.get("node", "")), state="online", health=health)
    needs = [words for _, words in view.faults()]
    if health.get("config_trouble"):
        needs.insert(0, f"the new configuration is refused, and the former one is in force: {health['config_trouble']}")
    if health.get("restart_needed"):
        needs.append(f"{', '.join(health['restart_needed'])}: in force after `sudo systemctl restart vigie`")
    if not needs:
        return "Nothing needs a hand."
    if len(needs) == 1 and needs[0].startswith("starting"):
        return "It has just been started, and nothing needs a hand."
    return f"Needs a hand: {'; '.join(needs)}"


def facts(health: Facts) -> Iterator[tuple[str, str]]:
    """The few facts that a technician asks for, name and words."""
    camera, privacy, recording = (_part(health, name) for name in ("camera", "privacy", "recording"))
    evidence, outbox, uplink = (_part(health, name) for name in ("evidence", "outbox", "uplink"))
    if camera:
        yield "camera", f"{camera.get('driver')} {camera.get('state')}, {_counted(camera.get('dropped', 0), 'frame')} dropped"
    if privacy:
        yield "privacy", f"{_counted(privacy.get('masks', 0), 'mask')}, view {_part(privacy, 'view').get('state')}"
    if recording.get("oldest"):
        held = _counted(recording.get("holds", 0), "hold")
        yield "recording", f"{_size(recording.get('bytes', 0))} since {recording['oldest']}, {held}"
    if evidence:
        signing = "signed" if evidence.get("signing") else "not signed"
        yield "evidence", f"{signing}, {_counted(evidence.get('signed', 0), 'signature')} since the start"
    if disk := _part(health, "disk"):
        yield "disk", f"{_size(disk.get('free_bytes', 0))} of {_size(disk.get('total_bytes', 0))} free"
    if outbox:
        lost = _counted(outbox.get("dropped", 0), "event")
        yield "events", f"{_counted(outbox.get('pending', 0), 'event')} waiting to be sent, {lost} dropped"
    if uplink.get("broker"):
        yield "broker", f"{uplink.get('state')} at {uplink['broker']}"
    if clock := _part(health, "clock"):
        yield "clock", _CLOCKS.get(str(clock.get("quality")), str(clock.get("quality")))
    if health.get("uptime_s") is not None:
        yield "running", f"for {_span(float(health['uptime_s']))}, version {health.get('version')}"


def everything(health: Facts) -> Iterator[tuple[str, str]]:
    """Every fact of the document; a name alone begins a section."""
    for name, fact in health.items():
        if not isinstance(fact, Mapping):
            yield _name(name), said(name, fact)
    for section, known in health.items():
        if isinstance(known, Mapping):
            yield section, ""
            for name, fact in known.items():
                yield f"  {_name(name)}", said(name, fact)


def said(name: str, fact: Any) -> str:
    """A fact as a person reads it; its unit is known by its name."""
    if isinstance(fact, Mapping):
        return ", ".join(f"{_name(inner)} {said(inner, each)}" for inner, each in fact.items()) or "none"
    if isinstance(fact, list):
        return ", ".join(str(each) for each in fact) or "none"
    if fact is None:
        return "not known"
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    if isinstance(fact, int | float) and (name == "bytes" or name.endswith("_bytes")):
        return _size(fact)
    if isinstance(fact, int | float):
        return f"{_number(fact)} {_unit(name)}".rstrip()
    return str(fact) or "none"


def _unit(name: str) -> str:
    return _NAMED_UNITS.get(name) or next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def _name(name: str) -> str:
    """`last_frame_age_s` as "last frame age": the unit stands behind the number."""
    ending = next((ending for ending in (*_UNITS, "_bytes") if name.endswith(ending)), "")
    return name.removesuffix(ending).replace("_", " ")


def _part(health: Facts, name: str) -> Facts:
    part = health.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(number: float) -> str:
    if isinstance(number, int) or abs(number) >= 1000:
        return f"{number:,.0f}".replace(",", " ")
    return f"{number:.1f}"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _size(octets: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= size:
            return f"{octets / size:.1f} {unit}"
    return f"{octets:.0f} bytes"


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
