"""The register's acts and flaws as a person reads them; in English the words that stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.language import for_reader
from agent.base.phrase import instant, joined, say
from agent.journal.chain import ChainedLine
from agent.journal.entry import Act
from agent.journal.verdict import Flaw
from agent.ports.health_words import word

_SHORTEST_INSTANT: Final = len("2026-11-30T22:00:00Z")

FLAWS: Final[Mapping[Flaw, str]] = {
    Flaw.UNREADABLE: say("unreadable"),
    Flaw.EDITED: say("edited"),
    Flaw.MISSING: say("missing"),
    Flaw.MOVED: say("moved"),
    Flaw.CUT_OFF: say("cut-off"),
    Flaw.HEAD_MISSING: say("head-missing"),
    Flaw.TORN: say("torn"),
    Flaw.FORGED: say("forged"),
    Flaw.UNSIGNED: say("unsigned"),
    Flaw.STRANGER: say("stranger"),
    Flaw.OTHER_NODE: say("other-node"),
}
ACTS: Final[Mapping[str, str]] = {
    Act.RECORDING_BEGUN: say("recording-begun"),
    Act.RECORDING_ENDED: say("recording-ended"),
    Act.DESTROYED: say("destroyed"),
    Act.ABSENT: say("absent"),
    Act.EXPORTED: say("exported"),
    Act.HELD: say("held"),
    Act.RELEASED: say("released"),
    Act.STILL_TAKEN: say("commissioning-still"),
    Act.VIEW_NUDGED: say("view-nudged"),
    Act.VIEW_VALIDATED: say("view-validated"),
    Act.LIVE_BEGUN: say("live-begun"),
    Act.LIVE_ENDED: say("live-ended"),
    Act.LIVE_REFUSED: say("live-refused"),
    Act.LEASE_OPENED: say("lease-opened"),
    Act.LEASE_RENEWED: say("lease-renewed"),
    Act.LEASE_ENDED: say("lease-ended"),
    Act.CONFIGURATION_CHANGED: say("configuration-changed"),
    Act.MASKS_CHANGED: say("masks-changed"),
    Act.COMMAND: say("command"),
    Act.DEPLOYMENT_BEGUN: say("deployment-begun"),
    Act.DEPLOYMENT_COMMISSIONED: say("deployment-commissioned"),
    Act.DEPLOYMENT_PLACED_AGAIN: say("deployment-placed-again"),
    Act.DEPLOYMENT_DEPLOYED: say("deployment-deployed"),
    Act.DEPLOYMENT_EXTENDED: say("deployment-extended"),
    Act.DEPLOYMENT_CLOSED: say("deployment-closed"),
    Act.DEPLOYMENT_ENDED: say("deployment-ended"),
    Act.CHAIN_SIGNED: say("chain-signed"),
    Act.SAVINGS_CHANGED: say("savings-changed"),
    Act.ROTATED: say("register-rotated"),
}


_FACTS: Final = {
    str(name): name
    for name in (
        say("masks"),
        say("why"),
        say("how"),
        say("segments"),
        say("none needed"),
        say("lease"),
        say("keys"),
        say("digest"),
        say("deployment"),
        say("count"),
        say("until"),
        say("to"),
        say("segment"),
        say("seconds"),
        say("reason"),
        say("privacy"),
        say("place"),
        say("pictures"),
        say("outcome"),
        say("out"),
        say("nudged"),
        say("not in force"),
        say("lost"),
        say("lifted"),
        say("from"),
        say("destruction"),
        say("cut bytes"),
        say("closed"),
        say("clock"),
        say("asked from"),
        say("address"),
        say("at"),
        say("authorisation"),
        say("basis"),
        say("by"),
        say("cells"),
        say("ended"),
        say("excluded"),
        say("frames"),
        say("gaps"),
        say("hold"),
        say("incident"),
        say("looks"),
        say("media"),
        say("part"),
        say("patches"),
        say("perimeter"),
        say("reference"),
        say("retention days"),
        say("standing"),
        say("station"),
        say("through"),
        say("trusted"),
        say("verb"),
        say("view"),
        say("way"),
    )
}
"""What entries name; keys of the configuration and identifiers stay as they are."""
_VALUES: Final = {
    str(words): words
    for words in (
        say("local page"),
        say("control socket"),
        say("configuration"),
        say("first start"),
        say("the node stops"),
        say("the node was interrupted"),
        say("its time is over"),
        say("the connection ended"),
        say("the connection failed"),
    )
}
"""What the node itself enters as a value; what a person wrote stays as it is."""
_BY_ITSELF: Final = {
    str(name): name
    for name in (say("start"), say("reload"), say("recorder"), say("node"), say("register"), say("retention"), say("unknown"))
}
_FROM: Final = "local page from "


def fact(value: object) -> str:
    """The value of a fact: an instant, a state or yes and no in the reader's language, anything else as it is."""
    match value:
        case bool():
            return say("yes") if value else say("no")
        case Mapping():
            return joined(", ", (joined(" ", (named(str(name)), fact(each))) for name, each in value.items()))
        case list():
            return joined(", ", map(fact, value))
        case str() if len(value) >= _SHORTEST_INSTANT:
            return instant(value)
        case str():
            return _VALUES.get(value) or word(value)
        case _:
            return str(value)


def named(name: str) -> str:
    """What a fact is called."""
    spaced = name.replace("_", " ")
    return _FACTS.get(spaced, spaced)


def who(by: str) -> str:
    """Who made the entry: a part of the node in the reader's language, a person as entered."""
    if by.startswith(_FROM):
        return say("local page from {address}", address=by.removeprefix(_FROM))
    return _BY_ITSELF.get(by, by)


def entry(line: ChainedLine) -> str:
    """One entry on one line."""
    facts = [joined(" ", (named(name), fact(value))) for name, value in line.facts.items() if value is not None]
    told = for_reader(say("{by}: {facts}", by=who(line.by), facts=joined(", ", facts)))
    words = {act: for_reader(said) for act, said in ACTS.items()}
    columns = max(map(len, words.values()))
    return f"{line.n:>6} {for_reader(instant(line.at))} {words.get(line.act, line.act):<{columns}} {told}"
