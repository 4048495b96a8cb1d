"""What export and verification remark on, as data: a saying and its facts. It reads as English; the sheet says it in French."""

from __future__ import annotations

from enum import Enum
from typing import Self


class Saying(Enum):
    """Every remark there is, in English, with the names of its facts."""

    NO_FOOTAGE = "no footage"
    NOT_SIGNED_YET = "recorded, not signed yet"
    INTERRUPTED = "recording interrupted"
    OTHER_DATES = "recorded with other dates, the clock was stepped: {begins}/{ends}"
    NO_PICTURE = "no picture came"
    FILE_MISSING = "segment file missing"
    OTHER_FILM = "another film lies in the segment's place"
    FILE_DAMAGED = "segment damaged: {why}"
    SIGNATURE_LOST = "left out: its signature is lost"
    DESTROYED = "destroyed on {at}: {reason}"
    FOUND_MISSING = "found missing on {at}"
    SIGNED_ANEW = "recording interrupted from {begins} to {ends}: signing began anew"
    CHAIN_GOES_ON = "recording interrupted from {begins} to {ends}: nothing was signed between, the chain goes on"
    CLOCK_BEHIND = "behind a recording until {begins} stands one of {ends}: the clock was behind, the order is that of the seal"
    CLOCK_UNSET = "recorded, at least in part, before the clock was set: the dates are not to be relied on"
    HELD = "{count} pictures repeat the one before and are marked HELD"
    SHAPE_NOT_COVERED = "size, cropping and decoder parameters (SPS, PPS) are not covered: the signatures do not state them"
    ANY_CERTIFICATE = (
        "its certificate is not marked as one for signing films: "
        "any unmarked one of this CA passes as well, unless `--node` asks for one"
    )
    TORN = "its last {count} bytes are no whole fragment: it was torn there, by a loss of power or an unfinished copy"
    OTHER_PACE = (
        "pictures {first} to {last} play for {shown} s, the signatures say {signed} s: "
        "somebody changed the container's times, which no seal covers, or the clock was stepped"
    )
    BEHIND_NOT_JUDGED = "what lies behind the end of the film is not judged"
    PICTURE_BEHIND = "picture {number} lies behind the end of the film: some players show it, some do not"


class Remark(str):
    """An English sentence that keeps what it was made of: `saying` and its `facts` by name."""

    __slots__ = ("facts", "saying")
    saying: Saying
    facts: dict[str, str]

    def __new__(cls, saying: Saying, **facts: str | int) -> Self:
        told = {name: str(fact) for name, fact in facts.items()}
        made = super().__new__(cls, saying.value.format(**told))
        made.saying, made.facts = saying, told
        return made
