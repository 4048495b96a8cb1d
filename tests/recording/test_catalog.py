"""The catalog's commits: whole or not at all, and usable again after a refusal."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from agent.base.clock import ClockQuality
from agent.base.errors import StorageError
from agent.recording.catalog import Catalog
from agent.recording.row import NewSegment
from tests.support.recordings import Recordings


def new(catalog: Catalog, name: str) -> NewSegment:
    """A segment about to begin."""
    return NewSegment(catalog.root / name, "boot", 0, 0, ClockQuality.SYNCHRONISED, 0)


def test_a_full_disk_refuses_a_commit_and_not_the_next_one(tmp_path: Path) -> None:
    """SQLite's own 'database or disk is full', in the middle and at the commit: nothing is half there, all works afterwards."""
    catalog = Catalog(tmp_path / "catalog.sqlite3", tmp_path / "recordings")
    catalog.begin(new(catalog, "a.mp4"))
    pages = catalog._db.execute("PRAGMA page_count").fetchone()[0]
    catalog._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="full"):
        for i in range(10_000):
            catalog.begin(new(catalog, f"{i}.mp4"))
    held = catalog.stock().segments
    catalog._db.execute("PRAGMA max_page_count = 100000")
    catalog.begin(new(catalog, "z.mp4"))
    assert catalog.stock().segments == held + 1


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """Whatever COMMIT says, the next change begins anew."""
    catalog = Catalog(tmp_path / "catalog.sqlite3", tmp_path / "recordings")
    real = catalog._db

    class Failing:
        in_transaction = True

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return real.execute(statement, *values)

    catalog._db = cast(sqlite3.Connection, Failing())
    with pytest.raises(StorageError, match="I/O"):
        catalog.begin(new(catalog, "a.mp4"))
    catalog._db = real
    catalog.begin(new(catalog, "a.mp4"))
    assert catalog.stock().segments == 1


def test_a_catalog_of_another_version_is_refused(tmp_path: Path) -> None:
    """A newer program's catalog is left as it is, and the remedy said."""
    Catalog(tmp_path / "catalog.sqlite3", tmp_path).close()
    db = sqlite3.connect(tmp_path / "catalog.sqlite3")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match="version 99"):
        Catalog(tmp_path / "catalog.sqlite3", tmp_path)


def test_the_order_is_that_of_recording_not_of_clocks(node: Recordings) -> None:
    """Rows come in the order in which they were begun, whatever wall time they bear."""
    for name, wall_ns in (("a.mp4", 500), ("b.mp4", 100), ("c.mp4", 300)):
        node.catalog.begin(NewSegment(node.root / name, "boot", 0, wall_ns, ClockQuality.HOLDOVER, 0))
    assert [row.path.name for row in node.catalog.unsettled()] == ["a.mp4", "b.mp4", "c.mp4"]


def test_one_name_is_one_segment(node: Recordings) -> None:
    """Two rows for one file would destroy it twice: refused."""
    node.catalog.begin(new(node.catalog, "a.mp4"))
    with pytest.raises(StorageError):
        node.catalog.begin(new(node.catalog, "a.mp4"))
