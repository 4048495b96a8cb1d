"""Refusals as SQLite itself raises them, with its codes: for tests that have no disk to fill."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest


def full_database() -> sqlite3.OperationalError:
    """What a statement raises that finds no room."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE kept (text)")
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("INSERT INTO kept VALUES (zeroblob(100000))")
    return raised.value
