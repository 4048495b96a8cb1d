"""The masks of one cover, laid out for the planes of one size of frame: what is drawn on Y, U, V and the analysis luma."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.mask.check import Rim, uncovered
from agent.mask.colour import SOLID_YUV
from agent.mask.fill import Region
from agent.mask.outline import MOST_SLACK_PX, TOLERANCES, Grid, Outline, Strokes
from agent.mask.shape import Shape
from agent.picture.planes import Plane, Planes


class MaskLayer:
    """Shapes ready to be drawn. A settled layer is compiled and proved; any other is drawn straight and looked over each time.

    `hidden` is a plane like the analysis luma, 255 where that is covered; nobody writes into it.
    """

    __slots__ = ("_chroma", "_grids", "_luma", "_regions", "_rim", "_shapes", "_small", "hidden", "settled")

    def __init__(self, shapes: Sequence[Shape], planes: Planes, small: Plane, *, settle: bool) -> None:
        """MaskError when a settled layer does not cover its shapes on some plane: then nothing may be shown."""
        width, height = planes.width, planes.height
        self._shapes = shapes
        self._grids = Grid.luma(width, height), Grid.chroma(width, height), Grid.small(small, width, height)
        self._rim = Rim(shapes) if shapes and not settle else None
        self.settled = settle
        self._luma, self._chroma, self._small = (
            _proved(shapes, grid) if settle else Strokes(shapes, grid) for grid in self._grids
        )
        self._regions: tuple[Region, ...] | None = None
        self.hidden = self._bitmap(self._small, self._grids[2])

    def draw(self, planes: Planes) -> None:
        """Set every sample of Y, U and V whose footprint touches a shape to the solid colour. MaskError when one is missed."""
        for plane, drawn, grid, value in zip(
            (planes.y, planes.u, planes.v),
            (self._luma, self._chroma, self._chroma),
            (self._grids[0], self._grids[1], self._grids[1]),
            SOLID_YUV,
            strict=True,
        ):
            drawn.draw(plane, value)
            self._look_over(plane, grid, value)

    def draw_small(self, small: Plane) -> None:
        """Cover the analysis luma; always solid, so that detectors see nothing change there."""
        self._small.draw(small, SOLID_YUV[0])
        self._look_over(small, self._grids[2], SOLID_YUV[0])

    @property
    def regions(self) -> tuple[Region, ...]:
        """The covered samples of luma and chroma as bitmaps, for fills that are more than one colour; made once."""
        if self._regions is None:
            luma, chroma = self._bitmap(self._luma, self._grids[0]), self._bitmap(self._chroma, self._grids[1])
            self._regions = tuple(r for shape in self._shapes for r in _region(shape, luma, chroma, trim=self.settled))
        return self._regions

    def _bitmap(self, drawn: Outline | Strokes, grid: Grid) -> Plane:
        bitmap = np.zeros((grid.height, grid.width), np.uint8)
        drawn.draw(bitmap, 255)
        self._look_over(bitmap, grid, 255)
        return bitmap

    def _look_over(self, plane: Plane, grid: Grid, value: int) -> None:
        if self._rim is not None and not (plane[self._rim.on(grid)] == value).all():
            raise MaskError(say("a mask was not drawn where it belongs"))


def _region(shape: Shape, luma: Plane, chroma: Plane, *, trim: bool) -> Sequence[Region]:
    """The rectangle around one shape as drawn, cut out of both bitmaps; none when the shape lies outside of the frame."""
    beyond = shape.grow + MOST_SLACK_PX
    left, top = (max(0, int(low - beyond) // 2) for low in shape.corners.min(axis=0).tolist())
    right, bottom = (max(0, int(high + beyond) // 2 + 1) for high in shape.corners.max(axis=0).tolist())
    part = chroma[top:bottom, left:right]
    if part.size == 0:
        return ()
    if trim:
        luma_box, chroma_box = cv2.boundingRect(luma[2 * top : 2 * bottom, 2 * left : 2 * right]), cv2.boundingRect(part)
        first_x, first_y = min(luma_box[0] // 2, chroma_box[0]), min(luma_box[1] // 2, chroma_box[1])
        last_x = max((luma_box[0] + luma_box[2] + 1) // 2, chroma_box[0] + chroma_box[2])
        last_y = max((luma_box[1] + luma_box[3] + 1) // 2, chroma_box[1] + chroma_box[3])
        left, right, top, bottom = left + first_x, left + last_x, top + first_y, top + last_y
    within = luma[2 * top : 2 * bottom, 2 * left : 2 * right]
    return (Region(2 * left, 2 * top, np.ascontiguousarray(within), np.ascontiguousarray(chroma[top:bottom, left:right])),)


def _proved(shapes: Sequence[Shape], grid: Grid) -> Outline:
    """The compiled outline of the shapes on one grid, drawn and checked sample by sample."""
    missed = 0
    for tolerance in TOLERANCES:
        outline = Outline(shapes, grid, tolerance)
        drawn = np.zeros((grid.height, grid.width), np.uint8)
        outline.draw(drawn, 1)
        missed = uncovered(shapes, grid, drawn.view(np.bool_))
        if not missed:
            return outline
    raise MaskError(
        say(
            "the masks leave {missed} samples uncovered on a plane of {width}x{height}",
            missed=missed,
            width=grid.width,
            height=grid.height,
        )
    )
