"""Between the encoder's thread and the recorder: a queue that never blocks, and loses frames only together with a word."""

from __future__ import annotations

import threading
from typing import Final

from msgspec import Struct

from agent.base.queues import BoundedQueue
from agent.picture.access_unit import AccessUnit
from agent.recording.tally import RecordingTally
from agent.signing.signed_unit import closing_unit

_ITEMS_A_FRAME: Final = 3
"""Closing units take no frame's room; no more than two of them follow one frame."""


class Item(Struct, frozen=True):
    """A frame, or the closing signature for the frame before it."""

    unit: AccessUnit
    closing: bool = False
    broken: bool = False  # frames were lost before this one


class Intake:
    """Holds up to `frames`. Full, it refuses frames until the next keyframe that finds room.

    The signature over the last frames it took may come with one it refuses: it is kept all the same, as a closing unit.
    `offer` is called by one thread at a time, `get` by the recorder's.
    """

    def __init__(self, frames: int, tally: RecordingTally) -> None:
        self._frames = frames
        self._tally = tally
        self._queue: BoundedQueue[Item] = BoundedQueue(_ITEMS_A_FRAME * frames)
        self._offering = threading.Lock()
        self._skipping = False
        self._owed: AccessUnit | None = None  # the last frame taken, while the signature over its GOP is still to come
        self._last: AccessUnit | None = None

    def offer(self, unit: AccessUnit) -> tuple[bool, bool]:
        """Was the unit taken? And is this the first that was not? Never blocks."""
        with self._offering:
            full = self._tally.count().queued >= self._frames
            waits = self._skipping and not unit.keyframe
            refused = full or waits or not self._queue.offer(Item(unit, broken=self._skipping))
            self._tally.offered(refused=refused)
            first, self._skipping = refused and not self._skipping, refused
            if first:
                self._owed = self._last
            if not refused:
                self._last, self._owed = unit, None
            elif self._owed is not None and (closing := closing_unit(self._owed, unit)) is not None:
                self._offer_closing(closing)
            return not refused, first

    def offer_closing(self, closing: AccessUnit) -> bool:
        """Was the closing signature taken? It speaks for the frames up to the last one. Never blocks."""
        with self._offering:
            return self._offer_closing(closing)

    def get(self, timeout_s: float) -> Item | None:
        """The oldest item; None when there is none within `timeout_s`. Raises Closed once closed and empty."""
        return self._queue.get(timeout_s)

    def close(self) -> None:
        """Refuse what comes; what is there can still be taken."""
        self._queue.close()

    def _offer_closing(self, closing: AccessUnit) -> bool:
        if self._skipping and self._owed is None:
            return False  # it speaks for nothing but frames that were refused
        self._owed = None
        return self._queue.offer(Item(closing, closing=True))
