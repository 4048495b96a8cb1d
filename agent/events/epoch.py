"""How the outbox's database is taken up at a start: as it was left, or under a new epoch that says why.

Nothing here writes the count: the new epoch becomes durable together with the event that tells of it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from agent.base.database_refusal import is_damage
from agent.events import class_number
from agent.events import outbox_schema as sql
from agent.events.alarms import OUTBOX_EPOCH
from agent.events.event_id import new_event_id
from agent.events.mark import Mark
from agent.events.row import Row
from agent.ports.event import Event, Priority, Value

log = logging.getLogger(__name__)

RESERVED_AT_ONCE = 1000
COMMITTED_AT_ONCE = 500
MAX_SEQUENCE = 1 << 53  # what JSON numbers hold exactly
_PARTS = ("-wal", "-shm", "")


class Beginning(Struct, frozen=True):
    """An open database, where its counts stand, and what the hub must be told of it (None: nothing happened).

    `numbers` are the last ones of each class within the epoch: a new one counts them from 1.
    """

    connection: sqlite3.Connection
    sequence: int
    epoch: str
    dropped: int = 0
    story: Event | None = None
    numbers: Mapping[Priority, int] = field(default_factory=dict)


def begin(path: Path | None, mark: Mark | None, wall_ns: int) -> Beginning:
    """Open what is there, or make it. OSError or sqlite3.Error when the disk refuses."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _being_carried(path).exists():
            return salvage(path, mark, "an earlier salvage was interrupted", (), wall_ns)
        if path.exists() and path.stat().st_size > 0:
            return _reopen(path, mark, wall_ns)
    connection = sql.connect(path)
    sql.create_tables(connection)
    return new_epoch(connection, mark, "first start" if mark is None else "the database was lost", 0, wall_ns)


def _reopen(path: Path, mark: Mark | None, wall_ns: int) -> Beginning:
    try:
        connection = sql.connect(path)
        sql.check(connection)
        sql.create_tables(connection)
        known = dict(connection.execute("SELECT name, value FROM counter"))
        highest = connection.execute("SELECT max(sequence) FROM row").fetchone()[0] or 0
        sequence, epoch = max(highest, int(known.get("sequence", 0))), str(known.get("epoch", ""))
        dropped = int(known.get("dropped", 0))
        numbers = class_number.take_up(connection, epoch)
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
            raise
        return salvage(path, mark, str(error), (), wall_ns)
    reason = ""
    if not epoch:
        reason = "first start" if mark is None else "the database was lost"
    elif mark is not None and mark.burnt:
        reason = "the disk was full before the restart"
    elif mark is not None and (mark.epoch != epoch or mark.reserved - RESERVED_AT_ONCE - COMMITTED_AT_ONCE > sequence):
        reason = "an older database came back"
    if reason:
        return new_epoch(connection, mark, reason, sequence, wall_ns, dropped)
    return Beginning(connection, sequence, epoch, dropped, numbers=numbers)


def salvage(path: Path, mark: Mark | None, fault: str, cached: Sequence[Row], wall_ns: int) -> Beginning:
    """Set a damaged database aside, and carry over every row that can still be read of it or is `cached`.

    It bears the name `*.carrying` until its rows are safe in the new one: a full disk or a power cut in between costs nothing.
    """
    log.error("outbox %s is damaged (%s): it is set aside and what can be read of it is carried over", path, fault)
    aside, found = _being_carried(path), list(cached)
    if aside.exists():
        found += sql.readable_rows(path) if path.exists() else []
        _remove(path)
    else:
        _move(path, aside)
    found += sql.readable_rows(aside) if aside.exists() else []
    connection = sql.connect(path)
    sql.create_tables(connection)
    highest = MAX_SEQUENCE if mark is None else mark.reserved
    rows = {row.sequence: row for row in found if 0 < row.sequence <= highest}
    with sql.transaction(connection):
        sql.carry(connection, list(rows.values()))
    _move(aside, path.with_name(f"{path.name}.corrupt"))
    reason = f"the database was lost or corrupt ({fault}); {len(rows)} waiting events were carried over"
    return new_epoch(connection, mark, reason, max(rows, default=0), wall_ns)


def _being_carried(path: Path) -> Path:
    return path.with_name(f"{path.name}.carrying")


def _move(database: Path, to: Path) -> None:
    """A database with its log; what stood there before goes. The file itself last: it is what says that all are there."""
    if database.exists():
        _remove(to)
        for suffix in _PARTS:
            part = database.with_name(database.name + suffix)
            if part.exists():
                part.replace(to.with_name(to.name + suffix))


def _remove(database: Path) -> None:
    for suffix in _PARTS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def new_epoch(
    connection: sqlite3.Connection, mark: Mark | None, reason: str, known: int, wall_ns: int, dropped: int = 0
) -> Beginning:
    """Count on above everything that may ever have been handed out, under a new name."""
    epoch, sequence = new_event_id(wall_ns), max(known, mark.reserved if mark else 0)
    data: dict[str, Value] = {
        "PreviousEpoch": mark.epoch if mark else "",
        "LastKnownSequence": known,
        "UsedUpTo": max(known, mark.reserved - RESERVED_AT_ONCE) if mark else known,
        "FirstSequence": sequence + 1,
        "Reason": reason,
    }
    story = Event(OUTBOX_EPOCH, wall_ns, {"Epoch": epoch}, data, priority=Priority.ALARM)
    return Beginning(connection, sequence, epoch, dropped, story)
