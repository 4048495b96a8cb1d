"""A clock that tests turn."""

from __future__ import annotations

import threading

from agent.base.clock import NS, ClockQuality


class TurnedClock:
    """Time passes only where somebody waits, and then at once."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * NS
        self.wall_offset_ns = 1_790_000_000 * NS
        self.waits_s: list[float] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns + self.wall_offset_ns

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCHRONISED

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.waits_s.append(timeout_s)
        if not event.is_set():
            self.now_ns += round(timeout_s * NS)
        return event.is_set()
