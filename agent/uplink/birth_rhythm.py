"""When a node says again who is here: soon after it came online, then ever more seldom, up to a longest gap."""

from __future__ import annotations

from agent.base.clock import NS
from agent.uplink.pace import Pace


class BirthRhythm:
    """Monotonic nanoseconds. A will that comes late at the broker is contradicted within a gap."""

    def __init__(self, pace: Pace) -> None:
        self.due_ns = 0
        self._pace = pace
        self._gap_ns = 0

    def begin(self, now_ns: int) -> None:
        """The first birth of a connection is on its way."""
        self._gap_ns = round(self._pace.birth_again_s * NS)
        self.due_ns = now_ns + self._gap_ns

    def again(self, now_ns: int) -> None:
        """It was said again: the next time after twice as long."""
        self._gap_ns = min(2 * self._gap_ns, round(self._pace.birth_again_most_s * NS))
        self.due_ns = now_ns + self._gap_ns
