"""What somebody planted, or a mishap left, where SQLite has its files: the node starts, and nothing outside is touched."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base.clock import SystemClock
from agent.base.errors import OutboxError, ReplayCacheError, StorageError
from agent.events.outbox_store import OutboxStore
from agent.recording.catalog import Catalog
from agent.uplink.replay_cache import ReplayCache


def outbox(path: Path) -> None:
    """Open and close."""
    OutboxStore(path, SystemClock()).close()


def catalog(path: Path) -> None:
    """Open and close."""
    Catalog(path, path.parent).close()


def replay_cache(path: Path) -> None:
    """Opened and closed by each call."""
    ReplayCache(path, SystemClock()).begin()


KINDS: dict[str, Callable[[Path, Path], None]] = {
    "a link": lambda place, target: place.symlink_to(target),
    "a link to nothing": lambda place, target: place.symlink_to(target.with_name("nothing")),
    "a directory": lambda place, _: place.mkdir(),
    "a pipe": lambda place, _: os.mkfifo(place),
}
OPENED = (outbox, catalog, replay_cache)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("opened", OPENED, ids=lambda opened: opened.__name__)
def test_what_is_no_log_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, opened: Callable[[Path], None], suffix: str, kind: str
) -> None:
    """SQLite refuses a link and waits for a pipe: the start goes on, the log names it, and what a link points at stays."""
    path, target = tmp_path / "x.sqlite3", tmp_path / "precious"
    opened(path)
    target.write_bytes(b"precious")
    part = path.with_name(path.name + suffix)
    part.unlink(missing_ok=True)
    KINDS[kind](part, target)
    opened(path)
    assert f"{part} was no file of the database" in caplog.text
    assert os.path.lexists(f"{part}.no-log")
    assert target.read_bytes() == b"precious"
    assert not target.with_name("nothing").exists()


@pytest.mark.parametrize("kind", ["a directory", "a pipe"])
@pytest.mark.parametrize("opened", OPENED, ids=lambda opened: opened.__name__)
def test_what_stands_in_the_place_of_the_database_is_named(tmp_path: Path, opened: Callable[[Path], None], kind: str) -> None:
    """One sentence with the path and what to do; a full disk is not blamed."""
    path = tmp_path / "x.sqlite3"
    KINDS[kind](path, path)
    with pytest.raises((OutboxError, ReplayCacheError, StorageError), match="no regular file: move it away") as refused:
        opened(path)
    assert str(path) in str(refused.value)
    assert "Errno" not in str(refused.value)


def test_a_database_behind_a_link_is_used(tmp_path: Path) -> None:
    """Somebody gave the outbox a disk of its own: SQLite follows that, and its logs lie beside the file itself."""
    there = tmp_path / "other-disk"
    there.mkdir()
    (tmp_path / "x.sqlite3").symlink_to(there / "x.sqlite3")
    outbox(tmp_path / "x.sqlite3")
    with sqlite3.connect(there / "x.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM row").fetchone() == (1,)
