"""The frame within itself: a camera may lay its own frame, small, into a corner of it, and shows every private space twice.

No pose explains such a copy and no mask lies on it. It is the very frame, so that it is found without any memory of the view:
the frame, made smaller, is looked for in itself, coarsely, and then closely where it may be. That takes too long for a
frame, and runs on a thread that ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.phrase import say
from agent.picture.planes import Plane
from agent.view.fresh_block import FreshBlock
from agent.view.local_contrast import normalise

MAYBE = 0.5
"""Normalised correlation of the coarse look from which a place is looked at closely: with a copy none stayed below 0.57. Equal
windows of a front reach 0.71 there, where they are blurs."""
LIKE = 0.48
"""The same of the close look, from which it is a copy: thirteen views without one reached 0.37, rows of equal windows that no
view can be known by 0.48, and with one none stayed below 0.52."""
LIKE_LAID_OVER, ABOVE_USUAL = 0.4, 0.05
"""The same where something was laid over the frame at once, or a copy lay on the frame before, and so much more than the
frame is like itself at rest: a web before the lens takes from the likeness of a copy, and left 0.42 of it."""
ITSELF = say("the picture shows itself a second time, small")
LOOKED_AT = say("much of the picture changed at once, and is being looked at")
_ACROSS, _ACROSS_CLOSE = 160, 480
_LEAST, _MOST, _STEP = 0.19, 0.62, 1.05
"""Shares of the width between which a copy is looked for."""
_CLOSELY = 2
"""So many of the likest places are looked at closely."""
_SHARES_CLOSE = np.arange(0.96, 1.041, 0.01)
_AROUND = 0.02
_LEAST_SILENT = 0.02
"""Of the known area: the least that a copy hides."""
_EVERY, _EVERY_IN_DOUBT = 50, 12
"""Pictures from one search to the next: while so much is silent; while it went just now, or a copy was found."""
_AT_ONCE = 0.08
"""Of what is expected: so much gone from one frame to the next is no walker and no car, and is looked at before it is shown,"""
_AT_REST = 12
"""where for so many frames nothing stirred and nothing was gone: a knock takes as much, and a view half seen flickers."""
_LAID_OVER = 0.01
"""The same where a solid part of the frame that lay still is something else (`fresh_block.py`). With less, nothing known lies
under it, and the frame is shown while it is looked at."""
_STAYS_IN_DOUBT = 100
"""Frames on which what was laid over at once is looked for again: a camera that calms its noise shows it block by block."""
_PATIENCE = 25
"""Pictures that such a look is waited for, should it fail."""


class _Place(Struct, frozen=True, order=True):
    """Where a copy may lie: of so much of the width, its upper left corner in fractions of the frame."""

    like: float
    share: float
    left: float
    top: float


def copy_likeness(luma: Plane) -> float:
    """How like the frame itself the likest smaller part of it is, upright and whole; 0 where nothing is.

    Luma of any size; some 30 ms, 60 where one may be.
    """
    return max((_closely(luma, place) for place in _places(luma) if place.like > MAYBE), default=0.0)


def _places(luma: Plane) -> list[_Place]:
    """The likest places, the likest first."""
    height, picture = _ground(luma, _ACROSS)
    found: list[_Place] = []
    share = _LEAST
    while share < _MOST:
        likeness = _likeness(picture, luma, (round(_ACROSS * share), round(height * share)))
        _, like, _, (x, y) = cv2.minMaxLoc(likeness)
        found.append(_Place(like, share, x / _ACROSS, y / height))
        share *= _STEP
    return sorted(found, reverse=True)[:_CLOSELY]


def _closely(luma: Plane, place: _Place) -> float:
    """How like a copy at this place is, at the share of the width that fits best: details are told apart that looked alike."""
    height, picture = _ground(luma, _ACROSS_CLOSE)
    left, top = (max(0, int((at - _AROUND) * size)) for at, size in ((place.left, _ACROSS_CLOSE), (place.top, height)))
    most = 0.0
    for share in place.share * _SHARES_CLOSE:
        wide, tall = round(_ACROSS_CLOSE * share), round(height * share)
        right, bottom = left + wide + round(2 * _AROUND * _ACROSS_CLOSE), top + tall + round(2 * _AROUND * height)
        around = picture[top:bottom, left:right]
        if around.shape[0] >= tall and around.shape[1] >= wide:
            most = max(most, float(_likeness(around, luma, (wide, tall)).max()))
    return most


def _ground(luma: Plane, across: int) -> tuple[int, Plane]:
    """The frame brought to this width and normalised, and its height."""
    height = round(across * luma.shape[0] / luma.shape[1])
    return height, normalise(np.asarray(cv2.resize(luma, (across, height), interpolation=cv2.INTER_AREA), np.uint8))


def _likeness(picture: Plane, luma: Plane, size: tuple[int, int]) -> NDArray[np.float32]:
    """How like the luma, brought to this size, each place of the frame is."""
    small = normalise(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8))
    return np.asarray(cv2.matchTemplate(picture, small, cv2.TM_CCOEFF_NORMED), np.float32)


class CopySearch(Protocol):
    """Who looks for a copy. The guard's thread calls both; neither blocks."""

    def look_at(self, luma: Plane) -> bool:
        """Here is a frame (the plane may be reused on return). Whether it is looked at: not while another one is."""
        ...

    def answer(self) -> float | None:
        """How like a copy was on the last frame that was looked at; None when there is no answer since the last call."""
        ...


class CopySearchThread:
    """One frame at a time; frames that come meanwhile are not looked at."""

    def __init__(self, search: Callable[[Plane], float] = copy_likeness) -> None:
        self._search = search
        self._lock = threading.Lock()
        self._found: float | None = None
        self._busy = False

    def look_at(self, luma: Plane) -> bool:
        with self._lock:
            if self._busy:
                return False
            self._busy = True
        threading.Thread(target=self._look, args=(luma.copy(),), name="copy search", daemon=False).start()
        return True

    def answer(self) -> float | None:
        with self._lock:
            found, self._found = self._found, None
            return found

    def _look(self, luma: Plane) -> None:
        found: float | None = None
        try:
            found = self._search(luma)
        finally:
            with self._lock:
                self._found, self._busy = found, False


class CopyWatch:
    """When a copy is looked for: a part of the view that is silent may lie under the camera's own frame. One thread."""

    def __init__(self, search: CopySearch) -> None:
        self._search = search
        self._fresh = FreshBlock()
        self._found = False
        self._usual: float | None = None
        self._since = _EVERY
        self._gone = 0.0
        self._at_rest = 0
        self._asks = False
        self._waits = 0
        self._laid_over = 0

    def seen(self, luma: Plane, picture: Plane, silent: float, gone: float, *, still: bool = True) -> str:
        """Why a proved frame (`picture`: its luma as the guard sees it) must not be shown for it; empty when it may be.

        `silent`: of the known area; `gone`: of what was heard on the last frame shown; `still`: it lies where it lay.
        """
        found = self._search.answer()
        if found is not None:
            self._found = found > self._least_like()
            self._usual = found if self._usual is None and not (self._waits or self._laid_over) else self._usual
            self._waits = _PATIENCE if self._asks and self._waits else 0  # an answer before the question is of an older frame
        self._since += 1
        self._waits, self._laid_over = max(0, self._waits - 1), max(0, self._laid_over - 1)
        laid_over = self._fresh.seen(picture)
        at_once = gone - self._gone
        if still and ((at_once > _AT_ONCE and self._at_rest >= _AT_REST) or (at_once > _LAID_OVER and laid_over)):
            self._asks, self._waits = True, _PATIENCE
        elif still and laid_over and self._since >= _EVERY_IN_DOUBT:
            self._asks, self._laid_over = True, _STAYS_IN_DOUBT
        self._at_rest = self._at_rest + 1 if still and gone <= _LEAST_SILENT else 0
        self._gone = gone
        due = _EVERY_IN_DOUBT if gone > _LEAST_SILENT or self._found or self._laid_over else _EVERY
        unknown = self._usual is None and self._at_rest >= _AT_REST
        if self._asks or ((silent > _LEAST_SILENT or self._found or self._laid_over or unknown) and self._since >= due):
            self._since = 0
            if self._search.look_at(luma):
                self._asks = False
        return ITSELF if self._found else LOOKED_AT if self._waits else ""

    def _least_like(self) -> float:
        """From which likeness on a place is a copy now."""
        if self._usual is None or not (self._found or self._waits or self._laid_over):
            return LIKE
        return min(LIKE, max(LIKE_LAID_OVER, self._usual + ABOVE_USUAL))


class SteppedCopySearch:
    """Looks on the caller's thread and answers so many calls of `answer` later: where runs must repeat."""

    def __init__(self, delay_frames: int = 2) -> None:
        self._delay = delay_frames
        self._now = 0
        self._due: tuple[int, float] | None = None

    def look_at(self, luma: Plane) -> bool:
        if self._due is not None:
            return False
        self._due = self._now + self._delay, copy_likeness(luma)
        return True

    def answer(self) -> float | None:
        self._now += 1
        if self._due is None or self._now < self._due[0]:
            return None
        found, self._due = self._due[1], None
        return found
