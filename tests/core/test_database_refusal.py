"""Refusals are judged by their codes; each comes from the real library here."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.base.database_refusal import cannot_open, is_corrupt, is_damage, is_full
from tests.support.database_errors import full_database

PAGE = 4096


def refusal(path: Path, *statements: str) -> sqlite3.Error:
    """What the last statement raises."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute(statements[-1]).fetchall()
    return raised.value


def made(path: Path) -> Path:
    """A database of some pages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO kept (text) VALUES (?)", [("x" * 500,)] * 100)
    return path


def torn(path: Path) -> sqlite3.Error:
    """Pages overwritten."""
    content = bytearray(made(path).read_bytes())
    content[PAGE:] = b"\xff" * (len(content) - PAGE)
    path.write_bytes(content)
    return refusal(path, "SELECT count(text) FROM kept")


def no_database(path: Path) -> sqlite3.Error:
    """Something else under its name."""
    path.write_bytes(b"this is a letter to the mayor. " * 100)
    return refusal(path, "SELECT 1 FROM kept")


def busy(path: Path) -> sqlite3.Error:
    """Another connection writes."""
    with closing(sqlite3.connect(made(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        return refusal(path, "BEGIN IMMEDIATE")


def read_only(path: Path) -> sqlite3.Error:
    """It may be read alone."""
    return refusal(made(path), "PRAGMA query_only = ON", "DELETE FROM kept")


def nowhere(path: Path) -> sqlite3.Error:
    """Its directory is not there."""
    with pytest.raises(sqlite3.Error) as raised:
        sqlite3.connect(path / "deeper" / "still")
    return raised.value


def full(path: Path) -> sqlite3.Error:
    """No page is left."""
    return full_database()


def a_slip_of_ours(path: Path) -> sqlite3.Error:
    """A statement that no schema suits."""
    return refusal(made(path), "COMMIT")


def lacks(statement: str) -> Callable[[Path], sqlite3.Error]:
    """A program of another schema asks."""
    return lambda path: refusal(made(path), statement)


SPECIMENS: dict[str, tuple[Callable[[Path], sqlite3.Error], set[str]]] = {
    "torn": (torn, {"corrupt", "damage"}),
    "no database": (no_database, {"damage"}),
    "no table": (lacks("SELECT 1 FROM missing"), {"damage"}),
    "no column": (lacks("SELECT missing FROM kept"), {"damage"}),
    "no column to write": (lacks("INSERT INTO kept (missing) VALUES (1)"), {"damage"}),
    "full": (full, {"full"}),
    "busy": (busy, set()),
    "read only": (read_only, set()),
    "nowhere": (nowhere, {"unopened"}),
    "a slip of ours": (a_slip_of_ours, set()),
}


def judged(error: BaseException | None) -> set[str]:
    """Every judgement that holds of it."""
    verdicts = {"corrupt": is_corrupt, "damage": is_damage, "full": is_full, "unopened": cannot_open}
    return {name for name, holds in verdicts.items() if holds(error)}


@pytest.mark.parametrize("name", SPECIMENS)
def test_what_sqlite_refuses_is_told_apart(name: str, tmp_path: Path) -> None:
    """Damage is set aside, want of room is waited for, and neither is taken for the other, nor a busy database for any."""
    raised, meant = SPECIMENS[name]
    assert judged(raised(tmp_path / "some.sqlite3")) == meant


@pytest.mark.parametrize("words", ["database or disk is full", "database disk image is malformed", "no such table: kept"])
def test_words_alone_say_nothing(words: str) -> None:
    """A text that somebody else wrote, or a name in a path, is no verdict of SQLite's."""
    assert judged(sqlite3.OperationalError(words)) == set()
    assert judged(OSError(errno.EACCES, words)) == set()


@pytest.mark.parametrize(("number", "meant"), [(errno.ENOSPC, {"full"}), (errno.EDQUOT, {"full"}), (errno.EROFS, set())])
def test_what_the_file_system_refuses(number: int, meant: set[str]) -> None:
    """A used-up quota is want of room as a full disk is."""
    assert judged(OSError(number, "some words")) == meant


def test_nothing_is_no_refusal() -> None:
    """An error without a cause is judged as none."""
    assert judged(None) == set()
