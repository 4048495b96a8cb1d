"""The picture as the view guard sees it: small, and freed of light by local contrast.

Everything the guard measures is in pixels of this working picture, `WORKING_WIDTH` wide. Points are pixel indices: the
centre of the top left pixel is (0, 0), and a fraction f of the width lies at f * width - 0.5.
"""

from __future__ import annotations

import cv2
import numpy as np

from agent.video.picture import Plane

WORKING_WIDTH = 320
NEIGHBOURHOOD_PX = 15
"""Side of the square over which mean and contrast are taken; a normalised sample depends on nothing beyond half of it."""
_NOISE_FLOOR = 3.0
_CONTRAST = 50.0
_MID = 128.0


def working_picture(luma: Plane) -> Plane:
    """The luma of a whole picture, any size, brought to the working size (aspect kept to a pixel) and normalised."""
    return normalise(reduce(luma))


def reduce(luma: Plane) -> Plane:
    """The luma at the working size, as it is."""
    height, width = luma.shape
    wanted = (WORKING_WIDTH, working_height(width, height))
    if (width, height) == wanted:
        return luma
    return np.asarray(cv2.resize(luma, wanted, interpolation=cv2.INTER_AREA), np.uint8)


def working_height(width: int, height: int) -> int:
    """Rows of the working picture for a picture of this shape."""
    return max(16, round(WORKING_WIDTH * height / width))


def normalise(luma: Plane, neighbourhood_px: int = NEIGHBOURHOOD_PX) -> Plane:
    """Subtract the local mean and divide by the local contrast: lamps, clouds and exposure steps leave little trace."""
    side = (neighbourhood_px, neighbourhood_px)
    above = luma.astype(np.float32)
    above -= np.asarray(cv2.boxFilter(above, -1, side), np.float32)
    spread = np.asarray(cv2.sqrt(cv2.sqrBoxFilter(above, cv2.CV_32F, side)), np.float32)
    spread += np.float32(_NOISE_FLOOR)
    above /= spread
    above *= np.float32(_CONTRAST)
    above += np.float32(_MID)
    np.maximum(above, 0, out=above)
    return np.asarray(cv2.convertScaleAbs(above), np.uint8)
