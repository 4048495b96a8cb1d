"""How every state stands, for a pull point that has just come: what the broker keeps as retained messages."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from agent.ports.event import Event, PropertyOperation, Value

_MOST: Final = 256
_Key = tuple[str, tuple[tuple[str, Value], ...]]


class StandingStates:
    """Any thread. `before`: what stood when the node began."""

    def __init__(self, before: Iterable[Event]) -> None:
        self._lock = threading.Lock()
        self._states: dict[_Key, Event] = {}
        for event in before:
            self.hear(event)

    def hear(self, event: Event) -> None:
        """A state came to be, changed, or is gone. What merely happens leaves no trace."""
        key = event.topic, tuple(sorted(event.source.items()))
        with self._lock:
            if event.operation is PropertyOperation.DELETED:
                self._states.pop(key, None)
            elif event.operation is not None and (key in self._states or len(self._states) < _MOST):
                self._states[key] = event

    def all(self) -> tuple[Event, ...]:
        """As they stand now."""
        with self._lock:
            return tuple(self._states.values())
