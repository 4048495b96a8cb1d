"""A picture exposed partly before and partly after a movement shows everything twice, one time more faintly.

When the stronger image still lies where it was, every patch confirms and only fades a little, as it would under another
light. What is left after taking the expected picture away tells the two apart: a second image is a displaced copy of it.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.video.picture import Plane
from agent.video.pose import Pose

AT_HOME_PX = 3.5
"""A copy displaced by less is a change of focus or light, and the masks' margin covers it."""
FAINTEST = 0.1
_MID = 128.0


def shows_twice(before: Plane, now: Plane, moved: Pose) -> bool:
    """Whether `now` is `before`, moved by a pose, and more faintly another copy of it. Normalised pictures; about 3 ms."""
    height, width = before.shape
    before = np.asarray(cv2.warpPerspective(before, moved, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    expected = before.astype(np.float32) - np.float32(_MID)
    seen = now.astype(np.float32) - np.float32(_MID)
    strength = float((seen * expected).sum() / max(1.0, float((expected * expected).sum())))
    left_over = seen - np.float32(strength) * expected
    (dx, dy), response = cv2.phaseCorrelate(expected, left_over, _window(*before.shape))
    return response > FAINTEST and dx * dx + dy * dy > AT_HOME_PX**2


@lru_cache(maxsize=4)
def _window(height: int, width: int) -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow((width, height), cv2.CV_32F), np.float32)
