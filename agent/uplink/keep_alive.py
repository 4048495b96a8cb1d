"""How often a session says that it is there: as configured, and oftener on a line that forgets it while it is quiet."""

from __future__ import annotations

from typing import Final

from agent.base.clock import NS, Clock

BREAKS: Final = 2
"""So many in a row, each after the line had been quiet, and the session says more."""
LEAST_S: Final = 15
_QUIET: Final = 0.9
"""Of the keep-alive: a connection that lived less died of something else."""
_LONG: Final = 10
"""Times the keep-alive: a connection that lived so long was not forgotten by anybody."""
_MILD_NS: Final = 24 * 3600 * NS
"""After a day without a break the line is tried with twice as much again."""


class KeepAlive:
    """One thread. `seconds` goes into the next CONNECT.

    A mobile network forgets a TCP connection that was quiet for some minutes, and says nothing: the next word is lost, and the
    session ends unanswered. That costs a reconnection each time; to speak twice as often costs a hundred bytes.
    """

    def __init__(self, configured_s: int, clock: Clock) -> None:
        self.seconds = configured_s
        self._configured_s = configured_s
        self._clock = clock
        self._breaks = 0

    def lost(self, opened_ns: int, *, silently: bool) -> None:
        """A connection that stood since `opened_ns` is gone; `silently`: nobody ended it, it was just not answered any more."""
        lived_ns = self._clock.monotonic_ns() - opened_ns
        if lived_ns > _MILD_NS:
            self.seconds = min(self._configured_s, 2 * self.seconds)
        if lived_ns > _LONG * self.seconds * NS:
            self._breaks = 0
        if not silently or lived_ns < _QUIET * self.seconds * NS:
            return
        self._breaks += 1
        if self._breaks >= BREAKS and self.seconds > LEAST_S:
            self.seconds = max(LEAST_S, self.seconds // 2)
            self._breaks = 0
