"""How shapes are drawn on planes of samples so that no sample whose footprint touches a shape survives.

Two ways, both generous: `Strokes` draws a shape that was never seen before straight away (fill, then a pen as wide as
the growth along its edges). `Outline` is compiled once from a bitmap for a cover that stays, and then costs one fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.mask.shape import Shape
from agent.picture.planes import Plane

FixedPoints = NDArray[np.int32]

SLACK = 2.75
"""Samples a pen reaches beyond the growth: half a sample's diagonal on both sides of a touch (1.42), pen raster (1), rest."""
SHIFT = 4
"""Fractional bits of the corners handed to OpenCV."""
COMPILED_SLACK = 1
"""More samples for a compiled outline, which is then simplified by about that."""
TOLERANCES = (1.25, 0.6, 0.0)
"""Samples by which contours are simplified: the first at which the check finds nothing uncovered."""
MOST_SLACK_PX = 16
"""Luma samples: no chroma sample farther than this beyond a shape's growth is ever drawn."""


class Grid(Struct, frozen=True):
    """A plane of samples over the frame: its size, and how many luma samples one of its samples spans.

    `reach`: samples by which the filter that made the plane looks beyond a sample's own footprint.
    """

    width: int
    height: int
    span_x: float = 1.0
    span_y: float = 1.0
    reach: float = 0.0

    @classmethod
    def luma(cls, width: int, height: int) -> Grid:
        return cls(width, height)

    @classmethod
    def chroma(cls, width: int, height: int) -> Grid:
        """Half as many samples each way, rounded up; a sample's footprint is two by two luma samples."""
        return cls((width + 1) // 2, (height + 1) // 2, 2.0, 2.0)

    @classmethod
    def small(cls, plane: Plane, width: int, height: int) -> Grid:
        """The analysis luma; a camera's own scaler may look two samples far."""
        rows, columns = plane.shape
        return cls(columns, rows, width / columns, height / rows, reach=2.0)


class Strokes:
    """Shapes as OpenCV draws them on one grid: filled one by one, since overlaps in one call are filled even-odd."""

    __slots__ = ("_pens", "_points")

    def __init__(self, shapes: Sequence[Shape], grid: Grid, slack: float = SLACK) -> None:
        scale = np.array((1 / grid.span_x, 1 / grid.span_y)) * (1 << SHIFT)
        half = 0.5 * (1 << SHIFT)
        self._points: list[FixedPoints] = [np.rint(s.corners * scale - half).astype(np.int32) for s in shapes]
        finest = min(grid.span_x, grid.span_y)
        self._pens = [2 * ceil(s.grow / finest + grid.reach + slack) for s in shapes]

    def draw(self, plane: Plane, value: int) -> None:
        """Set every sample whose footprint touches a shape."""
        for points, pen in zip(self._points, self._pens, strict=True):
            cv2.fillPoly(plane, [points], value, cv2.LINE_4, SHIFT)
            cv2.polylines(plane, [points], True, value, pen, cv2.LINE_4, SHIFT)


class Outline:
    """The union of shapes on one grid as contours: what is drawn on every frame of a cover that stays.

    Simplified contours have few corners and fill fast; they may cut off what they must not, or touch each other and leave
    a hole where they do. The check finds that, and the next finer tolerance is taken; the last one is the bitmap itself.
    """

    __slots__ = ("_contours",)

    def __init__(self, shapes: Sequence[Shape], grid: Grid, tolerance: float = TOLERANCES[0]) -> None:
        bitmap = np.zeros((grid.height, grid.width), np.uint8)
        Strokes(shapes, grid, SLACK + COMPILED_SLACK).draw(bitmap, 255)
        left, top, wide, high = cv2.boundingRect(bitmap)
        drawn = bitmap[top : top + high, left : left + wide]  # OpenCV copies what it searches: 2 MB of a whole 1080p plane
        contours, _ = (
            cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left, top)) if drawn.size else ((), None)
        )
        self._contours = [np.asarray(cv2.approxPolyDP(contour, tolerance, True), np.int32) for contour in contours]

    def draw(self, plane: Plane, value: int) -> None:
        """Set every sample whose footprint touches a shape. Blots and their holes are disjoint, so even-odd is right."""
        if self._contours:
            cv2.fillPoly(plane, self._contours, value, cv2.LINE_4)
