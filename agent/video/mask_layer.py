"""The masks of one cover, laid out for the planes of one size of picture: what is drawn on Y, U, V and the analysis luma."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.errors import MaskError
from agent.video.mask_check import Rim, uncovered
from agent.video.mask_outline import Grid, Outline, Strokes
from agent.video.mask_shape import Shape
from agent.video.picture import Plane, Planes

SOLID_YUV = (126, 128, 128)
"""What a solid mask and a closed picture are filled with: mid grey in limited range."""


class MaskLayer:
    """Shapes ready to be drawn. A settled layer is compiled and proved; any other is drawn straight and looked over each time."""

    __slots__ = ("_chroma", "_grids", "_hidden", "_luma", "_rim", "_small", "settled")

    def __init__(self, shapes: Sequence[Shape], planes: Planes, small: Plane, *, settle: bool) -> None:
        """MaskError when a settled layer does not cover its shapes on some plane: then nothing may be shown."""
        width, height = planes.width, planes.height
        self._grids = Grid.luma(width, height), Grid.chroma(width, height), Grid.small(small, width, height)
        self._rim = Rim(shapes) if shapes and not settle else None
        self.settled = settle
        self._luma, self._chroma, self._small = (
            _proved(shapes, grid) if settle else Strokes(shapes, grid) for grid in self._grids
        )
        self._hidden = np.zeros(small.shape, np.uint8)
        self._small.draw(self._hidden, 255)

    def draw(self, planes: Planes, small: Plane) -> Plane:
        """Fill every sample whose footprint touches a shape. MaskError when a look at the rims finds one that is not.

        Returns a plane like `small`, 255 where that is covered; the layer keeps it, nobody writes into it.
        """
        y, u, v = SOLID_YUV
        self._luma.draw(planes.y, y)
        self._chroma.draw(planes.u, u)
        self._chroma.draw(planes.v, v)
        self._small.draw(small, y)
        if self._rim is None:
            return self._hidden
        luma, chroma, reduced = (self._rim.on(grid) for grid in self._grids)
        for plane, points, value in ((planes.y, luma, y), (planes.u, chroma, u), (planes.v, chroma, v), (small, reduced, y)):
            if not (plane[points] == value).all():
                raise MaskError("a mask was not drawn where it belongs")
        return self._hidden


def _proved(shapes: Sequence[Shape], grid: Grid) -> Outline:
    """The compiled outline of the shapes on one grid, drawn and checked sample by sample."""
    missed = 0
    for simplified in (True, False):
        outline = Outline(shapes, grid, simplified=simplified)
        drawn = np.zeros((grid.height, grid.width), np.uint8)
        outline.draw(drawn, 1)
        missed = uncovered(shapes, grid, drawn.view(np.bool_))
        if not missed:
            return outline
    raise MaskError(f"the masks leave {missed} samples uncovered on a plane of {grid.width}x{grid.height}")
