"""How far behind the far end of a line is, and whether one more frame would make it too late.

What was written and not acknowledged waits: in this process and in the kernel. A frame goes out while everything before it, and
itself, are likely to be across in `most_s`; else frames are dropped, keyframes too, up to a keyframe that fits again.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from agent.base.clock import NS

MOST_DELAY_S: Final = 2.0
GONE_S: Final = 10.0
"""A far end that takes nothing for so long, while something waits, is gone or stands still."""
MOST_WAITING: Final = 256 * 1024
"""Bytes that may wait while nobody knows yet how fast the line is."""
MOST_EVER: Final = 2 * 1024 * 1024
"""Bytes that may wait at all: two seconds at 8 Mbit/s."""
_KNOWN_AFTER_NS: Final = NS // 2
_REMEMBERED_NS: Final = 2 * NS


class Backlog:
    """One line. `now_ns` is monotonic; `waiting` is what the caller finds unacknowledged, in bytes. One thread."""

    def __init__(self, most_s: float = MOST_DELAY_S) -> None:
        self._most_s = most_s
        self._written = 0
        self._waiting = 0
        self._seen_ns = 0
        self._moved_ns = 0
        self._busy: deque[tuple[int, int]] = deque()  # how long something waited all the time, and what went across meanwhile
        self._busy_ns = self._crossed = 0
        self._skipping = True  # until the first keyframe
        self.delay_s = 0.0

    def look(self, waiting: int, now_ns: int) -> None:
        """So much waits now."""
        crossed = max(0, self._waiting - waiting)
        since_ns = now_ns - self._seen_ns
        if self._waiting and waiting and since_ns > 0:
            self._busy.append((since_ns, crossed))
            self._busy_ns += since_ns
            self._crossed += crossed
            while self._busy_ns - self._busy[0][0] > _REMEMBERED_NS:
                old_ns, old = self._busy.popleft()
                self._busy_ns -= old_ns
                self._crossed -= old
        if crossed or not waiting or not self._seen_ns:
            self._moved_ns = now_ns
        self._waiting, self._seen_ns = waiting, now_ns

    def admit(self, size: int, *, keyframe: bool) -> bool:
        """Whether a frame of `size` bytes goes out, after `look`. False: it is dropped, and so are others up to a keyframe."""
        if self._skipping and not keyframe:
            return False
        self._skipping = not self._fits(size)
        if not self._skipping:
            self._waiting += size
        return not self._skipping

    def is_stuck(self, now_ns: int) -> bool:
        """Whether the far end has taken nothing for as long as anybody waits for it."""
        return bool(self._waiting) and now_ns - self._moved_ns > GONE_S * NS

    def _fits(self, size: int) -> bool:
        if not self._waiting:
            self.delay_s = 0.0
            return True
        if self._busy_ns < _KNOWN_AFTER_NS:
            return self._waiting <= MOST_WAITING
        self.delay_s = (self._waiting + size) * self._busy_ns / (NS * max(1, self._crossed))
        return self.delay_s <= self._most_s and self._waiting <= MOST_EVER
