"""The masked picture for the local page: made only while somebody looks, and every look is entered in the register."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.base.clock import NS, Clock
from agent.journal.entry import Act, Journal
from agent.mask.privacy_mask import MaskedFrame
from agent.stream.still import jpeg

EVERY_NS = NS // 10
"""Ten pictures a second are enough to see that all is well."""
WIDTH_PX = 960


class Preview:
    """The pipeline thread calls `show`; watchers wait for `next` on threads of their own."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal
        self._changed = threading.Condition()
        self._watchers = 0
        self._count = 0
        self._latest: bytes = b""
        self._made_ns = -EVERY_NS

    def show(self, frame: MaskedFrame) -> None:
        """Keep a JPEG of this picture if somebody looks and the last one is old enough."""
        now_ns = frame.time.monotonic_ns
        if not self._watchers or 0 <= now_ns - self._made_ns < EVERY_NS:
            return
        self._made_ns = now_ns
        picture = jpeg(frame, width=WIDTH_PX)
        with self._changed:
            if self._watchers:  # the last of them may have left meanwhile
                self._latest = picture
                self._count += 1
                self._changed.notify_all()

    def watch(self, by: str) -> Callable[[], None]:
        """Begin to look; returns what ends it. Both go to the register before a picture is made."""
        self._journal.enter(Act.LIVE_BEGUN, by, {"how": "local page"})
        with self._changed:
            self._watchers += 1
        began_ns = self._clock.monotonic_ns()

        def end() -> None:
            with self._changed:
                self._watchers -= 1
                if not self._watchers:
                    # Whoever comes next sees a picture under the masks of then, not the last one of now.
                    self._latest, self._count = b"", 0
                self._changed.notify_all()
            seconds = (self._clock.monotonic_ns() - began_ns) / NS
            self._journal.enter(Act.LIVE_ENDED, by, {"how": "local page", "seconds": round(seconds, 1)})

        return end

    def next(self, after: int, timeout_s: float) -> tuple[int, bytes] | None:
        """The number and JPEG of a picture newer than number `after`; None when none came in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._count > after, timeout_s):
                return None
            return self._count, self._latest
