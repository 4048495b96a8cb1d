"""What SQLite's and the file system's refusals mean, judged by their codes: words change with a library, codes do not."""

from __future__ import annotations

import errno
import sqlite3

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_PRIMARY = 0xFF
"""An extended result code of SQLite carries its primary one in the lowest byte."""
_OF_ANOTHER_SCHEMA = ("no such table", "no such column", "has no column named")


def is_corrupt(error: BaseException | None) -> bool:
    """Whether pages of the database contradict each other."""
    return _code(error) == sqlite3.SQLITE_CORRUPT


def is_damage(error: BaseException | None) -> bool:
    """Whether the file itself is wrong (corrupt, no database, tables missing), rather than the disk busy, full or read-only."""
    return is_corrupt(error) or _code(error) == sqlite3.SQLITE_NOTADB or _lacks_tables(error)


def is_full(error: BaseException | None) -> bool:
    """Whether the disk has no room, which time may cure. An I/O error counts: SQLite reports a full log that way."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def cannot_open(error: BaseException | None) -> bool:
    """Whether a file of the database could not be opened or made, for whatever reason: SQLite does not tell which."""
    return _code(error) == sqlite3.SQLITE_CANTOPEN


def _code(error: BaseException | None) -> int | None:
    """SQLite's primary result code; None for an error that is not SQLite's own."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & _PRIMARY if isinstance(error, sqlite3.Error) and isinstance(code, int) else None


def _lacks_tables(error: BaseException | None) -> bool:
    """SQLite has one code for every statement that does not fit the schema, so here its words must tell. A test holds them."""
    return _code(error) == sqlite3.SQLITE_ERROR and any(sign in str(error) for sign in _OF_ANOTHER_SCHEMA)
