"""Health as a person reads it: every fact with its name, its unit and its state in words, for `vigie status` and the local page.

The English name is made of the document's own, so that whoever knows one knows the other; here stands what it is called in
another language. What a driver or a board adds of its own keeps the name it came with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent.base.phrase import amount, instant, joined, say

Facts = Mapping[str, Any]

_UNITS: Final = {
    "_ms": "ms", "_s": "s", "_px": "px", "_c": "°C", "_days": say("days"), "_percent": "%", "_bps": "bit/s", "_us": "µs",
    "_m": "m", "_dbm": "dBm", "_k": "K",
}  # fmt: skip
_NAMED_UNITS: Final = {"fps": say("frames per second"), "days": say("days"), "shortfall": say("days")}
_INSTANTS: Final = ("at", "since", "until", "oldest", "newest")


def everything(health: Facts) -> Iterator[tuple[str, str]]:
    """Every fact of the document; a name alone begins a section."""
    for name, fact in health.items():
        if not isinstance(fact, Mapping):
            yield name_of(name), said(name, fact)
    for section, known in health.items():
        if isinstance(known, Mapping):
            yield name_of(section), ""
            for name, fact in known.items():
                yield joined("", ("  ", name_of(name))), said(name, fact)


def said(name: str, fact: Any) -> str:
    """A fact as a person reads it; its unit is known by its name."""
    if isinstance(fact, Mapping):
        return joined(", ", (joined(" ", (name_of(inner), said(inner, each))) for inner, each in fact.items())) or say("none")
    if isinstance(fact, list):
        return ", ".join(str(each) for each in fact) or say("none")
    if fact is None:
        return say("not known")
    if isinstance(fact, bool):
        return say("yes") if fact else say("no")
    if isinstance(fact, int | float) and (name == "bytes" or name.endswith("_bytes")):
        return size_of(fact)
    if isinstance(fact, int | float):
        unit = _unit(name)
        return joined(" ", (number_of(fact), unit)) if unit else number_of(fact)
    if name in _INSTANTS:
        return instant(str(fact))
    return word(fact) if fact != "" else "-"


def name_of(name: str) -> str:
    """`last_frame_age_s` as "last frame age": the unit stands behind the number."""
    ending = next((ending for ending in (*_UNITS, "_bytes") if name.endswith(ending)), "")
    english = name.removesuffix(ending).replace("_", " ")
    return _OTHERWISE.get(english, _NAMES.get(english, english))


def word(state: object) -> str:
    """One word of health; what is not known here as it is."""
    return _STATES.get(str(state), state if isinstance(state, str) else str(state))


def number_of(number: float) -> str:
    """A number with at most one decimal."""
    return amount(number, 0 if isinstance(number, int) or abs(number) >= 1000 else 1)


def size_of(octets: float) -> str:
    """Bytes with one decimal of the unit that suits them."""
    for unit, size in ((say("TB"), 1e12), (say("GB"), 1e9), (say("MB"), 1e6), (say("kB"), 1e3)):
        if octets >= size:
            return say("{amount} {unit}", amount=amount(octets / size, 1), unit=unit)
    return say("{amount} bytes", amount=amount(octets, 0))


def _unit(name: str) -> str:
    return _NAMED_UNITS.get(name) or next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


_NAMES: Final = {
    str(name): name
    for name in (
        say("node"),
        say("at"),
        say("uptime"),
        say("version"),
        say("config digest"),
        say("restart needed"),
        say("config trouble"),
        say("clock"),
        say("camera"),
        say("privacy"),
        say("recording"),
        say("evidence"),
        say("disk"),
        say("outbox"),
        say("board"),
        say("uplink"),
        say("live"),
        say("components"),
        say("quality"),
        say("offset"),
        say("driver"),
        say("fps"),
        say("captured"),
        say("dropped"),
        say("corrupt"),
        say("spared"),
        say("low"),
        say("low dropped"),
        say("last frame age"),
        say("state"),
        say("reason"),
        say("figures"),
        say("masks"),
        say("mask digest"),
        say("view"),
        say("shift"),
        say("uncertainty"),
        say("oldest"),
        say("newest"),
        say("bytes"),
        say("days"),
        say("shortfall"),
        say("holds"),
        say("recorded"),
        say("lost"),
        say("signing"),
        say("signed"),
        say("failures"),
        say("trouble"),
        say("free"),
        say("total"),
        say("pending"),
        say("oldest age"),
        say("sequence"),
        say("epoch"),
        say("set aside"),
        say("classes"),
        say("temperature"),
        say("throttled"),
        say("undervoltage"),
        say("load 1m"),
        say("rss"),
        say("more"),
        say("broker"),
        say("since"),
        say("reconnects"),
        say("certificate"),
        say("viewers"),
        say("leases"),
        say("push"),
        say("refused"),
        say("onvif"),
        say("age"),
        say("cap"),
        say("cell"),
        say("error"),
        say("fault"),
        say("hours left"),
        say("interface"),
        say("latitude"),
        say("link"),
        say("longitude"),
        say("mains"),
        say("month"),
        say("moved"),
        say("operator"),
        say("percent"),
        say("power"),
        say("roaming"),
        say("rsrp"),
        say("rung"),
        say("signal"),
        say("sim"),
        say("technology"),
        say("tilted"),
        say("used"),
        say("volts"),
        say("watts"),
        say("discovery"),
        say("pull points"),
        say("nomad"),
        say("stage"),
        say("deployment"),
        say("authorisation"),
        say("until"),
        say("light"),
        say("why"),
        say("position"),
        say("commands"),
        say("console"),
        say("control"),
        say("health"),
        say("live page"),
        say("live push"),
        say("live rtsp"),
        say("pipeline"),
        say("recorder"),
        say("register"),
        say("retention"),
        say("film"),
        say("film fps"),
        say("film loops"),
        say("broken packets"),
        say("late"),
        say("memory total"),
        say("memory available"),
        say("stream"),
        say("codec"),
        say("packets"),
        say("thinned"),
        say("device"),
        say("reopened"),
        say("model"),
        say("undervoltage since boot"),
        say("throttled since boot"),
        say("night"),
        say("storage pre eol"),
        say("storage worn"),
        say("sensor"),
        say("colour temperature"),
        say("exposure"),
        say("digital gain"),
        say("analogue gain"),
        say("lux"),
        say("telemetry"),
        say("property"),
        say("alarm"),
    )
}
"""What every node's health holds, what our drivers and boards add, and the parts of a node, which `components` names."""
_OTHERWISE: Final = {"held": say("frames held")}
"""What would be read as something else: nothing here is held for a court."""
_STATES: Final = {
    str(state): state
    for state in (
        say("delivering"),
        say("silent"),
        say("frozen"),
        say("over"),
        say("opening"),
        say("waiting"),
        say("failing"),
        say("failed"),
        say("running"),
        say("starting"),
        say("stopping"),
        say("stopped"),
        say("idle"),
        say("recording"),
        say("masked"),
        say("opaque"),
        say("verified"),
        say("uncertain"),
        say("moved"),
        say("online"),
        say("offline"),
        say("unknown"),
        say("connected"),
        say("connecting"),
        say("synchronised"),
        say("holdover"),
        say("unset"),
        say("fixed"),
        say("nomadic"),
        say("stowed"),
        say("placed"),
        say("commissioned"),
        say("deployed"),
        say("withdrawn"),
        say("dark"),
        say("off"),
    )
}
