"""Does one signed GOP follow another? Told by counter, link and times, all of them signed."""

from __future__ import annotations

from typing import Final

from agent.base.clock import NS, rfc3339
from agent.base.phrase import many, say
from agent.evidence.findings import Findings
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Span, State
from agent.signing.tlv import GopInformation

_TOLD_GAP_NS: Final = 5 * NS


def check_order(
    found: Findings, previous: tuple[GopInformation | None, bytes | None], gop: GopInformation, picture: int, place: int
) -> None:
    """Compare with the GOP before it and the first hash of that. `picture` holds the signature, `place` is the GOP's first."""
    before, first = previous
    if before is None:
        return
    step = (gop.counter - before.counter) & 0xFFFFFFFF
    if begins_anew(gop):
        if gop.start_ns < before.end_ns:
            # A board without a battery clock begins so after every power cut, and whoever swaps two recordings makes it look so.
            found.unordered.append((before.end_ns, gop.start_ns))
        else:
            found.notes.append(_interrupted(Saying.SIGNED_ANEW, before, gop))
    elif step == 1:
        if first is not None and gop.linked_hash != first:
            found.say(State.CHANGED, picture, picture, 1, say("does not follow the GOP before it"), gop)
        elif gop.start_ns - before.end_ns >= _TOLD_GAP_NS:
            found.notes.append(_interrupted(Saying.CHAIN_GOES_ON, before, gop))
    elif step < 1 << 31 and step:
        missing = many(
            "{number} signed GOP, or their signatures, before this one",
            "{number} signed GOPs, or their signatures, before this one",
            step - 1,
        )
        found.add(Span(State.MISSING, place, place, step - 1, missing, before.end_ns, gop.start_ns))
    else:
        found.say(State.CHANGED, picture, picture, 1, say("stands before an earlier GOP: moved or repeated"), gop)


def begins_anew(gop: GopInformation) -> bool:
    """True for the first GOP that a signer signs: it links to nothing."""
    return not any(gop.linked_hash)


def _interrupted(saying: Saying, before: GopInformation, gop: GopInformation) -> Remark:
    return Remark(saying, begins=rfc3339(before.end_ns), ends=rfc3339(gop.start_ns))
