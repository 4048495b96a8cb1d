"""The rasteriser that every first attempt has: whole luma samples, halved for chroma, no slack. Checks must catch it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.mask import outline
from agent.mask.shape import Shape


class CarelessStrokes(outline.Strokes):
    """In the place of agent.mask.outline.Strokes."""

    def __init__(self, shapes: Sequence[Shape], grid: outline.Grid, slack: float = 0.0) -> None:
        super().__init__(shapes, grid, slack)
        spans = np.array((round(grid.span_x), round(grid.span_y)))
        self._points = [(s.corners.astype(np.int32) // spans * (1 << outline.SHIFT)).astype(np.int32) for s in shapes]
        self._pens = [max(1, 2 * round(s.grow / grid.span_x)) for s in shapes]
