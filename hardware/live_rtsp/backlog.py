"""How far behind the far end of a line is, and whether one more frame would make it too late.

What was written and not acknowledged waits: in this process and in the kernel. While the oldest of it is young the line keeps up,
however far away: a still scene's one big keyframe is no jam. A jam shows how fast the line is; from then on a frame goes
out only if everything before it, and itself, are likely to be across in `most_s`; else frames are dropped, keyframes too, up to a
keyframe that fits again.
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
YOUNG_S: Final = 0.5
_KNOWN_AFTER_NS: Final = NS // 2
_REMEMBERED_NS: Final = 2 * NS


class Backlog:
    """One line. `now_ns` is monotonic; `waiting` is what the caller finds unacknowledged, in bytes. One thread."""

    def __init__(self, most_s: float = MOST_DELAY_S) -> None:
        self._most_s = most_s
        self._written = 0
        self._on_its_way: deque[tuple[int, int]] = deque()  # where each frame ends in all that was written, and when it was
        self._waiting = 0
        self._seen_ns = 0
        self._moved_ns = 0
        self._jam: deque[tuple[int, int]] = deque()  # how long the line was jammed, and what went across meanwhile
        self._jam_ns = self._crossed = 0
        self._skipping = True  # until the first keyframe
        self.delay_s = 0.0

    def look(self, waiting: int, now_ns: int) -> None:
        """So much waits now."""
        if not waiting:  # as it is nearly always
            self._on_its_way.clear()
            self._waiting, self._seen_ns, self._moved_ns = 0, now_ns, now_ns
            return
        crossed = max(0, self._waiting - waiting)
        since_ns = now_ns - self._seen_ns
        if self._waiting and since_ns > 0:
            self._learn(crossed, since_ns)
        if crossed or not self._seen_ns:
            self._moved_ns = now_ns
        while self._on_its_way and self._on_its_way[0][0] <= self._written - waiting:
            self._on_its_way.popleft()
        self._waiting, self._seen_ns = waiting, now_ns

    def _learn(self, crossed: int, since_ns: int) -> None:
        """How fast the line is shows only while it is jammed; that it is faster than that, whenever it is."""
        if self._is_jammed:
            self._jam.append((since_ns, crossed))
            self._jam_ns += since_ns
            self._crossed += crossed
            while self._jam_ns - self._jam[0][0] > _REMEMBERED_NS:
                old_ns, old = self._jam.popleft()
                self._jam_ns -= old_ns
                self._crossed -= old
        elif crossed * self._jam_ns > 2 * self._crossed * since_ns:
            self._jam.clear()
            self._jam_ns = self._crossed = 0

    @property
    def _is_jammed(self) -> bool:
        return bool(self._on_its_way) and self._seen_ns - self._on_its_way[0][1] >= YOUNG_S * NS

    def admit(self, size: int, *, keyframe: bool, late_s: float = 0.0) -> bool:
        """Whether a frame of `size` bytes, `late_s` old by now, goes out, after `look`.

        False: it is dropped, and so are others up to a keyframe.
        """
        if self._skipping and not keyframe:
            return False
        self._skipping = not self._fits(size, late_s)
        if not self._skipping:
            self._waiting += size
            self._written += size
            self._on_its_way.append((self._written, self._seen_ns))
        return not self._skipping

    def is_stuck(self, now_ns: int) -> bool:
        """Whether the far end has taken nothing for as long as anybody waits for it."""
        return bool(self._waiting) and now_ns - self._moved_ns > GONE_S * NS

    def _fits(self, size: int, late_s: float) -> bool:
        self.delay_s = late_s
        if not self._waiting:
            return late_s <= self._most_s
        if self._jam_ns < _KNOWN_AFTER_NS:
            return late_s <= self._most_s and self._waiting <= MOST_WAITING
        self.delay_s += (self._waiting + size) * self._jam_ns / (NS * max(1, self._crossed))
        return self.delay_s <= self._most_s and self._waiting <= MOST_EVER
