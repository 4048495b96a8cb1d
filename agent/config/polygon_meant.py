"""The polygon that was meant by corners that are no fractions: pixels, decimal commas, a corner twice, a wrong order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.config.locate import KeyPath
from agent.config.misfit import Misfit
from agent.config.polygon import Point, Polygon, check_polygon
from agent.config.toml_value import written

LEAST_PIXEL: Final = 2
"""A coordinate above it is no fraction that went a little astray."""

_SIZE: Final = (1920, 1080)


def on_picture(path: KeyPath) -> bool:
    """Whether the path leads to a polygon on the picture, or into one; a perimeter is drawn on the map."""
    return "polygon" in path and path[0] != "nomad"


def size_of(content: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of the picture as the file has them, in pixels; the default where it has none that serves."""
    camera = content.get("camera")
    found = [camera.get(name) if isinstance(camera, Mapping) else None for name in ("width", "height")]
    width, height = (
        value if isinstance(value, int) and not isinstance(value, bool) and 64 <= value <= 10_000 else default
        for value, default in zip(found, _SIZE, strict=True)
    )
    return width, height


def in_pixels(raw: Any) -> bool:
    """True for a list of corners one of which can only be meant in pixels."""
    corners = _numbers(raw, 2)
    return corners is not None and any(LEAST_PIXEL < value < 100_000 for corner in corners for value in corner)


def with_commas(raw: Any) -> bool:
    """True for corners such as `[0,12, 0,31]`, which TOML reads as four whole numbers."""
    corners = _numbers(raw, 4) if isinstance(raw, list) else None
    return corners is not None and all(isinstance(n, int) for corner in corners for n in corner)


def polygon_meant(raw: Any, size: tuple[int, int]) -> Polygon | None:
    """A polygon that serves, as near as can be to what stands there; None when nobody can tell."""
    if with_commas(raw):
        raw = [[float(f"{a}.{b}"), float(f"{c}.{d}")] for a, b, c, d in raw]
    corners = _numbers(raw, 2)
    if corners is None:
        return None
    points = [(float(x), float(y)) for x, y in corners]
    if in_pixels(raw):
        points = [(_share(x, size[0]), _share(y, size[1])) for x, y in points]
        if any(not -0.05 <= value <= 1.05 for point in points for value in point):  # pixels of another picture
            return None
    points = [(round(min(1.0, max(0.0, x)), 4), round(min(1.0, max(0.0, y)), 4)) for x, y in points]
    points = [point for n, point in enumerate(points) if point != points[n - 1]]
    for attempt in (points, _around(points)):
        try:
            return check_polygon(attempt)
        except Misfit:
            pass
    return None


def _share(value: float, of: int) -> float:
    """A number of pixels as a fraction; one that stands there as a fraction already, beside pixels, stays."""
    return value if 0 < value < 1 else value / of


def polygon_line(polygon: Sequence[Point]) -> str:
    """The corners in TOML, with no more digits than a pixel needs."""
    return written([[_short(x), _short(y)] for x, y in polygon])


def _short(value: float) -> float | int:
    return float(f"{value:.4f}".rstrip("0").rstrip(".") or "0")


def _around(points: Sequence[Point]) -> list[Point]:
    """Four corners in order around their middle: what was drawn as a bow tie was meant as this."""
    if len(points) != 4:
        return list(points)
    middle = sum(x for x, _ in points) / 4, sum(y for _, y in points) / 4
    return sorted(points, key=lambda p: math.atan2(p[1] - middle[1], p[0] - middle[0]))


def _numbers(raw: Any, count: int) -> list[list[float]] | None:
    if not isinstance(raw, list) or not 3 <= len(raw) <= 64:
        return None
    for corner in raw:
        if not isinstance(corner, list) or len(corner) != count:
            return None
        if not all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e9 for n in corner):
            return None
    return raw
