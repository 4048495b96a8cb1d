"""How many look in, as a state for the hub."""

from __future__ import annotations

from typing import Final

from agent.base.clock import NS, Clock
from agent.base.topic import COUNT, Topic
from agent.ports.event import Event, EventSink, PropertyOperation

VIEWERS: Final = "vigie:Live/Viewers"
TOPICS: Final = (
    Topic(
        VIEWERS,
        "How many look at the live picture, and under how many leases.",
        {"Viewers": COUNT, "Leases": COUNT},
        grade="property",
        key="live.enabled",
    ),
)
_AT_MOST_EVERY_NS: Final = 5 * NS


class ViewersState:
    """One thread. Told when it changes, each five seconds at most: viewers that come and go at once cannot fill the outbox."""

    def __init__(self, events: EventSink, node: str, clock: Clock) -> None:
        self._events = events
        self._node = node
        self._clock = clock
        self._told: tuple[int, int] | None = None
        self._told_ns = 0

    def tell(self, viewers: int, leases: int) -> None:
        """How it is now."""
        now_ns = self._clock.monotonic_ns()
        if self._told == (viewers, leases) or (self._told is not None and now_ns - self._told_ns < _AT_MOST_EVERY_NS):
            return
        operation = PropertyOperation.INITIALIZED if self._told is None else PropertyOperation.CHANGED
        self._told, self._told_ns = (viewers, leases), now_ns
        data = {"Viewers": viewers, "Leases": leases}
        self._events.raise_event(Event(VIEWERS, self._clock.wall_ns(), {"Token": self._node}, data, operation))
