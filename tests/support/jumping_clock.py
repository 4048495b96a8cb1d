"""A clock that can be made to jump: a day passes in a minute, ten minutes while a broker is away."""

from __future__ import annotations

import threading

from agent.base.clock import NS, Clock, ClockQuality, SystemClock


class JumpingClock:
    """Real time plus what was skipped."""

    def __init__(self) -> None:
        self._real: Clock = SystemClock()
        self._skipped_ns = 0

    def skip(self, seconds: float) -> None:
        """Let time have passed."""
        self._skipped_ns += round(seconds * NS)

    def monotonic_ns(self) -> int:
        return self._real.monotonic_ns() + self._skipped_ns

    def wall_ns(self) -> int:
        return self._real.wall_ns() + self._skipped_ns

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCHRONISED

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return self._real.wait(event, timeout_s)
