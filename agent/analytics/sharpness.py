"""How sharp the scene is, whatever the scene: the power of steps between neighbours against the same at an eighth of the size.

A sharp edge of height h has the power h^2 per sample of its length at every size; defocus by sigma samples leaves
h^2 / 3.5 sigma of it at full size and all of it at an eighth. So the ratio, times eight, is about 1 or more for a sharp
picture and falls to 0.15 with blur, for houses and trees alike. Noise would fake fine steps: the scene is averaged over
time, and the power that is left of the noise, which the average's distance from each frame tells, is taken off.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.video.picture import Plane

FACTOR = 8
AVERAGED = 0.2
"""Weight of the newest frame in the average."""
LEAVES_NOISE = AVERAGED / (2 - AVERAGED)
"""Of the noise's power, what is left in the average."""
LEAST_POWER = 6.0
"""Coarse power below which a scene has no edges to judge by: fog, a wall, a covered lens."""
LEAST_PAIRS = 500


class Sharpness:
    """The running measure; a few frames a second are enough. One thread calls it."""

    def __init__(self) -> None:
        self._average: NDArray[np.float32] | None = None

    def measure(self, luma: Plane, visible: Plane) -> float | None:
        """Take one luma with what is visible of it (not 0); None when the scene has too little contrast to tell."""
        if self._average is None or self._average.shape != luma.shape:
            self._average = luma.astype(np.float32)
            return None
        away = cv2.absdiff(luma.astype(np.float32), self._average)
        cv2.accumulateWeighted(luma, self._average, AVERAGED)
        seen = away[::4, ::4][visible[::4, ::4] != 0]
        if seen.size == 0:
            return None
        noise_power = (1.48 * float(np.median(seen))) ** 2 * LEAVES_NOISE
        rows, columns = luma.shape
        size = max(2, columns // FACTOR), max(2, rows // FACTOR)
        coarse = np.asarray(cv2.resize(self._average, size, interpolation=cv2.INTER_AREA), np.float32)
        whole = np.asarray(cv2.resize((visible != 0).astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 1.0, np.uint8)
        fine_power = _step_power(self._average, visible)
        coarse_power = _step_power(coarse, whole)
        if fine_power is None or coarse_power is None:
            return None
        coarse_power -= 2 * noise_power / FACTOR**2
        if coarse_power < LEAST_POWER:
            return None
        return max(0.0, fine_power - 2 * noise_power) * FACTOR / coarse_power


def _step_power(luma: NDArray[np.float32], visible: Plane) -> float | None:
    """Mean square of the step from each visible sample to its right neighbour; None when too few are visible."""
    both = cv2.bitwise_and(visible[:, 1:], visible[:, :-1])
    pairs = cv2.countNonZero(both)
    if pairs * FACTOR**2 < LEAST_PAIRS:
        return None
    step = cv2.subtract(luma[:, 1:], luma[:, :-1])
    return float(cv2.mean(cv2.multiply(step, step), both)[0])
