"""The frame as the view guard sees it: small, and freed of light by local contrast.

Everything the guard measures is in pixels of this working picture, `WORKING_WIDTH` wide. Points are pixel indices: the
centre of the top left pixel is (0, 0), and a fraction f of the width lies at f * width - 0.5.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

WORKING_WIDTH = 320
NEIGHBOURHOOD_PX = 15
"""Side of the square over which mean and contrast are taken; a normalised sample depends on nothing beyond half of it."""
_NOISE_FLOOR = 3.0
_CONTRAST = 50.0
_MID = 128.0


def working_picture(luma: Plane) -> Plane:
    """The luma of a whole frame, any size, brought to the working size (aspect kept to a pixel) and normalised."""
    return normalise(reduce(luma))


def reduce(luma: Plane) -> Plane:
    """The luma at the working size, as it is."""
    height, width = luma.shape
    wanted = (WORKING_WIDTH, working_height(width, height))
    if (width, height) == wanted:
        return luma
    return np.asarray(cv2.resize(luma, wanted, interpolation=cv2.INTER_AREA), np.uint8)


def working_height(width: int, height: int) -> int:
    """Rows of the working picture for a frame of this shape."""
    return max(16, round(WORKING_WIDTH * height / width))


class Normaliser:
    """`normalise` over and over for frames of one shape, in memory of its own. One thread; each result is a new plane."""

    def __init__(self, neighbourhood_px: int = NEIGHBOURHOOD_PX) -> None:
        self._side = (neighbourhood_px, neighbourhood_px)
        self._above: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._scratch: NDArray[np.float32] = self._above

    def __call__(self, luma: Plane) -> Plane:
        if self._above.shape != luma.shape:
            self._above, self._scratch = (np.empty(luma.shape, np.float32) for _ in range(2))
        above, scratch = self._above, self._scratch
        cv2.boxFilter(luma, cv2.CV_32F, self._side, dst=scratch)
        cv2.subtract(luma, scratch, dst=above, dtype=cv2.CV_32F)
        cv2.sqrBoxFilter(above, cv2.CV_32F, self._side, dst=scratch)
        cv2.sqrt(scratch, dst=scratch)
        scratch += np.float32(_NOISE_FLOOR)
        # The middle is added before the division, which then rounds and stops at 0 and 255 by itself: three passes fewer.
        cv2.scaleAdd(scratch, _MID / _CONTRAST, above, dst=above)
        return np.asarray(cv2.divide(above, scratch, scale=_CONTRAST, dtype=cv2.CV_8U), np.uint8)


def normalise(luma: Plane, neighbourhood_px: int = NEIGHBOURHOOD_PX) -> Plane:
    """Subtract the local mean and divide by the local contrast: lamps, clouds and exposure steps leave little trace."""
    return Normaliser(neighbourhood_px)(luma)
