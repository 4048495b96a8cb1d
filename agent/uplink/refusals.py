"""Refused commands in the register: the first of a minute one by one, the rest as one line that counts them by reason."""

from __future__ import annotations

from collections import Counter
from typing import Final

from agent.base.clock import NS, Clock
from agent.journal.entry import Act, Fact, Journal
from agent.operations.caller import Refusal

SINGLY_A_MINUTE: Final = 10
_WINDOW_NS: Final = 60 * NS


class Refusals:
    """Counts every refusal into the register exactly once. One thread. RegisterError leaves the count for the next try."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._began_ns: int | None = None
        self._singly = 0
        self._more: Counter[Refusal] = Counter()

    def enter(self, verb: str, code: Refusal, by: str) -> None:
        """Enter or count one refusal. `verb` is a known one or empty; `by` is empty unless a signature vouches for it."""
        self.settle()
        if self._began_ns is None:
            self._began_ns = self._clock.monotonic_ns()
        if self._singly >= SINGLY_A_MINUTE:
            self._more[code] += 1
            return
        self._singly += 1
        facts: dict[str, Fact] = {"outcome": "refused", "verb": verb or None, "code": code}
        try:
            self._journal.enter(Act.COMMAND, by or "unknown", facts)
        except BaseException:
            self._more[code] += 1
            raise

    def settle(self, *, now: bool = False) -> None:
        """Enter the summary when its minute is over, or `now`."""
        if self._began_ns is None or not (now or self._clock.monotonic_ns() - self._began_ns >= _WINDOW_NS):
            return
        if self._more:
            counts: dict[str, Fact] = {code.value: count for code, count in sorted(self._more.items())}
            self._journal.enter(Act.COMMAND, "unknown", {"outcome": "refused", "count": self._more.total(), **counts})
            self._more.clear()
        self._began_ns, self._singly = None, 0
