"""The picture within itself: a camera may lay its own picture, small, into a corner of it, and shows every private space twice.

No pose explains such a copy and no mask lies on it. It is the very picture, so that it is found without any memory of the view:
the picture, made smaller, is looked for in itself. That takes too long for a frame, and runs on a thread that ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from agent.picture.planes import Plane
from agent.view.local_contrast import normalise

LIKE = 0.58
"""Normalised correlation from which it is a copy: eleven views without one reached 0.50, with one none stayed below 0.63."""
_ACROSS = 240
_LEAST, _MOST, _STEP = 0.19, 0.62, 1.05
"""Shares of the width between which a copy is looked for."""


def shows_itself(luma: Plane) -> bool:
    """Whether a smaller copy of the picture lies in it, upright and whole. Luma of any size; some 60 ms."""
    height = round(_ACROSS * luma.shape[0] / luma.shape[1])
    picture = normalise(np.asarray(cv2.resize(luma, (_ACROSS, height), interpolation=cv2.INTER_AREA), np.uint8))
    share = _LEAST
    while share < _MOST:
        size = (round(_ACROSS * share), round(height * share))
        small = normalise(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8))
        if float(cv2.matchTemplate(picture, small, cv2.TM_CCOEFF_NORMED).max()) > LIKE:
            return True
        share *= _STEP
    return False


class CopySearch(Protocol):
    """Who looks for a copy. The guard's thread calls both; neither blocks."""

    def look_at(self, luma: Plane) -> None:
        """Here is a picture (the plane may be reused on return)."""
        ...

    def answer(self) -> bool | None:
        """Whether the last picture that was looked at shows itself; None when there is no answer since the last call."""
        ...


class CopySearchThread:
    """One picture at a time; pictures that come meanwhile are not looked at."""

    def __init__(self, search: Callable[[Plane], bool] = shows_itself) -> None:
        self._search = search
        self._lock = threading.Lock()
        self._found: bool | None = None
        self._busy = False

    def look_at(self, luma: Plane) -> None:
        with self._lock:
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._look, args=(luma.copy(),), name="copy search", daemon=False).start()

    def answer(self) -> bool | None:
        with self._lock:
            found, self._found = self._found, None
            return found

    def _look(self, luma: Plane) -> None:
        found: bool | None = None
        try:
            found = self._search(luma)
        finally:
            with self._lock:
                self._found, self._busy = found, False


class SteppedCopySearch:
    """Looks on the caller's thread and answers so many calls of `answer` later: where runs must repeat."""

    def __init__(self, delay_frames: int = 2) -> None:
        self._delay = delay_frames
        self._now = 0
        self._due: tuple[int, bool] | None = None

    def look_at(self, luma: Plane) -> None:
        if self._due is None:
            self._due = self._now + self._delay, shows_itself(luma)

    def answer(self) -> bool | None:
        self._now += 1
        if self._due is None or self._now < self._due[0]:
            return None
        found, self._due = self._due[1], None
        return found
