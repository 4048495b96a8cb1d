"""Who else hears of every event, at once, besides the outbox that brings it to the broker."""

from __future__ import annotations

from collections.abc import Callable

from agent.ports.event import Event

Ear = Callable[[Event], None]


class EventEars:
    """Any thread raises. An ear is called on the thread that raises, and must neither block nor raise."""

    def __init__(self) -> None:
        self._ears: tuple[Ear, ...] = ()

    def listen(self, ear: Ear) -> None:
        """Call it with each event from now on. Before anything runs."""
        self._ears = (*self._ears, ear)

    def tell(self, event: Event) -> None:
        """It was raised."""
        for ear in self._ears:
            ear(event)
