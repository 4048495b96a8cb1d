"""Which message breaks the line: found by sending one at a time after a connection that broke over unanswered ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agent.base.clock import NS, Clock
from agent.uplink.aside import Key
from agent.uplink.in_flight_window import Sent
from agent.uplink.pace import Pace
from agent.uplink.reasons import BLAMES_A_PACKET

STRIKES = 2


class Suspicion:
    """One thread. A line may break by itself: only what was out alone when it broke, twice on end, is to blame.

    Once is enough where the broker says that it was the message (`BLAMES_A_PACKET`), and where another row of the same place
    is to blame already; from the second such row on it is the place.
    """

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._suspects: set[Key] = set()
        self._strikes: Counter[Key] = Counter()
        self._blamed: Counter[str] = Counter()
        self._alone_until_ns: int | None = None

    @property
    def one_at_a_time(self) -> bool:
        """Nothing may go out while an answer is waited for."""
        return self._alone_until_ns is not None

    def begin(self) -> None:
        """A new connection: while somebody is under suspicion everybody goes alone, until it has held for a while."""
        if self._suspects:
            self._alone_until_ns = self._clock.monotonic_ns() + round(self._pace.steady_s * NS)

    def broke(self, unanswered: Sequence[Sent], code: int | None) -> Key | None:
        """The connection broke over these messages; the row or place to blame, where it is known."""
        self._alone_until_ns = None
        self._suspects = {sent.key for sent in unanswered}
        if len(unanswered) != 1:
            return None
        (sent,) = unanswered
        self._strikes[sent.key] += 1
        if code not in BLAMES_A_PACKET and not self._blamed[sent.place] and self._strikes[sent.key] < STRIKES:
            return None
        del self._strikes[sent.key]
        self._suspects.clear()
        self._blamed[sent.place] += 1
        return sent.place if self._blamed[sent.place] >= STRIKES else sent.key

    def acquit(self) -> None:
        """It was no message."""
        self._suspects.clear()
        self._strikes.clear()
        self._blamed.clear()
        self._alone_until_ns = None

    def answered(self, sent: Sent) -> None:
        """The broker answered, be it with a refusal: this does not break the line."""
        self._suspects.discard(sent.key)
        del self._strikes[sent.key], self._blamed[sent.place]
        if not self._suspects:
            self._alone_until_ns = None

    def settle(self) -> None:
        """A line that has held for long enough is trusted again."""
        if self._alone_until_ns is not None and self._clock.monotonic_ns() >= self._alone_until_ns:
            self._alone_until_ns = None
            self._suspects.clear()
