"""The count of each class beside the count of all: what one who hears a class alone tells a loss by.

The numbers lie in a table of their own, which no other version minds: an outbox goes from one version to another and back as it
is. Rows of a version that gave no numbers are numbered when the database is opened. A number goes with the last copy of its row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from agent.ports.event import Priority

TABLE = """
CREATE TABLE IF NOT EXISTS class_number (sequence INTEGER PRIMARY KEY, number INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS number_of_row AFTER DELETE ON row WHEN NOT EXISTS (SELECT 1 FROM sent WHERE sequence = old.sequence)
    BEGIN DELETE FROM class_number WHERE sequence = old.sequence; END;
CREATE TRIGGER IF NOT EXISTS number_of_sent AFTER DELETE ON sent WHEN NOT EXISTS (SELECT 1 FROM row WHERE sequence = old.sequence)
    BEGIN DELETE FROM class_number WHERE sequence = old.sequence; END;
"""
CARRY = "INSERT OR IGNORE INTO class_number VALUES (?, ?)"
EVERY = "SELECT sequence, number FROM class_number"

_COUNTED_TO = "class numbers up to"
_COUNTER = "class number "
_WITHOUT = "SELECT 1 FROM row WHERE sequence > ? AND epoch = ? LIMIT 1"
_NUMBER_THEM = (
    "INSERT OR REPLACE INTO class_number SELECT sequence, ? + row_number() OVER (ORDER BY sequence) "
    "FROM row NOT INDEXED WHERE sequence > ? AND epoch = ? AND priority = ?"
)
_HIGHEST = (
    "SELECT max(number) FROM row NOT INDEXED JOIN class_number USING (sequence) "
    "WHERE row.sequence > ? AND epoch = ? AND priority = ?"
)


def counters(sequence: int, numbers: Mapping[Priority, int]) -> Iterator[tuple[str, int]]:
    """What is kept of the counts: the last number of each class, all of them given up to `sequence`."""
    yield _COUNTED_TO, sequence
    for priority, number in numbers.items():
        yield f"{_COUNTER}{int(priority)}", number


def take_up(connection: sqlite3.Connection, epoch: str) -> dict[Priority, int]:
    """The last number of each class within an epoch; rows of it that bear none get theirs. sqlite3.Error: the disk refuses."""
    kept = dict(connection.execute("SELECT name, value FROM counter"))
    numbers = {priority: int(kept.get(f"{_COUNTER}{int(priority)}", 0)) for priority in Priority}
    since = int(kept.get(_COUNTED_TO, 0))
    if connection.execute(_WITHOUT, (since, epoch)).fetchone() is None:
        return numbers
    connection.execute("BEGIN IMMEDIATE")
    try:
        for priority in Priority:
            connection.execute(_NUMBER_THEM, (numbers[priority], since, epoch, priority))
            highest = connection.execute(_HIGHEST, (since, epoch, priority)).fetchone()[0]
            numbers[priority] = highest or numbers[priority]
        last = connection.execute("SELECT max(sequence) FROM row").fetchone()[0]
        connection.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", list(counters(last, numbers)))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return numbers
