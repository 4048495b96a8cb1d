"""What of an asked span is not in the film, and why: by its dates, also where the clock was stepped while it was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from agent.base.clock import NS, rfc3339
from agent.evidence.excerpt import Cut, Footage
from agent.evidence.exported import Absence, Contents, ExcerptRequest
from agent.evidence.remark import Remark, Saying
from agent.recording.destruction import ABSENT
from agent.recording.row import DestroyedSpan, SegmentRow, SegmentState

_ROUNDING_NS: Final = NS // 1000
"""The catalog counts in nanoseconds, a film in its own ticks."""
_SEAM_NS: Final = NS
"""Less than this between two dates is the seam of two segments, and told as such where it is none."""


def note_missing(contents: Contents, request: ExcerptRequest, destroyed: Sequence[DestroyedSpan], newest: SegmentRow) -> None:
    """Tell what is lacking before the earliest date, after the latest and between them, and what was destroyed of the span."""
    spans = list(contents.spans)
    last_ns, written_ns = spans[-1][1], min(newest.wall_to_ns, request.to_ns)
    if newest.state is SegmentState.OPEN and last_ns + _ROUNDING_NS < written_ns:
        # It is on disk, and an export a moment later has it: nobody is told that there is none.
        spans.append((last_ns, written_ns))
        contents.absences.append(Absence(last_ns, written_ns, Remark(Saying.NOT_SIGNED_YET)))
    first_ns, end_ns = min(from_ns for from_ns, _ in spans), max(to_ns for _, to_ns in spans)
    told = [*spans, *((each.from_ns, each.to_ns) for each in contents.absences)]
    missing = [(request.from_ns, first_ns), *_holes(told, first_ns, end_ns), (end_ns, request.to_ns)]
    contents.absences += [Absence(from_ns, to_ns, Remark(Saying.NO_FOOTAGE)) for from_ns, to_ns in missing if from_ns < to_ns]
    for each in destroyed:
        from_ns, to_ns = max(each.from_ns, request.from_ns), min(each.to_ns, request.to_ns)
        contents.absences.append(Absence(from_ns, to_ns, gone(each)))
    contents.absences.sort(key=lambda absence: (absence.from_ns, absence.to_ns))


def _holes(spans: Sequence[tuple[int, int]], from_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
    """What no span covers between the two: dates that a clock leapt over, since everything else was told before."""
    reached = from_ns
    for begin, end in sorted(spans):
        if begin > to_ns:
            break
        if begin - reached >= _SEAM_NS:
            yield reached, begin
        reached = max(reached, end)


def dated_otherwise(footage: Footage, rows: Sequence[SegmentRow]) -> dict[int, Remark]:
    """By the id of the segment that follows: what was recorded right before it with dates that nobody asked for.

    The clock was stepped, to and fro: nothing is told as an interruption that was none.
    """
    found: dict[int, Remark] = {}
    for row, later in pairwise(rows):
        between = footage.between(row, later) if later.id > row.id + 1 else ()
        if between:
            dates = (min(each.wall_from_ns for each in between), max(each.wall_to_ns for each in between))
            found[later.id] = Remark(Saying.OTHER_DATES, begins=rfc3339(dates[0]), ends=rfc3339(dates[1]))
    return found


def left_out(cut: Cut, end: int) -> Absence:
    """What stands in the cut from this sample on."""
    last = max(cut.samples[end : cut.end], key=lambda sample: sample.shown)
    to_ns = cut.wall_ns(last) + last.duration * NS // cut.film.track.timescale
    return Absence(cut.wall_ns(cut.samples[end]), to_ns, Remark(Saying.SIGNATURE_LOST))


def gone(span: DestroyedSpan) -> Remark:
    """What lay nowhere any more when its day came was not destroyed by this node, and nobody is told that it was."""
    at = rfc3339(span.at_ns)
    if span.reason == ABSENT:
        return Remark(Saying.FOUND_MISSING, at=at)
    return Remark(Saying.DESTROYED, at=at, reason=span.reason)
