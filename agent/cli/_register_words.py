"""The register's acts and flaws as a person reads them; in English the words that stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.language import for_reader
from agent.base.phrase import instant, say
from agent.journal.chain import ChainedLine
from agent.journal.entry import Act
from agent.journal.verdict import Flaw

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


def entry(line: ChainedLine) -> str:
    """One entry on one line. What the facts are called is as the file has it."""
    told = ", ".join(f"{name} {value}" for name, value in line.facts.items() if value is not None)
    words = {act: for_reader(said) for act, said in ACTS.items()}
    columns = max(map(len, words.values()))
    return f"{line.n:>6} {for_reader(instant(line.at))} {words.get(line.act, line.act):<{columns}} {line.by}: {told}"
