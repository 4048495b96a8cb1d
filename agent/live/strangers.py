"""Whoever could not prove who they are: counted by address, told once, and summed up when it has been quiet."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Final

from agent.base.clock import NS, Clock
from agent.journal.entry import Act, Journal
from agent.ports.live import Transport

log = logging.getLogger(__name__)

QUIET_NS: Final = 300 * NS
LONGEST_NS: Final = 3600 * NS
MOST_ADDRESSES: Final = 16
OTHERS: Final = "other addresses"


@dataclass(slots=True)
class _Attempts:
    how: str
    since_ns: int
    last_ns: int
    count: int = 1
    entered: int = 0


class Strangers:
    """`count` never blocks, any thread; `settle` is the attendant's. At most `MOST_ADDRESSES` are told apart."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempts] = {}
        self.refused = 0

    def count(self, transport: Transport, address: str) -> None:
        """One more who did not prove it."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            self.refused += 1
            known = address if address in self._attempts or len(self._attempts) < MOST_ADDRESSES else OTHERS
            attempts = self._attempts.get(known)
            if attempts is None:
                self._attempts[known] = _Attempts(transport, now_ns, now_ns)
            else:
                attempts.count += 1
                attempts.last_ns = now_ns

    def settle(self, *, now: bool = False) -> None:
        """Enter the first attempt of an address, and how many followed once it is quiet, each hour at the latest, or `now`.

        RegisterError: tried again.
        """
        moment_ns = self._clock.monotonic_ns()
        with self._lock:
            waiting = list(self._attempts.items())
        for address, attempts in waiting:
            over = now or moment_ns - attempts.last_ns >= QUIET_NS or moment_ns - attempts.since_ns >= LONGEST_NS
            if not attempts.entered:
                log.warning("somebody at %s asked for the live picture without a lease in force: refused", address)
                self._enter(address, attempts)
            elif over and attempts.count > attempts.entered:
                log.warning("%s asked %d times more without a lease in force", address, attempts.count - attempts.entered)
                self._enter(address, attempts)
            if over:
                self._forget(address, attempts)

    def _enter(self, address: str, attempts: _Attempts) -> None:
        count = attempts.count if attempts.entered else 1
        self._journal.enter(
            Act.LIVE_REFUSED, "unknown", {"how": attempts.how, "address": address, "count": count - attempts.entered}
        )
        attempts.entered = count

    def _forget(self, address: str, attempts: _Attempts) -> None:
        with self._lock:
            if attempts.count == attempts.entered:
                del self._attempts[address]
