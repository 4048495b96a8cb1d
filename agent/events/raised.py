"""What was raised and is on no disk yet: kept in its order, bounded, with an account of what memory had to let go."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable

from agent.events.row import Draft
from agent.ports.event import Priority

log = logging.getLogger(__name__)

WAITING_MOST = 10_000


class Receipt:
    """Where the raiser of a durable event waits."""

    def __init__(self) -> None:
        self.committed = threading.Event()
        self.sequence = 0


class Raised:
    """Any thread puts, the writer takes. `changed` guards it, and is notified of each that comes.

    Past WAITING_MOST the oldest of the lowest class is let go for the one that arrives: what was let go is never forgotten,
    but counted until the account of drops has it.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._waiting: deque[tuple[Draft, Receipt | None]] = deque()
        self._overrun: Counter[Priority] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, draft: Draft, receipt: Receipt | None = None) -> None:
        """Queue for the next commit; returns at once. `receipt` is handed back by `take`."""
        with self._changed:
            if len(self._waiting) >= WAITING_MOST:
                self._shed(draft.priority)
            self._waiting.append((draft, receipt))
            self._changed.notify()

    def take(self, most: int) -> list[tuple[Draft, Receipt | None]]:
        """The oldest ones, `most` at most: they are the caller's from now on."""
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]

    @property
    def let_go(self) -> int:
        """How many were let go that the account does not have yet; any thread."""
        return sum(self._overrun.values())

    def own_up(self, note: Callable[[Priority, int], bool]) -> None:
        """Enter what was let go in the account of drops; where `note` says that the disk refuses, it stays to be entered."""
        while self._overrun:
            with self._changed:
                priority, count = self._overrun.popitem()
            if not note(priority, count):
                with self._changed:
                    self._overrun[priority] += count
                return

    def _shed(self, arriving: Priority) -> None:
        """The disk hangs and memory is full."""
        lowest = min(range(len(self._waiting)), key=lambda i: (self._waiting[i][0].priority, i))
        draft, _ = self._waiting[lowest]
        del self._waiting[lowest]
        self._overrun[draft.priority] += 1
        log.error("the outbox cannot keep up: an event of class %s is lost for one of %s", draft.priority.name, arriving.name)
