"""A polygon as a technician draws it: normalised corners, simple, with an inside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from agent.base.phrase import say
from agent.config.misfit import Misfit

Point = tuple[float, float]
Polygon = tuple[Point, ...]

MOST_CORNERS = 64
LEAST_AREA = 1e-6
"""Of the picture; two pixels of a 1080p frame."""


def check_polygon(polygon: Sequence[Point]) -> Polygon:
    """The polygon itself, or Misfit that says which corner is wrong and what would be right."""
    corners = tuple((float(x), float(y)) for x, y in polygon)
    if len(corners) < 3:
        raise Misfit(
            say("a polygon needs at least three corners, this one has {count}", count=len(corners)),
            remedy=say("add the missing corners"),
        )
    if len(corners) > MOST_CORNERS:
        raise Misfit(
            say("a polygon may have {most_corners} corners, this one has {count}", most_corners=MOST_CORNERS, count=len(corners)),
            remedy=say("split it in two masks"),
        )
    for index, corner in enumerate(corners):
        check_corner(corner, index)
    for index, (a, b) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True)):
        if a == b:
            following = (index + 1) % len(corners)
            raise Misfit(
                say("corners {index} and {following} are the same point", index=index + 1, following=following + 1),
                at=(max(index, following),),
                remedy=say("remove one of the two; a polygon closes by itself"),
            )
    crossing = first_crossing(corners)
    if abs(signed_area(corners)) < LEAST_AREA and (crossing is None or _on_one_line(corners)):
        raise Misfit(
            say("the corners lie on one line: the polygon has no inside and would cover nothing"),
            remedy=say("move a corner so that the shape has an area"),
        )
    if crossing is not None:
        i, j = crossing
        raise Misfit(
            say("the edge {edge} crosses the edge {edge_2}", edge=_edge(i, corners), edge_2=_edge(j, corners)),
            at=(j,),
            remedy=say("list the corners in order around the shape"),
        )
    return corners


def check_corner(corner: Point, index: int | None = None) -> Point:
    """The corner itself, or Misfit when it lies outside the picture; `index` leads the Misfit to it within its polygon."""
    x, y = corner
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):  # NaN fails this too
        pixels = say(" (these look like pixels: divide x by the width, y by the height)") if max(x, y) > 2 else ""
        raise Misfit(
            say("the corner ({x}, {y}) is outside the picture", x=f"{x:g}", y=f"{y:g}"),
            at=() if index is None else (index,),
            remedy=say("corners are fractions of the picture, from 0 (left, top) to 1 (right, bottom){pixels}", pixels=pixels),
        )
    return corner


def _edge(index: int, corners: Sequence[Point]) -> str:
    return say("from corner {index} to corner {following}", index=index + 1, following=(index + 1) % len(corners) + 1)


def _on_one_line(corners: Sequence[Point]) -> bool:
    a, b = corners[0], max(corners, key=lambda p: (p[0] - corners[0][0]) ** 2 + (p[1] - corners[0][1]) ** 2)
    return all(_turn(a, b, p) == 0 for p in corners)


def signed_area(corners: Sequence[Point]) -> float:
    """Area by the shoelace formula; positive when the corners run clockwise on screen."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True)) / 2


def covered_share(polygons: Sequence[Sequence[Point]], lines: int = 200) -> float:
    """The fraction of the picture that they cover together, measured along so many lines across it."""
    covered = 0.0
    for line in range(lines):
        y = (line + 0.5) / lines
        spans = sorted(span for polygon in polygons for span in _spans(polygon, y))
        reached = 0.0
        for start, end in spans:
            covered += max(0.0, end - max(start, reached))
            reached = max(reached, end)
    return covered / lines


def _spans(corners: Sequence[Point], y: float) -> list[Point]:
    """Where a line at this height runs inside a simple polygon."""
    sides = zip(corners, (*corners[1:], corners[0]), strict=True)
    crossings = sorted(ax + (y - ay) / (by - ay) * (bx - ax) for (ax, ay), (bx, by) in sides if (ay > y) != (by > y))
    return list(zip(crossings[::2], crossings[1::2], strict=True))


def first_crossing(corners: Sequence[Point]) -> tuple[int, int] | None:
    """Indices of two edges that share a point without being neighbours, else None; edge i runs from corner i to the next.

    That also finds an edge that runs back over its neighbour, from four corners on: the edge after it then starts on the first.
    """
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    for i, j in combinations(range(len(edges)), 2):
        neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
        if not neighbours and _touch(*edges[i], *edges[j]):
            return i, j
    return None


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    return (
        (turns[0] == 0 and _within(a, b, c))
        or (turns[1] == 0 and _within(a, b, d))
        or (turns[2] == 0 and _within(c, d, a))
        or (turns[3] == 0 and _within(c, d, b))
    )


def _turn(a: Point, b: Point, c: Point) -> int:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return 0 if abs(cross) < 1e-12 else (1 if cross > 0 else -1)


def _within(a: Point, b: Point, p: Point) -> bool:
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])
