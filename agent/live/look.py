"""One viewer's look: frames of the broadcast for as long as its lease lasts, and its end in the register."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from agent.base.clock import NS, Clock, rfc3339
from agent.base.phrase import say
from agent.base.queues import Closed
from agent.journal.entry import Act, Fact, Journal
from agent.live.keyframes import KeyframeOnDemand
from agent.live.lease import LeaseInForce
from agent.picture.access_unit import VideoFormat
from agent.ports.live import LiveFrame, LookRefused, NoEntry, Rendition
from agent.stream.broadcast import BroadcastReader, Closing


class LeasedLook:
    """Implements agent.ports.live.Look. `entered`: the facts of its beginning, as they stand in the register."""

    def __init__(
        self,
        lease: LeaseInForce,
        entered: dict[str, Fact],
        reader: BroadcastReader,
        format: VideoFormat,
        rendition: Rendition,
        keyframes: KeyframeOnDemand,
        journal: Journal,
        clock: Clock,
        gone: Callable[[], None],
    ) -> None:
        self.format = format
        self.rendition = rendition
        self._lease = lease
        self._entered = entered
        self._reader = reader
        self._keyframes = keyframes
        self._journal = journal
        self._clock = clock
        self._gone = gone
        self._lock = threading.Lock()
        self._closed = ""
        self._calls: list[Callable[[], None]] = []
        self._first_ns: int | None = None

    @property
    def by(self) -> str:
        """Who looks, as the register names them."""
        return self._lease.terms.holder.by

    @property
    def over(self) -> str:
        """See Look."""
        return self._closed or self._lease.over

    def get(self, timeout_s: float) -> LiveFrame | None:
        """See Look. What waits in the reader when the lease ends is never given out."""
        try:
            item = self._reader.get(timeout_s)
        except Closed:
            item = None
        if why := self._closed or self._lease.over:  # asked last: the lease may have ended while this waited
            raise LookRefused(NoEntry.UNKNOWN, say("the lease is over: {why}", why=why))
        if item is None:
            return None
        if self._first_ns is None:
            self._first_ns = self._clock.monotonic_ns()
        if isinstance(item, Closing):
            return LiveFrame(item.unit, closing=True)
        return LiveFrame(item.unit, item.missed)

    def on_frame(self, call: Callable[[], None]) -> None:
        """See Look."""
        self._reader.on_item(call)

    def request_keyframe(self) -> None:
        """See Look."""
        if not self.over:
            self._keyframes.request()

    def on_over(self, call: Callable[[], None]) -> None:
        """See Look. It must neither block nor raise."""
        with self._lock:
            if not self._closed:
                self._calls.append(call)
                return
        call()

    def close(self, why: str) -> None:
        """See Look. Where the lease is over, that is why, whatever its viewer's connection made of it."""
        self._leave(self._lease.over or why)

    def end(self, why: str) -> None:
        """The lease is over: no further frame, and whoever serves this look hears of it."""
        for call in self._leave(why):
            call()

    def _leave(self, why: str) -> list[Callable[[], None]]:
        with self._lock:
            if self._closed:
                return []
            self._closed = why or "left"
            calls, self._calls = self._calls, []
        self._reader.close()
        self._lease.left(self)
        self._gone()
        now_ns = self._clock.monotonic_ns()
        seconds = round((now_ns - (now_ns if self._first_ns is None else self._first_ns)) / NS, 1)
        end: dict[str, Fact] = {"seconds": seconds, "why": self._closed, "ended": rfc3339(self._clock.wall_ns())}
        self._journal.enter(Act.LIVE_ENDED, self.by, {**self._entered, **end})
        return calls

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close("the connection ended" if error[:1] in ((), (None,)) else "the connection failed")
