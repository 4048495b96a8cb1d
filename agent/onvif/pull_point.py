"""One pull point: what its client has not fetched yet, and until when it stands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from agent.base.clock import NS, Clock
from agent.onvif.markup import Markup
from agent.onvif.notification import notification
from agent.onvif.topic_filter import TopicFilter
from agent.ports.event import Event, PropertyOperation

MOST_WAITING: Final = 256
SHORTEST_S, USUAL_S, LONGEST_S = 10.0, 60.0, 3600.0
"""How long a pull point stands without a sign of its client: at least, unless it says something else, and at most."""


class PullPoint:
    """`tell` is called by whoever raises an event, the rest by the server's thread.

    A client that fetches too slowly loses what merely happened, and is told every state anew: what it believes is true again.
    """

    def __init__(self, id: str, lease: str, wanted: TopicFilter, states: Callable[[], Iterable[Event]], clock: Clock) -> None:
        self.id = id
        self.lease = lease
        self._wanted = wanted
        self._states = states
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Event, PropertyOperation | None]] = deque()
        self._begins_anew = True
        self._wake: Callable[[], None] = lambda: None
        self._life_ns = 0
        self._until_ns = 0
        self.lost = 0
        self.over = ""

    def tell(self, event: Event) -> None:
        """It happened. Never blocks."""
        if not self._wanted.tells(event.topic):
            return
        with self._lock:
            if self._begins_anew and event.operation is not None:
                return  # among the states that are told first
            if len(self._waiting) >= MOST_WAITING:
                self.lost += sum(1 for waiting, _ in self._waiting if waiting.operation is None)
                self._waiting.clear()
                self._begins_anew = True
            if not self._begins_anew or event.operation is None:
                self._waiting.append((event, event.operation))
        self._wake()

    def begin_anew(self) -> None:
        """Every state is told again, as Initialized."""
        with self._lock:
            self._waiting = deque(each for each in self._waiting if each[0].operation is None)
            self._begins_anew = True
        self._wake()

    def fetch(self, most: int) -> list[Markup]:
        """What waits, the oldest first, at most so many."""
        with self._lock:
            if self._begins_anew:
                self._begins_anew = False
                states = [(state, PropertyOperation.INITIALIZED) for state in self._states() if self._wanted.tells(state.topic)]
                self._waiting.extendleft(reversed(states))
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [notification(event, operation) for event, operation in taken]

    def on_news(self, wake: Callable[[], None]) -> None:
        """Call it, from any thread, when there is something to fetch, or when it is over. Whoever waited before gives up."""
        before, self._wake = self._wake, wake
        before()

    def is_heard_by(self, wake: Callable[[], None]) -> bool:
        """Whether it is still this one that waits."""
        return self._wake is wake

    def stand_for(self, seconds: float) -> None:
        """So long from now on, within bounds; each sign of the client's prolongs it by as much."""
        self._life_ns = round(min(max(seconds, SHORTEST_S), LONGEST_S) * NS)
        self._until_ns = self._clock.monotonic_ns() + self._life_ns

    def heard(self, waits_s: float = 0.0) -> None:
        """Its client is there, and waits for so long."""
        life_ns = max(self._life_ns, round(waits_s * NS))
        self._until_ns = max(self._until_ns, self._clock.monotonic_ns() + life_ns)

    @property
    def left_s(self) -> float:
        """Seconds until it ends by itself."""
        return (self._until_ns - self._clock.monotonic_ns()) / NS

    def end(self, why: str) -> None:
        """Whoever waits is told."""
        self.over = why
        self._wake()
