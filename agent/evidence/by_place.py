"""A span of footage, cut where one place or authorisation ends and another begins: a film belongs to one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from agent.evidence.excerpt import Footage
from agent.evidence.exported import ExcerptRequest
from agent.recording.row import DestroyedSpan, SegmentRow


class OfOnePlace(Struct, frozen=True):
    """The footage of one place alone. Implements Footage. `unnamed`: the place of what carries no name."""

    footage: Footage
    place: str
    unnamed: str = ""

    def span(self, from_wall_ns: int, to_wall_ns: int) -> Sequence[SegmentRow]:
        """As of the footage."""
        return [row for row in self.footage.span(from_wall_ns, to_wall_ns) if self._is_of_it(row)]

    def between(self, row: SegmentRow, later: SegmentRow) -> Sequence[SegmentRow]:
        """As of the footage."""
        return [each for each in self.footage.between(row, later) if self._is_of_it(each)]

    def destroyed(self, from_wall_ns: int, to_wall_ns: int) -> Sequence[DestroyedSpan]:
        """As of the footage: nobody keeps of which place a film was that is gone."""
        return self.footage.destroyed(from_wall_ns, to_wall_ns)

    def _is_of_it(self, row: SegmentRow) -> bool:
        return (row.place or self.unnamed) == self.place


class PartOfSpan(Struct, frozen=True):
    """What is to be one film: of this place, and this part of what was asked for."""

    place: str
    request: ExcerptRequest


def parts(footage: Footage, request: ExcerptRequest, unnamed: str = "") -> list[PartOfSpan]:
    """In the order of recording; one, of the place that nobody knows, where there is no footage at all.

    What lies between two of them goes with the earlier: there it is told as missing. `unnamed`: the place of what carries no
    name, so that what was recorded before and after an upgrade, where a node hangs, is one film.
    """
    begins: dict[str, int] = {}
    for row in footage.span(request.from_ns, request.to_ns):
        place = row.place or unnamed
        begins[place] = min(begins.get(place, row.wall_from_ns), row.wall_from_ns)
    if len(begins) < 2:
        return [PartOfSpan(next(iter(begins), ""), request)]
    found = [PartOfSpan(place, replace(request, from_ns=max(at_ns, request.from_ns))) for place, at_ns in begins.items()]
    found.sort(key=lambda part: part.request.from_ns)
    found[0] = replace(found[0], request=request)
    return [
        replace(part, request=replace(part.request, to_ns=max(part.request.from_ns + 1, following.request.from_ns)))
        for part, following in pairwise(found)
    ] + found[-1:]
