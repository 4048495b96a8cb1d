"""The sparse memory of a view: small normalised squares of scenery from outside every mask, and how to find them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.local_contrast import NEIGHBOURHOOD_PX, normalise
from agent.view.pose import Points, Pose, move

SIDE = 11
REACH = SIDE // 2
CELLS_ACROSS, CELLS_DOWN = 10, 6
MOST_PATCHES = 120
PER_CELL = 5
KEEP_AWAY_PX = REACH + NEIGHBOURHOOD_PX // 2 + 1
"""A patch centre stays this far from every mask: neither its samples nor what normalises them come from inside."""

LEAST_STABILITY = 0.6
LEAST_CONTRAST = 4.0
MOST_RESEMBLANCE = 0.8
RESEMBLANCE_REACH_PX = 45
_SELF_PX = 4
_FLAT = 60.0
_LONGEST_STEP_PX = 3.0


_OFFSETS = np.array([(x, y) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)], np.float64).T
"""Of a patch's samples from its centre: (2, SIDE * SIDE)."""


@dataclass(frozen=True, eq=False)
class PatchLook:
    """What became of every patch at one pose: shapes (n,), (n, 2).

    `likeness` is the normalised correlation, 0 where the frame is flat or the patch lies outside of it. `step` is how
    far the scenery sits from where the pose puts it, in reference pixels; meaningful within about two pixels.
    """

    likeness: NDArray[np.float64]
    step: Points


@dataclass(frozen=True, eq=False)
class Patches:
    """n patches. `at`: their centres in the reference, whole pixels; `templates`: uint8 (n, SIDE * SIDE)."""

    at: Points
    templates: NDArray[np.uint8]
    cell: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.at)

    def only(self, keep: NDArray[np.bool_]) -> Patches:
        """These patches without the others."""
        return Patches(self.at[keep], self.templates[keep], self.cell[keep])

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """The share of the known frame that each stands for: patches of one cell share it, however many they are. Sums to 1."""
        _, which, count = np.unique(self.cell, return_inverse=True, return_counts=True)
        return np.asarray(1 / (count[which] * len(count)), np.float64)

    @cached_property
    def _centres(self) -> NDArray[np.float64]:
        """Homogeneous: (3, n)."""
        return np.ascontiguousarray(np.concatenate([self.at, np.ones((len(self), 1))], axis=1).T)

    @cached_property
    def _filters(self) -> NDArray[np.float32]:
        """(n, 3, samples): what a look is multiplied by for its likeness and, over that, for its step across and down.

        The first is the template without mean, of length one. The others turn the difference of a look and its template into
        the step that explains it; they answer neither to a look's mean nor to the template itself, so that these need not
        be taken away first.
        """
        unit = self.templates.astype(np.float64)
        unit -= unit.mean(axis=1, keepdims=True)
        unit /= np.sqrt(np.einsum("ns,ns->n", unit, unit))[:, None] + 1e-3
        squares = unit.reshape(-1, SIDE, SIDE)
        slope = np.stack([np.gradient(squares, axis=2), np.gradient(squares, axis=1)], axis=1).reshape(len(self), 2, -1)
        slope -= slope.mean(axis=2, keepdims=True)
        slope -= np.einsum("nks,ns->nk", slope, unit)[:, :, None] * unit[:, None, :]
        (across, both), (_, down) = np.einsum("nks,nls->kln", slope, slope) + 1e-6 * np.eye(2)[:, :, None]
        # The inverse of two by two, written out: numpy's would bring LAPACK into memory for it.
        inverted = np.array([[down, -both], [-both, across]]) / (across * down - both**2)
        return np.concatenate([unit[:, None, :], -np.einsum("kln,nls->nks", inverted, slope)], axis=1).astype(np.float32)

    def look(self, picture: Plane, pose: Pose, which: NDArray[np.intp] | None = None) -> PatchLook:
        """Compare every patch, or `which`, with the normalised working picture at this pose. 0.1 ms for 120 patches."""
        filters = self._filters if which is None else self._filters[which]
        centres = (pose @ (self._centres if which is None else self._centres[:, which])).astype(np.float32)
        around = (pose[:, :2] @ _OFFSETS).astype(np.float32)
        x, y, z = (centre[:, None] + offset for centre, offset in zip(centres, around, strict=True))
        x /= z
        y /= z
        seen = np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0), np.float32)
        # Whole numbers, so that both sums are exact in 24 bits.
        square = np.einsum("ns,ns->n", seen, seen) - np.square(seen.sum(axis=1)) / np.float32(SIDE * SIDE)
        length = np.sqrt(np.maximum(square, 0)) + np.float32(1e-3)
        answer = np.einsum("nks,ns->nk", filters, seen).astype(np.float64) / length[:, None]
        likeness = answer[:, 0]
        step = answer[:, 1:] / np.maximum(likeness, 0.3)[:, None]
        np.clip(step, -_LONGEST_STEP_PX, _LONGEST_STEP_PX, out=step)
        return PatchLook(np.where(length > _FLAT, likeness, 0.0), step)

    def inside(self, pose: Pose, width: int, height: int) -> NDArray[np.bool_]:
        """Which patches lie whole within the frame at this pose."""
        x, y = move(pose, self.at).T
        inside: NDArray[np.bool_] = (x >= REACH) & (x <= width - 1 - REACH) & (y >= REACH) & (y <= height - 1 - REACH)
        return inside


def choose_patches(lumas: Sequence[Plane], still: Plane, forbidden: Plane) -> tuple[Patches, NDArray[np.float64]]:
    """The patches worth keeping of a view, and how much each resembles its surroundings (0..1, the lower the better).

    `lumas` are working-size frames a second or so apart, `still` is their temporal median, `forbidden` is 255 where a
    patch may not be centred. A patch is kept when it is the same in every frame, has contrast, and when nothing within
    RESEMBLANCE_REACH_PX of it could be taken for it.
    """
    reference = normalise(still)
    pictures = [normalise(luma) for luma in lumas]
    height, width = still.shape
    free = cv2.bitwise_not(forbidden)
    edge = REACH + 2
    free[:edge] = free[-edge:] = 0
    free[:, :edge] = free[:, -edge:] = 0
    found: list[tuple[int, float, int, int, int]] = []
    for cell in range(CELLS_ACROSS * CELLS_DOWN):
        row, column = divmod(cell, CELLS_ACROSS)
        rows = slice(row * height // CELLS_DOWN, (row + 1) * height // CELLS_DOWN)
        columns = slice(column * width // CELLS_ACROSS, (column + 1) * width // CELLS_ACROSS)
        here = np.zeros_like(free)
        here[rows, columns] = free[rows, columns]
        corners = cv2.goodFeaturesToTrack(reference, PER_CELL, 0.03, 5, mask=here, blockSize=5)
        rank = 0
        for x, y in () if corners is None else corners.reshape(-1, 2).astype(int):
            resemblance = _worth(reference, still, pictures, x, y)
            if resemblance is not None:
                found.append((rank, resemblance, x, y, cell))
                rank += 1
    found.sort()  # the best of every cell before the second best of any
    kept = found[:MOST_PATCHES]
    at = np.array([(x, y) for _, _, x, y, _ in kept], np.float64).reshape(-1, 2)
    templates = np.array([_square(reference, x, y).ravel() for _, _, x, y, _ in kept], np.uint8).reshape(-1, SIDE * SIDE)
    cells = np.array([cell for *_, cell in kept], np.intp)
    return Patches(at, templates, cells), np.array([resemblance for _, resemblance, *_ in kept], np.float64)


def _worth(reference: Plane, still: Plane, pictures: Sequence[Plane], x: int, y: int) -> float | None:
    """How much the patch at (x, y) resembles its surroundings, or None when it is not worth keeping."""
    if float(_square(still, x, y).std()) < LEAST_CONTRAST:
        return None
    template = _square(reference, x, y)
    if any(_correlate(_square(p, x, y), template)[0, 0] < LEAST_STABILITY for p in pictures):
        return None
    reach = REACH + RESEMBLANCE_REACH_PX
    top, left = max(0, y - reach), max(0, x - reach)
    around = _correlate(reference[top : y + reach + 1, left : x + reach + 1], template)
    own_row, own_column = y - REACH - top, x - REACH - left
    around[max(0, own_row - _SELF_PX) : own_row + _SELF_PX + 1, max(0, own_column - _SELF_PX) : own_column + _SELF_PX + 1] = -1
    resemblance = float(around.max())
    return resemblance if resemblance <= MOST_RESEMBLANCE else None


def _square(picture: Plane, x: int, y: int) -> Plane:
    return picture[y - REACH : y + REACH + 1, x - REACH : x + REACH + 1]


def _correlate(picture: Plane, template: Plane) -> NDArray[np.float32]:
    return np.asarray(cv2.matchTemplate(picture, np.ascontiguousarray(template), cv2.TM_CCOEFF_NORMED), np.float32)
