"""Polygons: what is drawn by hand is either a shape with an inside, or refused with the corner that is wrong."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.misfit import Misfit
from agent.config.polygon import MOST_CORNERS, Point, check_polygon, signed_area
from agent.config.polygon_meant import polygon_meant

# Few coordinates, of few binary digits: corners often meet edges, and a model in exact fractions sees the very same points.
coordinate = st.integers(0, 4).map(lambda n: n / 4)
corner = st.tuples(coordinate, coordinate)


Exact = tuple[Fraction, Fraction]
Edge = tuple[Exact, Exact]


def crosses_itself(polygon: list[Point]) -> bool:
    """The model, in exact arithmetic and straight from the definition: two edges share a point they should not."""
    points = [(Fraction(x), Fraction(y)) for x, y in polygon]
    edges = list(zip(points, points[1:] + points[:1], strict=True))

    def shared(e: Edge, f: Edge) -> list[Exact] | None:
        (ax, ay), (bx, by) = e
        (cx, cy), (dx, dy) = f
        rx, ry, sx, sy = bx - ax, by - ay, dx - cx, dy - cy
        cross = rx * sy - ry * sx
        if cross != 0:
            t, u = ((cx - ax) * sy - (cy - ay) * sx) / cross, ((cx - ax) * ry - (cy - ay) * rx) / cross
            return [(ax + t * rx, ay + t * ry)] if 0 <= t <= 1 and 0 <= u <= 1 else None
        if (cx - ax) * ry != (cy - ay) * rx:
            return None
        low, high = max(min(e), min(f)), min(max(e), max(f))
        return None if low > high else [low] if low == high else [low, high]

    for i, e in enumerate(edges):
        for j in range(i + 1, len(edges)):
            points_shared = shared(e, edges[j])
            neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
            if points_shared is not None and not (neighbours and len(points_shared) == 1):
                return True
    return False


@settings(max_examples=1000, deadline=None)
@given(st.lists(corner, min_size=3, max_size=6))
def test_a_polygon_is_accepted_exactly_when_it_is_simple(polygon: list[Point]) -> None:
    """Agrees with a model in exact fractions on every drawing, touching corners and edges that run back included."""
    legal = not crosses_itself(polygon) and all(a != b for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))
    if legal:
        assert check_polygon(polygon) == tuple(polygon)
    else:
        with pytest.raises(Misfit):
            check_polygon(polygon)


@given(st.lists(st.integers(1, 100), min_size=3, max_size=MOST_CORNERS), st.integers(0, 63), st.booleans())
def test_any_convex_shape_is_accepted_from_any_corner_in_either_direction(gaps: list[int], first: int, clockwise: bool) -> None:
    """Where one begins to draw, and which way round, is nobody's business."""
    angles = [2 * math.pi * total / sum(gaps) for total in accumulate(gaps)]
    shape = [(0.5 + 0.4 * math.cos(a), 0.5 + 0.4 * math.sin(a)) for a in angles]
    shape = shape[first % len(shape) :] + shape[: first % len(shape)]
    assert check_polygon(shape if clockwise else shape[::-1])
    assert (signed_area(shape) > 0) != (signed_area(shape[::-1]) > 0)


@given(
    st.lists(corner, min_size=3, max_size=6),
    st.integers(0, 5),
    st.sampled_from([-0.01, 1.01, 640.0, math.nan, math.inf, -math.inf]),
)
def test_a_corner_outside_the_picture_is_named(polygon: list[Point], index: int, wild: float) -> None:
    """The misfit leads to the corner itself, so that the caret stands under it."""
    index %= len(polygon)
    polygon[index] = (wild, polygon[index][1])
    with pytest.raises(Misfit) as misfit:
        check_polygon(polygon)
    assert misfit.value.at == (index,)


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ([], "three corners"),
        ([(0, 0), (1, 1)], "three corners"),
        ([(0.1, 0.1)] * 65, "split"),
        ([(0, 0), (0.5, 0.5), (1, 1)], "no inside"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "crosses"),
        ([(0, 0), (1, 0), (0.5, 0), (0.5, 1)], "crosses"),
        ([(0, 0), (0, 0), (1, 1)], "same point"),
        ([(0, 0), (1, 0), (1, 1), (0, 0)], "closes by itself"),
        ([(10, 10), (200, 10), (200, 200)], "pixels"),
    ],
)
def test_each_slip_has_its_own_words(polygon: list[Point], words: str) -> None:
    """What is wrong is said so that the drawing can be mended without a manual."""
    with pytest.raises(Misfit, match=words):
        check_polygon(polygon)


def test_fractions_beside_pixels_stay_fractions() -> None:
    """One corner read off in pixels does not make pixels of the others."""
    assert polygon_meant([[0.4, 0.05], [960, 0.06], [0.75, 540]], (1280, 720)) == ((0.4, 0.05), (0.75, 0.06), (0.75, 0.75))
