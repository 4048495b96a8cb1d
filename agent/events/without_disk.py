"""A start on a full disk: the outbox begins in memory, above every sequence of before, and moves to the disk once it has room."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from agent.events import epoch
from agent.events import outbox_schema as sql
from agent.events.bounds import Bounds
from agent.events.count import EventCount
from agent.events.epoch import Beginning
from agent.events.mark import Mark

BOUNDS: Final = Bounds(body_bytes=8 << 20)
"""What a database in memory may hold."""


def begin(mark: Mark, wall_ns: int) -> Beginning:
    """A database in memory, of a new epoch: `mark` says which sequences may have been given out by the one on the disk."""
    memory = sql.connect(None)
    sql.create_tables(memory)
    return epoch.new_epoch(memory, mark, "the disk was full at the start", 0, wall_ns)


def move(memory: sqlite3.Connection, path: Path, count: EventCount, dropped: int, wall_ns: int) -> tuple[Beginning, int]:
    """Carry all that is in `memory` to the database at `path`, in one transaction: that one, open, and how many rows came.

    The count goes on: it was taken above the mark, so no sequence on the disk is the same. `dropped` is memory's own number.
    OSError or sqlite3.Error when the disk refuses still: nothing is carried then.
    """
    beginning = epoch.begin(path, None, wall_ns)
    with sql.transaction(beginning.connection) as connection:
        held = sql.rows_within_reach(memory)
        sql.carry(connection, held)
        connection.executemany(sql.SET_STATE, memory.execute("SELECT * FROM state").fetchall())
        connection.executemany(sql.CARRY_DROPPED, memory.execute("SELECT * FROM dropped").fetchall())
        count.save(connection, beginning.dropped + dropped)
    return beginning, len(held)
