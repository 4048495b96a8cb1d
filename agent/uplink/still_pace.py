"""When a still may go: it is the largest thing on the line, and nothing that follows it on the one connection can overtake it.

At 64 kbit/s 25 kB take three seconds, and an alarm behind them waits as long. So stills go one at a time, and on a line that has
shown itself slow they are held back: one is tried again after ten minutes, then after twice as long each time, up to an hour.
What is held back stays in the outbox, whose bounds let the oldest stills go first.
"""

from __future__ import annotations

from typing import Final

from agent.base.clock import NS, Clock

SLOW_NS: Final = NS
"""What takes longer until it is acknowledged keeps an alarm waiting for longer than anybody should."""
_REST_NS: Final = 600 * NS
_REST_MOST_NS: Final = 3600 * NS


class StillPace:
    """One thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._out: tuple[int, int] | None = None
        self._rest_ns = _REST_NS
        self._rests_until_ns = 0

    @property
    def room(self) -> int:
        """How many may go now: none or one."""
        return int(self._out is None and self._clock.monotonic_ns() >= self._rests_until_ns)

    def launched(self, sequence: int) -> None:
        """One went out."""
        self._out = sequence, self._clock.monotonic_ns()

    def landed(self, sequence: int) -> None:
        """A row was answered; whether it was the still shows its number."""
        if self._out is not None and self._out[0] == sequence:
            self._judge()

    def broke(self) -> None:
        """The connection is gone. A still that was out for long may have been what it broke under."""
        if self._out is not None:
            self._judge()

    def _judge(self) -> None:
        now_ns = self._clock.monotonic_ns()
        took_ns = now_ns - (self._out[1] if self._out is not None else now_ns)
        self._out = None
        if took_ns <= SLOW_NS:
            self._rest_ns = _REST_NS
            return
        self._rests_until_ns = now_ns + self._rest_ns
        self._rest_ns = min(2 * self._rest_ns, _REST_MOST_NS)
