"""The outbox's tables, its statements, and how a row goes in and comes out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.base.clock import ClockQuality
from agent.base.database_parts import clear_the_way
from agent.events import class_number
from agent.events.row import Draft, Kind, Row
from agent.ports.event import Priority

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE row (sequence INTEGER PRIMARY KEY, epoch TEXT NOT NULL, event_id TEXT NOT NULL, priority INTEGER NOT NULL,
                  kind TEXT NOT NULL, raised_ns INTEGER NOT NULL, quality TEXT NOT NULL, body BLOB NOT NULL, about TEXT NOT NULL);
CREATE INDEX row_by_class ON row (priority, sequence);
CREATE TABLE state (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, epoch TEXT NOT NULL, event_id TEXT NOT NULL,
                    priority INTEGER NOT NULL, kind TEXT NOT NULL, raised_ns INTEGER NOT NULL, quality TEXT NOT NULL,
                    body BLOB NOT NULL, about TEXT NOT NULL);
CREATE TABLE dropped (priority INTEGER, reason TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
                      PRIMARY KEY (priority, reason));
CREATE TABLE counter (name TEXT PRIMARY KEY, value NOT NULL);
"""
SENT = """
CREATE TABLE IF NOT EXISTS sent (sequence INTEGER PRIMARY KEY, epoch TEXT NOT NULL, event_id TEXT NOT NULL,
    priority INTEGER NOT NULL, kind TEXT NOT NULL, raised_ns INTEGER NOT NULL, quality TEXT NOT NULL, body BLOB NOT NULL,
    about TEXT NOT NULL, sent_ns INTEGER NOT NULL);
"""

_INSERT_ROW = "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CARRY_ROW = "INSERT OR IGNORE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
SET_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
END_STATE = "DELETE FROM state WHERE name = ?"
FORGET_ROW = "DELETE FROM row WHERE sequence = ? RETURNING priority, length(body)"
COUNT_ROWS = "SELECT priority, count(*), sum(length(body)) FROM row GROUP BY priority"
SET_COUNTER = "INSERT OR REPLACE INTO counter VALUES (?, ?)"
NOTE_DROPPED = (
    "INSERT INTO dropped VALUES (?, ?, ?, ?, 1) ON CONFLICT (priority, reason) DO UPDATE SET "
    "first = min(first, excluded.first), last = max(last, excluded.last), count = count + 1"
)
CARRY_DROPPED = (
    "INSERT INTO dropped VALUES (?, ?, ?, ?, ?) ON CONFLICT (priority, reason) DO UPDATE SET "
    "first = min(first, excluded.first), last = max(last, excluded.last), count = count + excluded.count"
)
OLDEST_OF_CLASS = "SELECT sequence FROM row WHERE priority = ? ORDER BY sequence LIMIT ?"
AGED_OF_CLASS = "SELECT sequence FROM row WHERE priority = ? AND raised_ns < ? AND quality != ?"
NUMBER = "coalesce((SELECT number FROM class_number WHERE class_number.sequence = {table}.sequence), 0)"
PENDING = (
    "SELECT sequence, epoch, event_id, priority, kind, raised_ns, quality, body, about, "  # noqa: S608
    f"{NUMBER.format(table='row')} FROM row WHERE priority = ? AND sequence > ? ORDER BY sequence LIMIT ?"
)
STATES = (
    "SELECT sequence, epoch, event_id, priority, kind, raised_ns, quality, body, about, 0, "
    "sequence IN (SELECT sequence FROM row) FROM state ORDER BY sequence"
)
_EVERY_ROW = (
    "SELECT sequence, epoch, event_id, priority, kind, raised_ns, quality, body, about FROM row NOT INDEXED ORDER BY sequence"
)


def connect(path: Path | None) -> sqlite3.Connection:
    """Open (WAL, synchronous FULL), or make a database in memory. Statements commit by themselves outside `transaction`.

    OSError where something else stands in its place.
    """
    where = ":memory:" if path is None else str(path)
    if path is not None:
        clear_the_way(path)
    connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=10)
    if path is not None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing; idempotent."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
    connection.executescript(SENT + class_number.TABLE)


def check(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError when the file is damaged or not ours."""
    fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise sqlite3.DatabaseError(fault)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"schema {version} is not known")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Inside the caller's transaction."""
    connection.executemany(_INSERT_ROW, [values_of(row) for row in rows])
    connection.executemany(class_number.CARRY, [(row.sequence, row.class_number) for row in rows if row.class_number])


def carry(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Inside the caller's transaction: those of another database that are not there yet."""
    connection.executemany(_CARRY_ROW, [values_of(row) for row in rows])
    connection.executemany(class_number.CARRY, [(row.sequence, row.class_number) for row in rows if row.class_number])


def keep_state(connection: sqlite3.Connection, row: Row, draft: Draft) -> None:
    """The last event of a property is kept, and goes with the one that ends it."""
    if draft.ends_state:
        connection.execute(END_STATE, (draft.state,))
    elif draft.state:
        connection.execute(SET_STATE, (draft.state, *values_of(row)))


def values_of(row: Row) -> tuple[int, str, str, int, str, int, str, bytes, str]:
    """The columns of a row; its class number lies elsewhere."""
    return (
        row.sequence,
        row.epoch,
        row.event_id,
        int(row.priority),
        row.kind.value,
        row.raised_ns,
        row.quality.value,
        row.body,
        row.about,
    )


def row_of(values: Sequence[Any]) -> Row:
    """The row of its columns; ValueError when one makes no sense."""
    sequence, epoch, event_id, priority, kind, raised_ns, quality, body, about, number = values
    return Row(sequence, epoch, event_id, Priority(priority), Kind(kind), raised_ns, ClockQuality(quality), body, about, number)


def readable_rows(path: Path) -> list[Row]:
    """Every row of a damaged database that still comes out whole."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return []
    try:
        return rows_within_reach(connection)
    finally:
        connection.close()


def rows_within_reach(connection: sqlite3.Connection) -> list[Row]:
    """Every row that still comes out whole, up to where the file cannot be read on."""
    rows = []
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    numbers = _numbers_within_reach(connection)
    try:
        for values in connection.execute(_EVERY_ROW):
            try:
                row = row_of((*values, numbers.get(values[0], 0)))
                row.check()
            except (ValueError, TypeError, KeyError):
                continue
            rows.append(row)
    except (sqlite3.Error, ValueError):
        pass
    return rows


def _numbers_within_reach(connection: sqlite3.Connection) -> dict[int, int]:
    """By sequence; an older version's database has none."""
    try:
        return {sequence: number for sequence, number in connection.execute(class_number.EVERY) if isinstance(number, int)}
    except (sqlite3.Error, ValueError):
        return {}
