"""What `vigie status` says: two lines for a person, and the facts that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from agent.base.phrase import amount, instant, joined, many, say
from agent.fleet.feed import NodeView
from agent.ports.health_words import Facts, number_of, size_of, word

_CLOCKS: Final = {"holdover": say("set, and not synchronised"), "unset": say("not set")}


def headline(health: Facts) -> str:
    """What the node does, in one sentence."""
    node = str(health.get("node", "this node"))
    camera, privacy, recording = (_part(health, name) for name in ("camera", "privacy", "recording"))
    if _part(health, "nomad").get("light") == "dark":
        return say("{node} is a unit that is moved: its camera is closed.", node=node)
    match recording.get("state"):
        case "recording" if privacy.get("state") == "opaque":
            return say("{node} records, and every picture is covered whole.", node=node)
        case "recording":
            fps = number_of(camera.get("fps", 0.0))
            return say("{node} records with its masks, at {fps} frames per second.", node=node, fps=fps)
        case "failing":
            return say("{node} cannot record.", node=node)
        case _:
            return say("{node} waits for its first picture, and records nothing yet.", node=node)


def verdict(health: Facts) -> str:
    """What needs a hand, the worst first; or that nothing does."""
    view = NodeView(str(health.get("node", "")), state="online", health=health)
    needs = [words for _, words in view.faults()]
    if health.get("config_trouble"):
        refused = say("the new configuration is refused, and the former one is in force: {why}", why=health["config_trouble"])
        needs.insert(0, refused)
    if health.get("restart_needed"):
        keys = ", ".join(health["restart_needed"])
        needs.append(say("{keys}: in force after `sudo systemctl restart vigie`", keys=keys))
    if not needs:
        return say("Nothing needs a hand.")
    if len(needs) == 1 and needs[0].startswith("starting"):
        return say("It has just been started, and nothing needs a hand.")
    return say("Needs a hand: {what}", what=joined(say("; "), needs))


def facts(health: Facts) -> Iterator[tuple[str, str]]:
    """The few facts that a technician asks for, name and words."""
    camera, privacy, recording = (_part(health, name) for name in ("camera", "privacy", "recording"))
    evidence, outbox, uplink = (_part(health, name) for name in ("evidence", "outbox", "uplink"))
    if camera:
        dropped = _counted(camera.get("dropped", 0), "frame")
        state = word(camera.get("state"))
        yield say("camera"), say("{driver} {state}, {dropped} dropped", driver=camera.get("driver"), state=state, dropped=dropped)
    if privacy:
        view, masks = word(_part(privacy, "view").get("state")), _counted(privacy.get("masks", 0), "mask")
        yield say("privacy"), say("{masks}, view {state}", masks=masks, state=view)
    if recording.get("oldest"):
        held = _counted(recording.get("holds", 0), "hold")
        kept, since = size_of(recording.get("bytes", 0)), instant(str(recording["oldest"]))
        yield say("recording"), say("{size} since {at}, {held}", size=kept, at=since, held=held)
    if evidence:
        signing = say("signed") if evidence.get("signing") else say("not signed")
        signed = _counted(evidence.get("signed", 0), "signature")
        yield say("evidence"), say("{signing}, {signed} since the start", signing=signing, signed=signed)
    if disk := _part(health, "disk"):
        free, total = size_of(disk.get("free_bytes", 0)), size_of(disk.get("total_bytes", 0))
        yield say("disk"), say("{free} of {total} free", free=free, total=total)
    if outbox:
        lost = _counted(outbox.get("dropped", 0), "event")
        waiting = _counted(outbox.get("pending", 0), "event")
        yield say("events"), say("{waiting} waiting to be sent, {lost} dropped", waiting=waiting, lost=lost)
    if uplink.get("broker"):
        yield say("broker"), say("{state} at {broker}", state=word(uplink.get("state")), broker=uplink["broker"])
    if clock := _part(health, "clock"):
        yield say("clock"), _CLOCKS.get(str(clock.get("quality")), word(clock.get("quality")))
    if health.get("uptime_s") is not None:
        span = _span(float(health["uptime_s"]))
        yield say("running"), say("for {span}, version {version}", span=span, version=health.get("version"))


def _part(health: Facts, name: str) -> Facts:
    part = health.get(name)
    return part if isinstance(part, Mapping) else {}


def _counted(number: int, noun: str) -> str:
    none, counted = _COUNTED[noun]
    return counted(number) if number else none


def _span(seconds: float) -> str:
    if seconds >= 2 * 86_400:
        return say("{amount} days", amount=amount(seconds / 86_400, 0))
    if seconds >= 2 * 3600:
        return say("{amount} hours", amount=amount(seconds / 3600, 0))
    if seconds >= 2 * 60:
        return say("{amount} minutes", amount=amount(seconds / 60, 0))
    return many("{number} second", "{number} seconds", round(seconds))


_COUNTED: Final[Mapping[str, tuple[str, Callable[[int], str]]]] = {
    "frame": (say("no frames"), lambda number: many("{number} frame", "{number} frames", number)),
    "mask": (say("no masks"), lambda number: many("{number} mask", "{number} masks", number)),
    "hold": (say("no holds"), lambda number: many("{number} hold", "{number} holds", number)),
    "signature": (say("no signatures"), lambda number: many("{number} signature", "{number} signatures", number)),
    "event": (say("no events"), lambda number: many("{number} event", "{number} events", number)),
}
