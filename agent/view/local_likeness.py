"""How alike two frames are around every sample: normalised correlation over a small square, for the whole frame at once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.patches import LEAST_CONTRAST, SIDE

_FLAT = 4.0
"""Standard deviation of a normalised picture below which there is nothing to compare."""


def local_likeness(a: Plane, b: Plane, side: int = SIDE) -> NDArray[np.float32]:
    """-1 to 1 for every sample, 0 where either is flat; over squares of the size of a patch."""
    fa, fb = a.astype(np.float32), b.astype(np.float32)
    mean_a, mean_b = _mean(fa, side), _mean(fb, side)
    variance_a = np.maximum(_mean(fa * fa, side) - mean_a**2, 0)
    variance_b = np.maximum(_mean(fb * fb, side) - mean_b**2, 0)
    together = _mean(fa * fb, side) - mean_a * mean_b
    flat = (variance_a < _FLAT**2) | (variance_b < _FLAT**2)
    return np.where(flat, np.float32(0), together / np.sqrt(np.maximum(variance_a * variance_b, 1e-6))).astype(np.float32)


def textured(luma: Plane, normalised: Plane, side: int = SIDE) -> NDArray[np.bool_]:
    """Where a square of the size of a patch holds enough contrast to be one."""
    return np.asarray((_spread(luma, side) >= LEAST_CONTRAST) & (_spread(normalised, side) >= _FLAT), np.bool_)


def _mean(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(picture, cv2.CV_32F, (side, side)), np.float32)


def _spread(picture: Plane, side: int) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    return np.asarray(np.sqrt(np.maximum(_mean(values * values, side) - _mean(values, side) ** 2, 0)), np.float32)
