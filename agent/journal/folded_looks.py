"""Looks at the live picture, folded: whoever looks again and again, or at several windows, makes two lines and not thousands.

The first look of somebody, by the same way and from the same address, is entered before a picture is shown. Further ones are
counted, until none of them has been open for five minutes; then one line says how many there were, how long they took together,
and how the last one ended. The looks that are still open when the node stops are entered as ended then.

A further look is noted on disk before anything is shown, and the register is asked whether it would take a line. After a kill the
next start enters what was noted. A register that has refused a line gets one for each further look, until it takes one again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact, Journal
from agent.journal.noted_visits import LiveVisit, NotedVisits

log = logging.getLogger(__name__)

QUIET_NS: Final = 300 * NS
_OF_THE_END: Final = frozenset({"seconds", "why", "ended"})
"""Facts that tell one look's end; the others say which looks belong together."""

_Key = tuple[str, frozenset[tuple[str, Fact]]]


class FoldedLooks:
    """Implements Journal for LIVE_BEGUN and LIVE_ENDED; hands everything else on. Any thread. Raises RegisterError.

    `ask` raises RegisterError when the register would take no line now.
    """

    def __init__(self, journal: Journal, clock: Clock, notes: NotedVisits, ask: Callable[[], None] = lambda: None) -> None:
        self._journal = journal
        self._clock = clock
        self._notes = notes
        self._ask = ask
        self._lock = threading.Lock()
        self._visits: dict[_Key, LiveVisit] = {}
        self._earlier = notes.left_behind()
        self._is_noted = True
        self._refused = False

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal. The first look is on disk on return, or refused; so is what an earlier life left behind."""
        self._make_up()
        if act is Act.LIVE_BEGUN:
            self._begin(by, facts)
        elif act is Act.LIVE_ENDED:
            self._end(by, facts)
        else:
            self._write(act, by, facts)

    def settle(self, now: bool = False) -> None:
        """Enter the end of visits that have been quiet for long enough, or of all `now`. RegisterError: tried again next time."""
        self._make_up()
        moment_ns = self._clock.monotonic_ns()
        with self._lock:
            for key, visit in list(self._visits.items()):
                if now or (not visit.open and moment_ns - visit.left_ns >= QUIET_NS):
                    self._enter_end(key, visit)
            if not self._is_noted:
                self._note()

    def leave(self, facts: Mapping[str, Fact]) -> None:
        """Enter the end of every visit that bears these facts: that way nobody looks any more. RegisterError: ask again."""
        with self._lock:
            for key, visit in list(self._visits.items()):
                if facts.items() <= visit.facts.items():
                    self._enter_end(key, visit)

    def _make_up(self) -> None:
        """Enter the ends that an earlier life left behind. RegisterError: they stay noted."""
        if not self._earlier:
            return
        with self._lock:
            while self._earlier:
                self._write(Act.LIVE_ENDED, self._earlier[0].by, self._earlier[0].told)
                del self._earlier[0]
                self._is_noted = False

    def _enter_end(self, key: _Key, visit: LiveVisit) -> None:
        self._write(Act.LIVE_ENDED, visit.by, visit.told)
        del self._visits[key]
        self._is_noted = False

    def _begin(self, by: str, facts: Mapping[str, Fact]) -> None:
        key = _key(by, facts)
        with self._lock:
            visit = self._visits.get(key)
            if visit is None or self._refused:
                self._write(Act.LIVE_BEGUN, by, facts)
            if visit is None:
                visit = self._visits[key] = LiveVisit(by, dict(facts))
            else:
                self._ask()
                visit.looks += 1
                visit.open += 1
            try:
                self._note()
            except RegisterError as error:  # entered, and not let in: the count says no more than was shown
                visit.looks -= 1
                visit.open -= 1
                visit.end = {**visit.end, "why": error.said[0]}
                raise

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
            self._is_noted = False

    def _note(self) -> None:
        self._notes.note((*self._earlier, *self._visits.values()))
        self._is_noted = True

    def _write(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        try:
            self._journal.enter(act, by, facts)
        except RegisterError:
            self._refused = True
            raise
        self._refused = False


def _key(by: str, facts: Mapping[str, Fact]) -> _Key:
    return by, frozenset(each for each in facts.items() if each[0] not in _OF_THE_END)
