"""Who stands at a door: few at once, and nobody for long without asking for something.

A door is a socket that others connect to: the local page, the control socket. What comes in there takes descriptors,
threads and memory from the node's own work, so that each door lets in a bounded number, and the doors together never take
the descriptors that a recording needs.
"""

from __future__ import annotations

import resource
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock

RESERVED: Final = 64
"""Descriptors no visitor gets: the next segment, the databases, the broker and the camera need a dozen at most."""
_NEWS_EVERY_NS: Final = 60 * NS


class Visit:
    """One connection, `of` an address. `served`: a request is being answered, so that it is not in the way of others."""

    def __init__(self, show_out: Callable[[], None], since_ns: int, of: str = "") -> None:
        self.of = of
        self.show_out = show_out
        self.since_ns = since_ns
        self.served = False


class Visitors:
    """At most `most` at once. A newcomer takes the place of whoever has waited longest without asking for anything, among those
    of the address that has the most such: one that comes again and again pushes out its own.

    Any thread. `show_out` of a visit closes its connection; it is called without a lock, on the thread of whoever came,
    and must not block.
    """

    def __init__(self, most: int, patience_s: float, clock: Clock) -> None:
        self.most = most
        self._patience_ns = round(patience_s * NS)
        self._clock = clock
        self._lock = threading.Lock()
        self._here: list[Visit] = []
        self.turned_away = self._told = 0
        self._told_ns = -_NEWS_EVERY_NS

    def enter(self, show_out: Callable[[], None], of: str = "") -> Visit | None:
        """Let one in, or None when all places are taken by visitors who are being served."""
        scarce = _descriptors_are_scarce()
        with self._lock:
            idle = [visit for visit in self._here if not visit.served]
            crowd = Counter([*(visit.of for visit in idle), of])
            idle.sort(key=lambda visit: -crowd[visit.of])  # stable: the longest wait first
            out = idle[0] if idle and (scarce or len(self._here) >= self.most) else None
            if out is not None:
                self._here.remove(out)
            welcome = len(self._here) < self.most and (not scarce or out is not None)
            visit = Visit(show_out, self._clock.monotonic_ns(), of) if welcome else None
            if visit is not None:
                self._here.append(visit)
            self.turned_away += (out is not None) + (visit is None)
        if out is not None:
            out.show_out()
        return visit

    def serve(self, visit: Visit) -> None:
        """A whole request has come: the visit stays until it is answered."""
        visit.served = True

    def done(self, visit: Visit) -> None:
        """The request is answered; the visit may ask for more, and waits from now on."""
        visit.since_ns = self._clock.monotonic_ns()
        visit.served = False

    def leave(self, visit: Visit) -> None:
        """The connection is closed. Idempotent."""
        with self._lock:
            if visit in self._here:
                self._here.remove(visit)

    def news(self) -> int:
        """How many were turned away, when there is something new to say, at most once a minute; else 0."""
        now_ns = self._clock.monotonic_ns()
        if self.turned_away == self._told or now_ns - self._told_ns < _NEWS_EVERY_NS:
            return 0
        self._told, self._told_ns = self.turned_away, now_ns
        return self.turned_away

    def show_out_the_idle(self) -> None:
        """Close what has not brought a whole request within the patience, counted from its beginning or its last answer."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            out = [v for v in self._here if not v.served and now_ns - v.since_ns > self._patience_ns]
            self._here = [v for v in self._here if v not in out]
        for visit in out:
            visit.show_out()


def _descriptors_are_scarce() -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return False
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir()) + RESERVED > soft
    except OSError:  # not even the look at them finds one
        return True
