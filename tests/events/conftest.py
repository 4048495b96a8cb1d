"""A clock and a place for outboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until told."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database goes."""
    return tmp_path / "outbox.sqlite3"
