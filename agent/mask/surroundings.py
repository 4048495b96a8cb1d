"""The colours around the masks, run in under them: all that mosaic and blur are made of.

Nothing private goes in: only cells of the frame no sample of which is covered are looked at, and those are shown
anyway. So a fill made from here holds nothing of what it covers, whoever looks at it for however long.
"""

from __future__ import annotations

from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.base.clock import NS
from agent.mask.colour import SOLID_YUV
from agent.picture.planes import Plane, Planes

Field = NDArray[np.float32]
"""Shape (rows, columns, 3): Y, U, V of a cell."""

CELLS_ACROSS = 80
EVERY_NS = NS // 5
"""Colours are looked at five times a second: light changes slowly, and a steady fill costs the encoder nothing."""
SLOWNESS_S = 2.0
"""Time constant of the average: passers-by at a mask's edge must not make it flicker."""
NOTICEABLE = 2.0
"""Levels by which a covered cell's colour must differ before the fill changes at all."""
REACHES = (5, 15, 45)
"""Cells over which colours run in: what the nearest reach cannot fill, the next one does."""


class Surroundings:
    """The averaged colour of every visible cell, and from them a colour for every covered one. One thread calls it."""

    def __init__(self) -> None:
        self._average: Field = np.empty((0, 0, 3), np.float32)
        self._known: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._looked_ns: int | None = None
        self.field: Field = np.full((1, 1, 3), SOLID_YUV, np.float32)
        """A colour for every cell: where it is covered, what runs in from around. Another object when it has changed."""

    def observe(self, planes: Planes, small: Plane, hidden: Plane, monotonic_ns: int) -> None:
        """Look at a frame that is not covered yet, where `hidden` (like `small`) is 0, and keep `field` up to date."""
        elapsed_ns = 0 if self._looked_ns is None else monotonic_ns - self._looked_ns
        if self._looked_ns is not None and 0 <= elapsed_ns < EVERY_NS:
            return
        self._looked_ns = monotonic_ns
        columns = min(CELLS_ACROSS, small.shape[1])
        rows = max(1, round(small.shape[0] * columns / small.shape[1]))
        visible = cv2.resize((hidden != 0).astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA) == 0.0
        seen = np.empty((rows, columns, 3), np.float32)
        seen[..., 0] = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_AREA)
        for channel, plane in ((1, planes.u), (2, planes.v)):
            seen[..., channel] = _middles(plane, rows, columns)
        self._take(seen, np.asarray(visible, np.bool_), elapsed_ns / NS)

    def _take(self, seen: Field, visible: NDArray[np.bool_], elapsed_s: float) -> None:
        if self._average.shape != seen.shape:
            self._average = seen.copy()
            self._known = np.zeros(visible.shape, np.bool_)
        # A cell that comes into view starts from what is seen now: it holds nothing of when it was covered.
        weight = np.where(self._known, 1.0 - exp(-max(elapsed_s, 0.0) / SLOWNESS_S), 1.0).astype(np.float32)
        weight[~visible] = 0.0
        self._average += weight[..., None] * (seen - self._average)
        self._known = visible
        made = _run_in(self._average, visible)
        if self.field.shape != made.shape or np.abs(made - self.field)[~visible].max(initial=0.0) > NOTICEABLE:
            self.field = made


def _middles(plane: Plane, rows: int, columns: int) -> Plane:
    """The sample in the middle of every cell: averaging over time does the rest."""
    y = ((np.arange(rows) + 0.5) * plane.shape[0] / rows).astype(np.intp)
    x = ((np.arange(columns) + 0.5) * plane.shape[1] / columns).astype(np.intp)
    return plane[np.ix_(y, x)]


def _run_in(average: Field, visible: NDArray[np.bool_]) -> Field:
    """Covered cells filled from the visible ones around them, the nearest reach first; mid grey where nothing is visible."""
    weight = visible.astype(np.float32)
    if not weight.any():
        return np.full(average.shape, SOLID_YUV, np.float32)
    weighted = np.concatenate((average, np.ones((*weight.shape, 1), np.float32)), axis=2) * weight[..., None]
    total = weighted.sum(axis=(0, 1))
    filled: Field = np.empty_like(average)
    filled[...] = total[:3] / total[3]
    for reach in reversed(REACHES):
        near = cv2.boxFilter(weighted, -1, (reach, reach), normalize=True, borderType=cv2.BORDER_CONSTANT)
        share = near[..., 3:]
        trust = np.minimum(1.0, share * 8.0)  # a corner of the window alone does not decide
        filled += trust * (near[..., :3] / np.maximum(share, 1e-6) - filled)
    return np.where(visible[..., None], average, filled).astype(np.float32)
