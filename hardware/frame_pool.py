"""A few frame buffers that go round between a camera and the pipeline, so that a running camera allocates nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from agent.picture.planes import Planes

CAPACITY = 7
"""Frames under way at once: one being masked, one being encoded, a few queued between."""


class Lent(NamedTuple):
    """A buffer on loan: write `planes`, then hand both on; `give_back` ends the loan (once, any thread)."""

    planes: Planes
    give_back: Callable[[], None]


class FramePool:
    """At most `capacity` packed I420 buffers of one size, made when first needed.

    Why a copy at all: a decoder goes on reading the frames it handed out (they are references for later ones), and
    the mask writes in place. One copy into a buffer of our own keeps both right, at the price of a memcpy.
    """

    def __init__(self, width: int, height: int, capacity: int = CAPACITY) -> None:
        self._size = width, height
        self._free: list[Planes] = []
        self._unmade = capacity
        self._changed = threading.Condition()

    def take(self, timeout_s: float) -> Lent | None:
        """A free buffer, or None when none came back within `timeout_s`. Its samples are whatever was there before."""
        with self._changed:
            if not self._free and not self._unmade:
                self._changed.wait_for(lambda: bool(self._free), timeout_s)
            if self._free:
                planes = self._free.pop()
            elif self._unmade:
                self._unmade -= 1
                planes = Planes.empty(*self._size)
            else:
                return None
        return Lent(planes, lambda: self._give_back(planes))

    def _give_back(self, planes: Planes) -> None:
        with self._changed:
            self._free.append(planes)
            self._changed.notify()
