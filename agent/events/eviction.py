"""Which rows go when the outbox is full or they are too old, and the account of what went.

Every function works inside the caller's transaction; nothing is lost from the account that the transaction keeps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from agent.base.clock import ClockQuality
from agent.events import outbox_schema as sql
from agent.events.alarms import EVENTS_DROPPED
from agent.events.bounds import Bounds
from agent.events.row import Row
from agent.ports.event import Event, Priority, Value


class Dropped(Struct, frozen=True):
    """`count` rows of one class, none below `first` and none above `last`, that will never be sent."""

    priority: Priority
    reason: str
    first: int
    last: int
    count: int

    def event(self, wall_ns: int) -> Event:
        """An alarm: the gap in the sequence is known here, and will not be filled."""
        source: dict[str, Value] = {"Class": self.priority.name.lower(), "Reason": self.reason}
        data: dict[str, Value] = {"Count": self.count, "First": self.first, "Last": self.last}
        return Event(EVENTS_DROPPED, wall_ns, source, data, priority=Priority.ALARM)


@dataclass(slots=True)
class OutboxTally:
    """How many rows and body bytes of each class lie in the database, and how many were ever dropped from it."""

    count: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))
    body_bytes: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))
    dropped: int = 0

    def copy(self) -> OutboxTally:
        """To work on inside a transaction that may fail."""
        return OutboxTally(dict(self.count), dict(self.body_bytes), self.dropped)

    def add(self, row: Row) -> None:
        self.count[row.priority] += 1
        self.body_bytes[row.priority] += len(row.body)

    def recount(self, connection: sqlite3.Connection) -> None:
        """Count what is there."""
        for priority, count, size in connection.execute(sql.COUNT_ROWS):
            self.count[Priority(priority)], self.body_bytes[Priority(priority)] = count, size


def forget(connection: sqlite3.Connection, tally: OutboxTally, sequence: int) -> Priority | None:
    """Delete one row; its class, None when it was not there."""
    found = connection.execute(sql.FORGET_ROW, (sequence,)).fetchall()
    for number, length in found:
        priority = Priority(number)
        tally.count[priority] -= 1
        tally.body_bytes[priority] -= length
        return priority
    return None


def drop(connection: sqlite3.Connection, tally: OutboxTally, sequences: Iterable[int], reason: str) -> None:
    """Delete rows for good and enter them in the account of drops."""
    for sequence in sequences:
        priority = forget(connection, tally, sequence)
        if priority is not None:
            note(connection, tally, priority, reason, sequence)


def note(connection: sqlite3.Connection, tally: OutboxTally, priority: Priority, reason: str, sequence: int) -> None:
    """Enter a sequence that will never be sent in the account of drops."""
    connection.execute(sql.NOTE_DROPPED, (priority, reason, sequence, sequence))
    tally.dropped += 1


def unannounced(connection: sqlite3.Connection) -> list[Dropped]:
    """What stands in the account of drops, the earliest first."""
    found = connection.execute("SELECT priority, reason, first, last, count FROM dropped ORDER BY first").fetchall()
    return [Dropped(Priority(p), reason, first, last, count) for p, reason, first, last, count in found]


def make_room(
    connection: sqlite3.Connection, tally: OutboxTally, bounds: Bounds, spare: Collection[int], delivered: Collection[int]
) -> list[int]:
    """Hold every class to its own bounds, and all together to theirs: the oldest of the lowest class goes first.

    Rows in `spare` stay; those in `delivered` go like the others, but are no loss and enter no account: they are returned.
    """
    gone: list[int] = []
    for priority, limit in bounds.classes.items():
        while tally.count[priority] > limit.rows or tally.body_bytes[priority] > limit.body_bytes:
            if not _drop_oldest(connection, tally, priority, spare, delivered, gone):
                break
    for priority in sorted(Priority):
        while sum(tally.body_bytes.values()) > bounds.body_bytes:
            if not _drop_oldest(connection, tally, priority, spare, delivered, gone):
                break
    return gone


def _drop_oldest(
    connection: sqlite3.Connection,
    tally: OutboxTally,
    priority: Priority,
    spare: Collection[int],
    delivered: Collection[int],
    gone: list[int],
) -> bool:
    oldest = connection.execute(sql.OLDEST_OF_CLASS, (priority, len(spare) + 1)).fetchall()
    for (sequence,) in oldest:
        if sequence in delivered:
            forget(connection, tally, sequence)
            gone.append(sequence)
            return True
        if sequence not in spare:
            drop(connection, tally, [sequence], "space")
            return True
    return False


def aged(connection: sqlite3.Connection, bounds: Bounds, now_ns: int, spare: Collection[int]) -> list[int]:
    """What is past its class's age. A row raised on an unset clock has no age and is left to the other bounds."""
    return [
        sequence
        for priority, limit in bounds.classes.items()
        for (sequence,) in connection.execute(sql.AGED_OF_CLASS, (priority, now_ns - limit.age_ns, ClockQuality.UNSET))
        if sequence not in spare
    ]
