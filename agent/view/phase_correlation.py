"""What two frames have in common when one is displaced against the other: found at once over the whole frame.

A frame exposed partly before and partly after a movement shows everything twice, one time more faintly. When the
stronger image still lies where it was, every patch confirms and only fades a little, as it would under another light.
What is left after taking the expected frame away tells the two apart: a second image is a displaced copy of it, and makes
a peak of its own. Rows that were read a pixel or two off leave edges, which correlate as well, and the more the nearer to
home: a slope, and no peak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.pose import Pose

AT_HOME_PX = 2.5
"""A copy displaced by less is a change of focus or light, and the masks' margin covers it."""
NEXT_TO_HOME_PX = 3.5
"""Up to here a peak has to be twice as clear: light that goes leaves small ones, and a second image a large one."""
CLEAREST_BY_CHANCE = 17.0
"""In standard deviations of the correlation surface: what no frame without a second image reaches."""
_PEAK_PX = 1.0
_KNOWN_PX = 4
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_MID = np.float32(128)


def prepare(height: int, width: int) -> None:
    """Make the tables for frames of this size now, so that the first knock does not wait for them."""
    overall_shift(blank := np.zeros((height, width), np.uint8), blank)
    find_second_image(blank, blank, np.eye(3))


class SecondImage(Struct, frozen=True):
    """The clearest copy of one frame in what another shows besides it.

    `clear`: in standard deviations of the correlation surface. `across_px`, `down_px`: how far it is displaced.
    """

    clear: float
    across_px: int
    down_px: int

    @property
    def off_px(self) -> float:
        """How far from the first image."""
        return math.hypot(self.across_px, self.down_px)

    def apart_px(self, other: SecondImage) -> float:
        """How far from another one's place."""
        return math.hypot(self.across_px - other.across_px, self.down_px - other.down_px)


def shows_twice(before: Plane, now: Plane, moved: Pose, known: Sequence[tuple[float, float]] = ()) -> bool:
    """Whether `now` is `before`, moved by a pose, and more faintly another copy of it. Normalised frames; about 0.6 ms.

    `known`: displacements, across and down, at which a copy would be no news since masks lie there already.
    """
    return find_second_image(before, now, moved, known).clear > CLEAREST_BY_CHANCE


def find_second_image(before: Plane, now: Plane, moved: Pose, known: Sequence[tuple[float, float]] = ()) -> SecondImage:
    """How clearly, and where, a displaced copy of `before` stands out of what `now` shows besides it."""
    height, width = before.shape
    moved_on = cv2.warpPerspective(before, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
    expected, left_over = _windowed(np.asarray(moved_on, np.uint8)), _windowed(now)
    strength = float(np.vdot(left_over, expected)) / max(1.0, float(np.vdot(expected, expected)))
    left_over -= np.float32(strength) * expected
    cross = np.asarray(cv2.mulSpectrums(cv2.dft(left_over), cv2.dft(expected), 0, conjB=True), np.float32)
    surface = np.asarray(cv2.idft(_phases(cross), flags=cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE), np.float32)
    surface = np.asarray(cv2.GaussianBlur(surface, (0, 0), _PEAK_PX), np.float32)  # perspective spreads the peak
    around = cv2.dilate(cv2.copyMakeBorder(surface, 1, 1, 1, 1, cv2.BORDER_WRAP), _NEIGHBOURS)[1:-1, 1:-1]
    home = _at_home(height, width)
    peaks = (surface >= around) & ~home
    for across, down in known:
        rows = np.arange(round(down) - _KNOWN_PX, round(down) + _KNOWN_PX + 1) % height
        columns = np.arange(round(across) - _KNOWN_PX, round(across) + _KNOWN_PX + 1) % width
        peaks[np.ix_(rows, columns)] = False
    surface.reshape(-1)[_next_to_home(height, width)] *= np.float32(0.5)
    _, clearest, _, (x, y) = cv2.minMaxLoc(surface, peaks.view(np.uint8))
    surface[home] = 0
    spread = float(np.vdot(surface, surface)) / surface.size - float(surface.mean()) ** 2
    clear = max(0.0, clearest) / math.sqrt(max(spread, 1e-24))
    return SecondImage(clear, (x + width // 2) % width - width // 2, (y + height // 2) % height - height // 2)


def overall_shift(before: Plane, now: Plane) -> tuple[float, float]:
    """By how many pixels, across and down, the frame as a whole seems to have moved; a guess. About 0.1 ms."""
    height, width = before.shape
    half = (width // 2, height // 2)
    a, b = (cv2.resize(picture, half, interpolation=cv2.INTER_AREA).astype(np.float32) for picture in (before, now))
    (across, down), _ = cv2.phaseCorrelate(a, b, _window(half[1], half[0]))
    return across * width / half[0], down * height / half[1]


def _phases(spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every coefficient brought to length one, in place. The spectrum is OpenCV's packed one, of a frame of even width.

    Its first and last columns, packed in a way of their own, are what does not change across the frame, and what changes
    with every sample: they are left out.
    """
    spectrum[:, 0] = spectrum[:, -1] = 0
    real, imaginary = spectrum[:, 1:-1:2], spectrum[:, 2:-1:2]
    size = np.asarray(cv2.magnitude(np.ascontiguousarray(real), np.ascontiguousarray(imaginary)), np.float32)
    size += np.float32(1e-6)
    np.reciprocal(size, out=size)
    real *= size
    imaginary *= size
    return spectrum


def _windowed(picture: Plane) -> NDArray[np.float32]:
    """The frame about its middle grey, fading to nothing at the edges."""
    window = _window(*picture.shape)
    out = np.multiply(picture, window, dtype=np.float32)
    out -= _MID * window
    return out


@lru_cache(maxsize=4)
def _at_home(height: int, width: int) -> NDArray[np.bool_]:
    """Displacements of less than AT_HOME_PX."""
    return _displacements_px(height, width) <= AT_HOME_PX


@lru_cache(maxsize=4)
def _next_to_home(height: int, width: int) -> NDArray[np.intp]:
    """Displacements from there to NEXT_TO_HOME_PX: the few places, counted row by row."""
    return np.flatnonzero(~_at_home(height, width) & (_displacements_px(height, width) <= NEXT_TO_HOME_PX))


def _displacements_px(height: int, width: int) -> NDArray[np.float64]:
    """How far each place of the surface is from no displacement; the surface wraps round."""
    down, across = (np.minimum(np.arange(n), n - np.arange(n)) for n in (height, width))
    return np.hypot(down[:, None], across[None, :])


@lru_cache(maxsize=4)
def _window(height: int, width: int) -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow((width, height), cv2.CV_32F), np.float32)
