"""Looks at the live picture, folded: whoever looks again and again, or at several windows, makes two lines and not thousands.

The first look of somebody, by the same way and from the same address, is entered before a picture is shown. Further ones are
counted, until none of them has been open for five minutes; then one line says how many there were, how long they took together,
and how the last one ended. The looks that are still open when the node stops are entered as ended then.

A register that has refused a line gets one for each further look before anything is shown, until it takes one again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact, Journal

QUIET_NS: Final = 300 * NS
_OF_THE_END: Final = frozenset({"seconds", "why", "ended"})
"""Facts that tell one look's end; the others say which looks belong together."""

_Key = tuple[str, frozenset[tuple[str, Fact]]]


@dataclass(slots=True)
class _Visit:
    """The looks that belong together since their line was entered."""

    by: str
    facts: dict[str, Fact]
    looks: int = 1
    open: int = 1
    seconds: float = 0.0
    left_ns: int = 0
    end: dict[str, Fact] = field(default_factory=dict)


class FoldedLooks:
    """Implements Journal for LIVE_BEGUN and LIVE_ENDED; hands everything else on. Any thread. Raises RegisterError."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._visits: dict[_Key, _Visit] = {}
        self._refused = False

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal. The first look is on disk on return, or refused."""
        if act is Act.LIVE_BEGUN:
            self._begin(by, facts)
        elif act is Act.LIVE_ENDED:
            self._end(by, facts)
        else:
            self._write(act, by, facts)

    def settle(self, now: bool = False) -> None:
        """Enter the end of visits that have been quiet for long enough, or of all `now`. RegisterError: tried again next time."""
        moment_ns = self._clock.monotonic_ns()
        with self._lock:
            for key, visit in list(self._visits.items()):
                if now or (not visit.open and moment_ns - visit.left_ns >= QUIET_NS):
                    self._enter_end(key, visit)

    def leave(self, facts: Mapping[str, Fact]) -> None:
        """Enter the end of every visit that bears these facts: that way nobody looks any more. RegisterError: ask again."""
        with self._lock:
            for key, visit in list(self._visits.items()):
                if facts.items() <= visit.facts.items():
                    self._enter_end(key, visit)

    def _enter_end(self, key: _Key, visit: _Visit) -> None:
        facts = {**visit.facts, "looks": visit.looks, "seconds": round(visit.seconds, 1), **visit.end}
        self._write(Act.LIVE_ENDED, visit.by, facts)
        del self._visits[key]

    def _begin(self, by: str, facts: Mapping[str, Fact]) -> None:
        with self._lock:
            visit = self._visits.get(_key(by, facts))
            if visit is None or self._refused:
                self._write(Act.LIVE_BEGUN, by, facts)
            if visit is None:
                self._visits[_key(by, facts)] = _Visit(by, dict(facts))
            else:
                visit.looks += 1
                visit.open += 1

    def _end(self, by: str, facts: Mapping[str, Fact]) -> None:
        with self._lock:
            visit = self._visits.get(_key(by, facts))
            if visit is None:  # entered as ended when the node began to stop
                return
            seconds = facts.get("seconds")
            visit.seconds += float(seconds) if isinstance(seconds, int | float) else 0.0
            visit.end = {name: fact for name, fact in facts.items() if name in _OF_THE_END - {"seconds"}}
            visit.open = max(0, visit.open - 1)
            visit.left_ns = self._clock.monotonic_ns()

    def _write(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        try:
            self._journal.enter(act, by, facts)
        except RegisterError:
            self._refused = True
            raise
        self._refused = False


def _key(by: str, facts: Mapping[str, Fact]) -> _Key:
    return by, frozenset(each for each in facts.items() if each[0] not in _OF_THE_END)
