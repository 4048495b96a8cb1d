"""What export and verification remark on, as data: a saying and its facts. The sheet has formal French of its own."""

from __future__ import annotations

from enum import Enum
from typing import Final, Self

from agent.base.phrase import Phrase, instant, sentence

_INSTANTS: Final = ("at", "begins", "ends")


class Saying(Enum):
    """Every remark there is, in English, with the names of its facts."""

    NO_FOOTAGE = sentence("no footage")
    NOT_SIGNED_YET = sentence("recorded, not signed yet")
    INTERRUPTED = sentence("recording interrupted")
    OTHER_DATES = sentence("recorded with other dates, the clock was stepped: {begins}/{ends}")
    NO_PICTURE = sentence("no picture came")
    FILE_MISSING = sentence("segment file missing")
    OTHER_FILM = sentence("another film lies in the segment's place")
    FILE_DAMAGED = sentence("segment damaged: {why}")
    SIGNATURE_LOST = sentence("left out: its signature is lost")
    DESTROYED = sentence("destroyed on {at}: {reason}")
    FOUND_MISSING = sentence("found missing on {at}")
    SIGNED_ANEW = sentence("recording interrupted from {begins} to {ends}: signing began anew")
    CHAIN_GOES_ON = sentence("recording interrupted from {begins} to {ends}: nothing was signed between, the chain goes on")
    CLOCK_BEHIND = sentence(
        "behind a recording until {begins} stands one of {ends}: the clock was behind, the order is that of the seal"
    )
    CLOCK_UNSET = sentence("recorded, at least in part, before the clock was set: the dates are not to be relied on")
    HELD = sentence("{count} pictures repeat the one before and are marked HELD")
    SHAPE_NOT_COVERED = sentence(
        "size, cropping and decoder parameters (SPS, PPS) are not covered: the signatures do not state them"
    )
    ANY_CERTIFICATE = sentence(
        "its certificate is not marked as one for signing films: "
        "any unmarked one of this CA passes as well, unless `--node` asks for one"
    )
    TORN = sentence("its last {count} bytes are no whole fragment: it was torn there, by a loss of power or an unfinished copy")
    OTHER_PACE = sentence(
        "pictures {first} to {last} play for {shown} s, the signatures say {signed} s: "
        "somebody changed the container's times, which no seal covers, or the clock was stepped"
    )
    BEHIND_NOT_JUDGED = sentence("what lies behind the end of the film is not judged")
    PICTURE_BEHIND = sentence("picture {number} lies behind the end of the film: some players show it, some do not")


class Remark(Phrase):
    """A sentence that keeps what it was made of: `saying` and its `facts` by name."""

    __slots__ = ("facts", "saying")
    saying: Saying
    facts: dict[str, str]

    def __new__(cls, saying: Saying, **facts: str | int) -> Self:
        told = {name: fact if isinstance(fact, str) else str(fact) for name, fact in facts.items()}
        made = cls.of(saying.value, {name: instant(fact) if name in _INSTANTS else fact for name, fact in told.items()})
        made.saying, made.facts = saying, told
        return made
