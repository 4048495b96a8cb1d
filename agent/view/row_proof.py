"""A proof for each mask: the rows it lies in were read out at the pose that the rest of the frame shows.

A sensor reads its rows one after the other. A knock during the read-out leaves the upper rows at the old pose and the
lower ones at the new; whichever has more patches wins the fit, and the masks in the other rows would lie wrong. Patches in
the same rows, anywhere across the frame, were read at the same time: when they go missing together, the frame is torn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.view.patches import Patches
from agent.view.pose import Points

WITNESSES = 8
"""Patches asked for each row of a mask: the nearest, counted in rows, of those seen on the frame before."""
MOST_GONE = 0.5
LEAST_EXPECTED = 2
NEAREST = 3
"""A mask's distance to its proof is that of the third nearest confirmed patch."""


class RowProof:
    """The witnesses of each mask; one thread."""

    def __init__(self, patches: Patches, outlines: Sequence[Points]) -> None:
        rows = [row for o in outlines for row in np.linspace(o[:, 1].min(), o[:, 1].max(), 3)]
        self._by_row: NDArray[np.intp] = np.array([np.argsort(np.abs(patches.at[:, 1] - row), kind="stable") for row in rows])
        self._away_px = np.array([_distances(patches.at, outline) for outline in outlines])

    def torn(self, expected: NDArray[np.bool_], gone: NDArray[np.float64] | NDArray[np.bool_]) -> bool:
        """Whether, next to the rows of some mask, most of what is expected there is gone at once; `gone` is 0 to 1.

        A lorry takes them one after the other; only a tear takes all that lie in the same rows on one frame.
        """
        asked = expected[self._by_row]
        asked &= asked.cumsum(axis=1) <= WITNESSES
        total = asked.sum(axis=1)
        missing = (asked * gone[self._by_row]).sum(axis=1)
        return bool(((total >= LEAST_EXPECTED) & (missing > MOST_GONE * total)).any())

    def furthest_px(self, confirmed: NDArray[np.bool_]) -> float:
        """The longest way from a mask to the third nearest patch that confirmed on this frame."""
        away = np.partition(np.where(confirmed, self._away_px, np.inf), NEAREST - 1, axis=1)[:, NEAREST - 1]
        return float(away.max())


def _distances(at: Points, outline: Points) -> NDArray[np.float64]:
    """From each point to the nearest side of a polygon; 0 inside is not needed, patches lie outside."""
    away = np.full(len(at), np.inf)
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        side = b - a
        along = np.clip(((at - a) @ side) / max(float(side @ side), 1e-9), 0, 1)
        off = at - a - along[:, None] * side
        away = np.minimum(away, np.sqrt(np.einsum("ij,ij->i", off, off)))
    return away
