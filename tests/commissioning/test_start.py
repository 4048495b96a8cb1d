"""At its start the daemon says when the disk cannot hold the days that are promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.commissioning.start import warn_of_room
from agent.config.load import load
from agent.config.model import Config
from tests.support.recordings import Recordings
from tests.support.stock import lay_in


def config(tmp_path: Path, kbps: int, days: int) -> Config:
    """A node of this bit rate and promise."""
    path = tmp_path / "config.toml"
    path.write_text(
        f'[node]\nid = "mast-7"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n[encoding]\nbitrate_kbps = {kbps}\n'
        f"[recording]\nretention_days = {days}\n"
        '[privacy.none_needed]\nby = "A. Dupont"\non = 2026-11-01\nwhy = "a drawn square shows nobody"\n'
    )
    return load(path)


def test_a_disk_that_is_too_small_is_said_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """100 Mbit/s for 30 days is more than any disk here: one line with the days that fit and the remedy."""
    node = Recordings(tmp_path / "state")
    assert warn_of_room(config(tmp_path, 100_000, 30), node.catalog)
    assert "days fit, 30 are promised" in caplog.text
    assert "Remedy: a disk of" in caplog.text


def test_a_disk_that_is_large_enough_is_no_news(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said when all is well."""
    node = Recordings(tmp_path / "state")
    assert not warn_of_room(config(tmp_path, 50, 1), node.catalog)
    assert caplog.text == ""


def test_the_rate_is_measured_on_what_was_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A day of tiny segments says more than the configured bit rate."""
    node = Recordings(tmp_path / "state")
    lay_in(node, 24, seconds=3600, files=False)
    assert not warn_of_room(config(tmp_path, 100_000, 30), node.catalog)
