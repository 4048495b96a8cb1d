"""What a verifier finds on its way through a film: spans, the state of every frame, and the times the signer gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import NS, rfc3339
from agent.base.phrase import say
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Span, State
from agent.signing.tlv import GopInformation

# A film that is forged all over is described up to here, then only counted.
_MOST_SPANS: Final = 20_000
_MOST_SEAMS: Final = 256
# Recordings dated before 2020 were made on a clock that nobody had set.
_EARLIEST_PLAUSIBLE_NS: Final = 1_577_836_800 * NS
_UNDATED: Final = Remark(Saying.CLOCK_UNSET)
# By severity; a frame without any code holds no slice.
_CODES: Final = {State.AUTHENTIC: 1, State.PENDING: 2, State.CHANGED: 3}


class VerifiedSlices(Struct, frozen=True):
    """Slices `first`..`last` of a film (decoding order, from 0) are as signed, and decoded as signed; times of their GOP.

    `picture` is the number of the first one's frame.
    """

    first: int
    last: int
    from_ns: int
    to_ns: int
    picture: int


@dataclass(slots=True)
class Findings:
    """`cut_units` are signed units that lack before the first picture: the film was cut in mid-GOP. `left_out`: frames that the
    edit list leaves out there instead. `unordered` are seams where neither link nor time tells which recording was first: when
    the one ended, and when the other began.

    `earliest_ns` and `latest_ns` leave out what was recorded before the clock was set; `from_ns` and `to_ns` do not.
    """

    spans: list[Span] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    verified: list[VerifiedSlices] = field(default_factory=list)
    missing_units: int = 0
    cut_units: int = 0
    left_out: int = 0
    unordered: list[tuple[int, int]] = field(default_factory=list)
    earliest_ns: int | None = None
    latest_ns: int | None = None
    from_ns: int | None = None
    to_ns: int | None = None
    _states: bytearray = field(default_factory=bytearray)

    def reach(self, picture: int) -> None:
        """The film has a frame of this number."""
        if picture >= len(self._states):
            self._states.extend(bytes(picture + 1 - len(self._states)))

    def count(self, state: State) -> int:
        """How many frames are of this state; each counts as the worst of its units."""
        return self._states.count(_CODES[state])

    def say(self, state: State, first: int, last: int, units: int, why: str = "", gop: GopInformation | None = None) -> None:
        """Add a finding, or lengthen the last one when it says the same of the picture before."""
        start, end = (gop.start_ns, gop.end_ns) if gop else (None, None)
        if state is State.MISSING:
            self.add(Span(state, first, last, units, why, start, end))
            return
        for picture in range(first, last + 1):
            self._states[picture] = max(self._states[picture], _CODES[state])
        before = self.spans[-1] if self.spans else None
        if before is not None and before.state is state and before.why == why and first - before.last in (0, 1):
            start = before.from_ns if before.from_ns is not None else start
            self.spans[-1] = Span(state, before.first, last, before.units + units, why, start, end or before.to_ns)
            return
        self.add(Span(state, first, last, units, why, start, end))

    def trust_order(self) -> None:
        """The seal of the export holds: the node itself put its recordings into this order."""
        for ended, begun in self.unordered[:_MOST_SEAMS]:
            self.notes.append(Remark(Saying.CLOCK_BEHIND, begins=rfc3339(ended), ends=rfc3339(begun)))
        self.unordered.clear()

    def add(self, span: Span) -> None:
        """A finding of its own."""
        if span.state is State.MISSING:
            self.missing_units += span.units
        if len(self.spans) < _MOST_SPANS:
            self.spans.append(span)
        elif len(self.spans) == _MOST_SPANS:
            self.spans.append(replace(span, why=say("and more: further spans are counted, not listed")))

    def first(self, state: State) -> Span:
        """The first finding of this state; there must be one."""
        return next(span for span in self.spans if span.state is state)

    def date(self, gop: GopInformation) -> None:
        """Take the times of a signed GOP that is in the film."""
        self.from_ns = gop.start_ns if self.from_ns is None else min(self.from_ns, gop.start_ns)
        self.to_ns = gop.end_ns if self.to_ns is None else max(self.to_ns, gop.end_ns)
        if gop.start_ns < _EARLIEST_PLAUSIBLE_NS:
            if _UNDATED not in self.notes:
                self.notes.append(_UNDATED)
            return
        self.earliest_ns = gop.start_ns if self.earliest_ns is None else min(self.earliest_ns, gop.start_ns)
        self.latest_ns = gop.start_ns if self.latest_ns is None else max(self.latest_ns, gop.start_ns)
