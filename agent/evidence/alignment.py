"""Which signed hashes stand in the film, in which order: used only where a GOP's own hash does not agree."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Sequence

from msgspec import Struct


class Alignment(Struct, frozen=True):
    """`matches[i]` is the place in the signed list of the film's unit i, or None when it has none in order.

    `used` is how many of the film's units belong to the signed list's GOP; `missing` lists (unit, count): before which unit
    of the film how many signed units are lacking.
    """

    matches: tuple[int | None, ...]
    used: int
    missing: tuple[tuple[int, int], ...]

    @property
    def in_order(self) -> int:
        """How many of the film's units are signed and in order."""
        return sum(place is not None for place in self.matches)


def align(found: Sequence[bytes], signed: Sequence[bytes], boundary: int) -> Alignment:
    """Put the hashes of the film's pending units beside the signed ones.

    A unit counts as in order when it lies on a longest increasing run of places. Between two such units every further unit of
    the film was changed, inserted or moved, and every signed unit beyond their number is missing. `boundary` is where the next
    GOP begins in `found` (its length when it does not): units from there on are left to the next signature.
    """
    places: dict[bytes, deque[int]] = defaultdict(deque)
    for place, value in enumerate(signed):
        places[value].append(place)
    candidates = [(unit, places[value].popleft()) for unit, value in enumerate(found) if places.get(value)]
    in_order = _longest_increasing(candidates)
    matches: list[int | None] = [None] * len(found)
    for unit, place in in_order:
        matches[unit] = place

    missing: list[tuple[int, int]] = []
    last_unit, last_place = -1, -1
    for unit, place in in_order:
        lacking = (place - last_place - 1) - (unit - last_unit - 1)
        if lacking > 0:
            missing.append((unit, lacking))
        last_unit, last_place = unit, place
    open_places = len(signed) - 1 - last_place
    tail = min(open_places, max(boundary - last_unit - 1, 0))
    if open_places > tail:
        missing.append((last_unit + 1 + tail, open_places - tail))
    return Alignment(tuple(matches), last_unit + 1 + tail, tuple(missing))


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers increase (patience sorting, O(n log n))."""
    ends: list[int] = []
    end_at: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(ends, place)
        before.append(end_at[pile - 1] if pile else -1)
        if pile == len(ends):
            ends.append(place)
            end_at.append(number)
        else:
            ends[pile] = place
            end_at[pile] = number
    run = []
    number = end_at[-1] if end_at else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]
