"""What the broker has: kept for a day, so that a hub that lost it can ask for it again.

It is no part of what is promised to be delivered, and enters no account: `row` in the outbox is. Every function works on the
caller's connection, the first inside the caller's transaction. Stills and bodies above `BODY_MOST` are not kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from agent.base.clock import NS
from agent.events.outbox_schema import NUMBER, row_of
from agent.events.row import Kind, Row

KEPT_NS = 24 * 3600 * NS
ROWS_MOST = 10_000
BODY_MOST = 4096

_KEEP = "INSERT OR REPLACE INTO sent SELECT *, ? FROM row WHERE sequence = ? AND kind != ? AND length(body) <= ?"
_TOO_OLD = "DELETE FROM sent WHERE sent_ns < ?"
_TOO_MANY = "DELETE FROM sent WHERE sequence <= (SELECT sequence FROM sent ORDER BY sequence DESC LIMIT 1 OFFSET ?)"
_COLUMNS = "sequence, epoch, event_id, priority, kind, raised_ns, quality, body, about"
_SPAN = "WHERE epoch = :epoch AND sequence BETWEEN :first AND :last"
_ASKED = (
    f"SELECT {_COLUMNS}, {NUMBER.format(table='sent')}, 0 FROM sent {_SPAN} UNION ALL "  # noqa: S608
    f"SELECT {_COLUMNS}, {NUMBER.format(table='row')}, 1 FROM row {_SPAN} ORDER BY sequence LIMIT :most"
)


def keep(connection: sqlite3.Connection, sequences: Collection[int], now_ns: int) -> None:
    """These are about to leave the outbox, since the broker has them."""
    values = [(now_ns, sequence, Kind.STILL.value, BODY_MOST) for sequence in sequences]
    connection.executemany(_KEEP, values)


def trim(connection: sqlite3.Connection, now_ns: int | None) -> None:
    """Let go of what is too old, and of the oldest of too many; `now_ns` None: the clock cannot tell what is old."""
    if now_ns is not None:
        connection.execute(_TOO_OLD, (now_ns - KEPT_NS,))
    connection.execute(_TOO_MANY, (ROWS_MOST,))


def asked_for(connection: sqlite3.Connection, epoch: str, first: int, last: int, most: int) -> list[tuple[Row, bool]]:
    """The first of a span, `most` at most, in their sequence: each with whether it is in the outbox still."""
    asked = {"epoch": epoch, "first": first, "last": last, "most": most}
    return [(row_of(values), bool(within)) for *values, within in connection.execute(_ASKED, asked)]
