"""What the broker acknowledged lately: kept a little longer, and sent again on the next connection.

A broker that dies takes along what it had acknowledged and not yet delivered: the last message in its socket, or a
second's worth where the hub was slow to read. The node cannot see that, but it can say those few events again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from agent.base.clock import NS, Clock

KEPT_S = 10.0
KEPT_AGAIN_S = 2.0
KEPT_MOST = 5000


class ReplayWindow:
    """Sequences with the time the broker must outlive for each; any thread.

    A row stays until the broker is heard `KEPT_S` after its first acknowledgement, and at least `KEPT_AGAIN_S` after its last
    one: a line that breaks every few seconds still gets on. Silence does not count: the broker may be dead since then, for
    longer than that. Rows up to sequence `old` were there at the start and may have been acknowledged before it: they stay
    `KEPT_AGAIN_S`, or a node that falls over every few seconds would send the same rows for ever. Of more than `KEPT_MOST` the
    earliest acknowledged leave before their time.
    """

    def __init__(self, clock: Clock, old: int = 0) -> None:
        self._clock = clock
        self._old = old
        self._lock = threading.Lock()
        self._heard_ns = clock.monotonic_ns()
        self._until_ns: dict[int, int] = {}
        self._first_ns: dict[int, int] = {}

    def heard(self) -> None:
        """The broker is alive."""
        self._heard_ns = self._clock.monotonic_ns()

    def keep(self, sequence: int) -> None:
        """The broker has acknowledged it, for the first time or again."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            first_ns = self._first_ns.setdefault(sequence, now_ns)
            least_ns = now_ns + round(KEPT_AGAIN_S * NS)
            self._until_ns[sequence] = least_ns if sequence <= self._old else max(first_ns + round(KEPT_S * NS), least_ns)

    def let_go(self) -> list[int]:
        """Those whose time is over; they are kept no longer."""
        with self._lock:
            over = [sequence for sequence, until_ns in self._until_ns.items() if self._heard_ns >= until_ns]
            if len(self._until_ns) - len(over) > KEPT_MOST:
                over = list(self._until_ns)[:-KEPT_MOST]
            self._remove(over)
        return over

    def made_way(self, sequences: Collection[int]) -> None:
        """These are there no more: the outbox had no room for them."""
        with self._lock:
            self._remove(sequences)

    def kept(self) -> set[int]:
        """All that are kept now."""
        with self._lock:
            return set(self._until_ns)

    def reopen(self) -> list[int]:
        """All that are kept: each is to be sent, and acknowledged, again."""
        with self._lock:
            again = list(self._until_ns)
            self._until_ns.clear()
            # A row that is dropped for space before it is acknowledged again would stay here for good.
            for sequence in list(self._first_ns)[: -2 * KEPT_MOST]:
                del self._first_ns[sequence]
        return again

    def _remove(self, sequences: Collection[int]) -> None:
        for sequence in sequences:
            self._until_ns.pop(sequence, None)
            self._first_ns.pop(sequence, None)
