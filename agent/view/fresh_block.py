"""Whether a solid part of the frame that had lain still is something else all at once: what a camera lays over its frame is.

Whatever moves through a scene comes in by its edge, a little of it on every frame, and light leaves the structure as it was.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

_ACROSS = 40
"""Blocks across the frame."""
_OTHER = 28
"""Mean difference of two normalised pictures over a block, each sample of them the mean of four: noise stays below 20, what is
replaced lies above 30."""
_AT_REST = 12
"""Pictures on which a block has not changed."""
_LONGEST_REST = 200
"""Counted no further."""
_WIDE, _TALL, _SOLID = 6, 3, 0.7
"""The smallest copy that is looked for fills such a part of the blocks; so much of it changes, the rest was as bare before."""


class FreshBlock:
    """One thread shows it every frame of one shape, in order. Some 0.03 ms each."""

    def __init__(self) -> None:
        self._before: Plane | None = None
        self._rest: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    def seen(self, picture: Plane) -> bool:
        """Whether such a part came with this frame (normalised, of the working size)."""
        height, width = picture.shape
        now = np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
        before, self._before = self._before, now
        blocks = (_ACROSS, max(_TALL, round(_ACROSS * height / width)))
        if before is None or before.shape != now.shape:
            self._rest = np.zeros(blocks[::-1], np.uint8)
            return False
        changed = cv2.resize(cv2.absdiff(now, before), blocks, interpolation=cv2.INTER_AREA) > _OTHER
        if not changed.any():
            self._rest += self._rest < _LONGEST_REST
            return False
        fresh = changed & (self._rest >= _AT_REST)
        self._rest += self._rest < _LONGEST_REST
        self._rest[changed] = 0
        if np.count_nonzero(fresh) < _SOLID * _WIDE * _TALL:
            return False
        return bool(cv2.boxFilter(fresh.astype(np.float32), cv2.CV_32F, (_WIDE, _TALL)).max() >= _SOLID)
