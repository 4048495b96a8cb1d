"""Does what was drawn cover what must not be seen? Computed anew from the shapes, by other means than the drawing's.

Exact, for a cover that stays: every sample the polygon touches, by scan lines and by walking its edges in numpy, then
distances from those; an uncovered sample closer than the growth is a finding. Quick, for a cover that moves: points on
the rim of every shape, looked up on the drawn planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.mask.outline import Grid
from agent.mask.shape import Points, Shape

STEP = 0.25
"""Samples between two points of a walk along an edge."""
TOUCH = 1.4143
"""A sample's centre and the centre of the touched sample are each at most half a diagonal from where they touch."""
RIM_POINTS = 8
"""Points per edge of the quick look."""
_TURNS = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)
_COMPASS = np.stack((np.cos(_TURNS), np.sin(_TURNS)), axis=1)[None]
_FRACTIONS = np.linspace(0.0, 1.0, RIM_POINTS)[None, :, None]
_RIGHT = np.array((1.0, -1.0))


def uncovered(shapes: Sequence[Shape], grid: Grid, covered: NDArray[np.bool_]) -> int:
    """Samples of the grid whose footprint touches a shape and that are not covered; 0 is the only good answer."""
    return sum(_uncovered(shape, grid, covered) for shape in shapes)


def _uncovered(shape: Shape, grid: Grid, covered: NDArray[np.bool_]) -> int:
    span = np.array((grid.span_x, grid.span_y))
    grow = shape.grow / float(span.min()) + grid.reach
    margin = ceil(grow) + 3
    corners = shape.corners / span
    left = max(floor(corners[:, 0].min()), 0) - margin
    top = max(floor(corners[:, 1].min()), 0) - margin
    right = min(ceil(corners[:, 0].max()), grid.width) + margin
    bottom = min(ceil(corners[:, 1].max()), grid.height) + margin
    if right <= left or bottom <= top:
        return 0
    touched = _touched(corners - (left, top), right - left, bottom - top)
    if not touched.any():
        return 0
    distance = cv2.distanceTransform((~touched).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = distance <= grow + TOUCH
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, grid.width), min(bottom, grid.height)
    if x1 <= x0 or y1 <= y0:
        return 0
    inside = near[y0 - top : y1 - top, x0 - left : x1 - left]
    return int(np.count_nonzero(inside & ~covered[y0:y1, x0:x1]))


def _touched(corners: Points, width: int, height: int) -> NDArray[np.bool_]:
    """Samples of a width x height canvas that the polygon itself touches."""
    start, end = corners, np.roll(corners, -1, axis=0)
    crossings = np.zeros((height, width + 1), np.uint8)  # it may wrap: only odd or even matters
    middles = np.arange(height) + 0.5
    for (ax, ay), (bx, by) in zip(start, end, strict=True):
        rows = np.nonzero((middles >= min(ay, by)) & (middles < max(ay, by)))[0]
        x = ax + (middles[rows] - ay) / (by - ay) * (bx - ax) if len(rows) else middles[rows]
        np.add.at(crossings, (rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.intp)), 1)
    np.cumsum(crossings, axis=1, dtype=np.uint8, out=crossings)
    touched: NDArray[np.bool_] = (crossings[:, :width] & 1).view(np.bool_)
    for a, b in zip(start, end, strict=True):
        count = ceil(float(np.hypot(*(b - a))) / STEP) + 1
        walk = np.floor(a + (b - a) * np.linspace(0.0, 1.0, count)[:, None]).astype(np.intp)
        walk = walk[(walk[:, 0] >= 0) & (walk[:, 0] < width) & (walk[:, 1] >= 0) & (walk[:, 1] < height)]
        touched[walk[:, 1], walk[:, 0]] = True
    return touched


class Rim:
    """Points on the rims of all shapes (outer, inner, and around the corners), to look up on drawn planes."""

    __slots__ = ("_points", "_samples")

    def __init__(self, shapes: Sequence[Shape]) -> None:
        start = np.concatenate([s.corners for s in shapes])
        end = np.concatenate([turned for s in shapes for turned in (s.corners[1:], s.corners[:1])])
        grow = np.repeat([s.grow for s in shapes], [len(s.corners) for s in shapes])[:, None]
        edge = end - start
        length = np.maximum(np.sqrt((edge * edge).sum(axis=1, keepdims=True)), 1e-9)
        normal = (edge[:, ::-1] * _RIGHT / length * grow)[:, None]
        along = start[:, None] + edge[:, None] * _FRACTIONS
        rim = np.concatenate((along + normal, along - normal, start[:, None] + _COMPASS * grow[:, None]), axis=1)
        self._points = rim.reshape(-1, 2)
        self._samples: dict[Grid, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}

    def on(self, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the samples that lie under the points."""
        known = self._samples.get(grid)
        if known is None:
            known = self._samples[grid] = self._under(grid)
        return known

    def _under(self, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        x = np.floor(self._points[:, 0] / grid.span_x).astype(np.intp)
        y = np.floor(self._points[:, 1] / grid.span_y).astype(np.intp)
        seen = (x >= 0) & (x < grid.width) & (y >= 0) & (y < grid.height)
        return y[seen], x[seen]
