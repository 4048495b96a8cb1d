"""A clock that moves only when its owner moves it: a day passes in no time, and always the same way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from agent.base.clock import NS, ClockQuality

START = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class ManualClock:
    """Implements agent.base.clock.Clock. `advance` moves both times, `step_wall` sets the wall alone, as NTP does."""

    def __init__(self, start: datetime = START) -> None:
        self._moved = threading.Condition()
        self._monotonic_ns = 1_000 * NS
        self._wall_ns = int(start.timestamp()) * NS
        self.clock_quality = ClockQuality.SYNCHRONISED

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def wall_ns(self) -> int:
        return self._wall_ns

    def quality(self) -> ClockQuality:
        return self.clock_quality

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Until the event, or until somebody advanced the clock far enough."""
        end_ns = self._monotonic_ns + int(timeout_s * NS)
        with self._moved:
            while not event.is_set() and self._monotonic_ns < end_ns:
                self._moved.wait(0.005)  # the event is not ours to be notified by
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._moved:
            self._monotonic_ns += int(seconds * NS)
            self._wall_ns += int(seconds * NS)
            self._moved.notify_all()

    def step_wall(self, to: datetime) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._wall_ns = int(to.timestamp() * NS)
