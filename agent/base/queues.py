"""Bounded queues that count what they drop. Nothing in Vigie grows without an end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The queue was closed and is drained."""


class BoundedQueue(Generic[T]):
    """A queue between two threads that never blocks its producer.

    Full, it drops the oldest item (`newest wins`) and counts it; `on_drop` gets the dropped item, on the producer's
    thread, so that its buffer can go back to a pool.
    """

    def __init__(self, capacity: int, on_drop: Callable[[T], None] | None = None) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._on_drop = on_drop
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Append; False when something had to be dropped for it (or the queue is closed: then `item` itself)."""
        with self._changed:
            if self._closed:
                lost: T | None = item
            else:
                lost = self._items.popleft() if len(self._items) >= self._capacity else None
                self._items.append(item)
                self._changed.notify_all()
            if lost is None:
                return True
            self.dropped += 1
        if self._on_drop is not None:
            self._on_drop(lost)
        return False

    def offer(self, item: T) -> bool:
        """Append if there is room; False, and nothing is dropped, when there is none or the queue is closed."""
        with self._changed:
            if self._closed or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> T | None:
        """The oldest item, or None after `timeout_s`. Raises Closed once closed and empty."""
        with self._changed:
            if not self._items and not self._closed and timeout_s > 0:
                self._changed.wait_for(lambda: bool(self._items) or self._closed, timeout_s)
            if self._items:
                self._changed.notify_all()
                return self._items.popleft()
            if self._closed:
                raise Closed
            return None

    def wait_for_room(self, timeout_s: float) -> bool:
        """Block until an item may be offered; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity, timeout_s)

    def close(self) -> None:
        """Refuse new items; what is queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._items)
