"""How like a patch every place of a frame is, for many patches of one frame: what they have in common is worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

_MID = 128.0
_LEAST_SPREAD = 1.0
"""Standard deviation, in grey levels, below which a place is flat and like nothing."""


def likeness_maps(picture: Plane, templates: Iterable[Plane]) -> Iterator[NDArray[np.float32]]:
    """The normalised correlation, -1 to 1, of each square template with every place it fits; [0, 0] is the upper left place.

    All templates of one odd side. The same as OpenCV's `TM_CCOEFF_NORMED` within 2e-4, in half of its time.
    """
    height, width = picture.shape
    spectrum: NDArray[np.float32] | None = None
    padded = np.zeros((cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)), np.float32)
    gain = np.empty((0, 0), np.float32)
    for template in templates:
        side = template.shape[0]
        if spectrum is None:
            padded[:height, :width] = picture
            padded[:height, :width] -= np.float32(_MID)
            gain = _gain(padded[:height, :width], side)
            spectrum = np.asarray(cv2.dft(padded), np.float32)
            padded[:] = 0
        unit = template.astype(np.float32) - np.float32(template.mean())
        padded[:side, :side] = unit / np.float32(max(1e-6, float(np.sqrt(np.vdot(unit, unit)))))
        product = cv2.mulSpectrums(spectrum, cv2.dft(padded, nonzeroRows=side), 0, conjB=True)
        rows, columns = gain.shape
        everywhere = np.asarray(cv2.idft(product, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT, nonzeroRows=rows), np.float32)
        yield everywhere[:rows, :columns] * gain


def _gain(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """One over the length of the picture's square at every place, less its mean; 0 where that is flat."""
    reach, samples = side // 2, side * side
    sums = cv2.boxFilter(picture, cv2.CV_64F, (side, side), normalize=False)
    power = cv2.sqrBoxFilter(picture, cv2.CV_64F, (side, side), normalize=False) - sums * sums / samples
    inner = power[reach:-reach, reach:-reach]
    flat = inner < samples * _LEAST_SPREAD**2
    return np.where(flat, 0.0, 1 / np.sqrt(np.maximum(inner, 1.0))).astype(np.float32)
