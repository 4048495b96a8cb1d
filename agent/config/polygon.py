"""A polygon as a technician draws it: normalised corners, simple, with an inside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Point = tuple[float, float]
Polygon = tuple[Point, ...]

MOST_CORNERS = 64
LEAST_AREA = 1e-6
"""Of the picture; two pixels of a 1080p frame."""


def check_polygon(polygon: Sequence[Point]) -> Polygon:
    """The polygon itself, or ValueError that says which corner is wrong and what would be right."""
    corners = tuple((float(x), float(y)) for x, y in polygon)
    if len(corners) < 3:
        raise ValueError(f"a polygon needs at least three corners, this one has {len(corners)}")
    if len(corners) > MOST_CORNERS:
        raise ValueError(f"a polygon may have {MOST_CORNERS} corners, this one has {len(corners)}: split it in two")
    for number, (x, y) in enumerate(corners, 1):
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):  # NaN fails this too
            raise ValueError(
                f"corner {number} is ({x:g}, {y:g}): corners are fractions of the picture, "
                "from 0 (left, top) to 1 (right, bottom)"
            )
    for number, (a, b) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True), 1):
        if a == b:
            raise ValueError(f"corners {number} and {number % len(corners) + 1} are the same point: remove one")
    crossing = first_crossing(corners)
    if crossing is not None:
        i, j = crossing
        raise ValueError(
            f"the edge after corner {i + 1} crosses the edge after corner {j + 1}: list the corners in order around the shape"
        )
    if abs(signed_area(corners)) < LEAST_AREA:
        raise ValueError("the corners lie on one line: the polygon has no inside and would cover nothing")
    return corners


def signed_area(corners: Sequence[Point]) -> float:
    """Area by the shoelace formula; positive when the corners run clockwise on screen."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True)) / 2


def first_crossing(corners: Sequence[Point]) -> tuple[int, int] | None:
    """Indices of two edges that cross or touch without being neighbours, else None."""
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    for i, j in combinations(range(len(edges)), 2):
        neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
        if neighbours:
            continue
        if _touch(*edges[i], *edges[j]):
            return i, j
    return None


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] != turns[1] and turns[2] != turns[3]:
        return True
    return any(
        turn == 0 and _within(p, q, r)
        for turn, p, q, r in ((turns[0], a, b, c), (turns[1], a, b, d), (turns[2], c, d, a), (turns[3], c, d, b))
    )


def _turn(a: Point, b: Point, c: Point) -> int:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return 0 if abs(cross) < 1e-12 else (1 if cross > 0 else -1)


def _within(a: Point, b: Point, p: Point) -> bool:
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])
