"""Light or object: whether what changed is the same scene in another light, asked sample by sample.

Light changes the level and keeps the edges; an object covers edges and brings its own. Where nothing has edges neither can
be told. The same holds where samples are clipped, as long as the frame as a whole became lighter or darker; a white van in
an unchanged square is clipped as well, and is no lamp.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

ALIKE = 0.5
"""Correlation of the two frames around a sample from which on they show the same edges."""
OBJECT_SHARE = 0.3
"""Of a blot's samples that can tell: when so many say object, it is one. An object's rim mixes both."""
BRIGHTEST, DARKEST = 224, 24
"""Beyond these a sample may be clipped, by the sensor or by its encoding: its edges are gone, whatever it shows."""
FLAT = 2.0
"""Standard deviation below which there are no edges to compare, at the least; noise raises it."""
STRONG = 3.0
"""So many times as much contrast as there was, and as flat is, is no matter of light."""
_WINDOW = (9, 9)
_REACH = np.ones((9, 9), np.uint8)


class LightTest:
    """Compares one frame with the remembered scene. Both planes have the detector's shape."""

    def __init__(self, seen: Plane, scene: NDArray[np.float32], noise: float, *, level_changed: bool) -> None:
        """`noise`: standard deviation of the difference between two frames of a scene in which nothing moves.

        `level_changed`: the frame as a whole is lighter or darker than the scene.
        """
        now = seen.astype(np.float32)
        mean_now, mean_then = cv2.blur(now, _WINDOW), cv2.blur(scene, _WINDOW)
        deviation_now = np.sqrt(np.maximum(cv2.blur(now * now, _WINDOW) - mean_now * mean_now, 0.0))
        deviation_then = np.sqrt(np.maximum(cv2.blur(scene * scene, _WINDOW) - mean_then * mean_then, 0.0))
        together = cv2.blur(now * scene, _WINDOW) - mean_now * mean_then
        flat = max(FLAT, 2.0 * noise)
        edged = (deviation_now >= flat) & (deviation_then >= flat)
        alike = together >= ALIKE * deviation_now * deviation_then
        # Light makes edges weaker or stronger; only an object takes strong ones away, or brings them where there were none.
        strong = np.maximum(deviation_now, deviation_then) >= np.maximum(
            STRONG * flat, STRONG * np.minimum(deviation_now, deviation_then)
        )
        tells = edged | strong
        if level_changed:
            clipped = (seen >= BRIGHTEST) | (seen <= DARKEST) | (scene >= BRIGHTEST) | (scene <= DARKEST)
            tells &= cv2.dilate(clipped.astype(np.uint8), _REACH) == 0
        same = edged & alike
        self._says_light: NDArray[np.bool_] = tells & same
        self._says_object: NDArray[np.bool_] = tells & ~same

    def is_light(self, blot: NDArray[np.bool_]) -> bool:
        """Whether the samples of this blot, and those at its rim, show the scene in another light.

        A blot in which nothing can tell is light: an object has a rim, what fades in softly has none.
        """
        near = cv2.dilate(blot.astype(np.uint8), _REACH) != 0
        light, other = np.count_nonzero(self._says_light & near), np.count_nonzero(self._says_object & near)
        return bool(other <= OBJECT_SHARE * (light + other))
