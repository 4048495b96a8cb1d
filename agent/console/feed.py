"""The events as they are raised, for whoever looks at the local page: a tap in front of the outbox."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from agent.base.clock import rfc3339
from agent.ports.event import Event, StillSink

KEPT = 100

Listener = Callable[[dict[str, Any]], None]


class EventTap:
    """Passes every event on to the outbox first, then to the listeners. Any thread may raise or listen."""

    def __init__(self, sink: StillSink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._recent: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._listeners: list[Listener] = []

    def raise_event(self, event: Event) -> None:
        """Hand the event to the outbox, then show it."""
        self._sink.raise_event(event)
        self._show(event)

    def raise_with_still(self, event: Event, still: bytes) -> None:
        """The same for an event with its still; the page has the live picture."""
        self._sink.raise_with_still(event, still)
        self._show(event)

    def _show(self, event: Event) -> None:
        shown = {
            "at": rfc3339(event.wall_ns),
            "topic": event.topic,
            "source": dict(event.source),
            "data": dict(event.data),
            "operation": event.operation.value if event.operation else None,
        }
        with self._lock:
            self._recent.append(shown)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(shown)

    def recent(self) -> list[dict[str, Any]]:
        """The last events, oldest first."""
        with self._lock:
            return list(self._recent)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each event from now on, on the raising thread; returns what ends it."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return end
