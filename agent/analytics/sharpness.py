"""How sharp the scene is, whatever the scene: the power of steps along rows against the same at an eighth of the width.

A sharp edge of height h has the power h^2 in a row at every width; defocus by sigma samples leaves h^2 / 3.5 sigma of it
at full width and nearly all at an eighth. So the ratio, per edge, is about 1 or more for a sharp frame and falls to
0.15 with blur, for houses and trees alike. Noise would fake fine steps: the scene is averaged over time, and the power
that is left of the noise, which the average's distance from each frame tells, is taken off.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

FACTOR = 8
EVERY_ROW = 4
"""Only every fourth row is looked at: edges are long."""
AVERAGED = 0.35
"""Weight of the newest frame in the average."""
LEAVES_NOISE = AVERAGED / (2 - AVERAGED)
"""Of the noise's power, what is left in the average."""
MOST_NOISE = 15.0
"""Levels; more is another scene or another light, and the average begins anew."""
SETTLES_AFTER = 4
"""Looks after which the average's noise is what the formula says."""
LEAST_POWER = 6.0
"""Coarse power below which a scene has no edges to judge by: fog, a wall, a covered lens."""
LEAST_PAIRS = 50


class Sharpness:
    """The running measure; a few frames a second are enough. One thread calls it."""

    def __init__(self) -> None:
        self._average: NDArray[np.float32] | None = None
        """Of the rows that are looked at."""
        self._looks = 0

    def measure(self, luma: Plane, visible: Plane) -> float | None:
        """Take one luma with what is visible of it (not 0); None when the scene has too little contrast to tell."""
        columns = luma.shape[1] // FACTOR * FACTOR
        level, visible = luma[::EVERY_ROW, :columns].astype(np.float32), visible[::EVERY_ROW, :columns]
        if self._average is None or self._average.shape != level.shape:
            self._average, self._looks = level, 0
            return None
        away = cv2.absdiff(level, self._average)
        seen = away[:, ::4][visible[:, ::4] != 0]
        if seen.size == 0:
            return None
        noise = 1.48 * middle(seen)
        if noise > MOST_NOISE:
            self._average, self._looks = level, 0
            return None
        cv2.accumulateWeighted(level, self._average, AVERAGED)
        self._looks += 1
        if self._looks < SETTLES_AFTER:
            return None
        noise_power = noise**2 * (1 - AVERAGED / 2) * LEAVES_NOISE
        size = columns // FACTOR, level.shape[0]
        coarse = np.asarray(cv2.resize(self._average, size, interpolation=cv2.INTER_AREA), np.float32)
        shown = cv2.threshold(visible, 0, 255, cv2.THRESH_BINARY)[1]
        whole = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA) == 255, np.uint8)
        fine_power = _step_power(self._average, visible)
        coarse_power = _step_power(coarse, whole)
        if fine_power is None or coarse_power is None:
            return None
        coarse_power -= 2 * noise_power / FACTOR
        if coarse_power < LEAST_POWER:
            return None
        return max(0.0, fine_power - 2 * noise_power) * FACTOR / coarse_power


def _step_power(luma: NDArray[np.float32], visible: Plane) -> float | None:
    """Mean square of the step from each visible sample to its right neighbour; None when too few are visible."""
    both = cv2.bitwise_and(visible[:, 1:], visible[:, :-1])
    pairs = cv2.countNonZero(both)
    if pairs < LEAST_PAIRS:
        return None
    step = cv2.subtract(luma[:, 1:], luma[:, :-1])
    return float(cv2.mean(cv2.multiply(step, step), both)[0])


def middle(values: NDArray[np.float32] | Plane) -> float:
    """The median (the upper one) of at least one value; numpy's own loads a fiftieth of a second of modules first."""
    half = values.size // 2
    return float(np.partition(values, half, axis=None)[half])
