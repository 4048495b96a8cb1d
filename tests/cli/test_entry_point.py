"""The entry point: what goes wrong is one line that says what and where, never a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click
import pytest

from agent import cli


def test_a_file_the_system_refuses_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An OSError that no command put into words still tells the path and the reason, and is not called a bug."""

    @click.command()
    def refused() -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/film.mp4")

    monkeypatch.setattr(cli, "vigie", refused)
    assert cli.run([]) == 1
    said = capsys.readouterr().err
    assert "/srv/film.mp4: permission denied" in said
    assert "internal error" not in said
    assert len(said.splitlines()) == 1


def test_a_summary_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not after a night of filming: the missing directory is named at once, as wrong usage (2)."""
    missing = tmp_path / "missing"
    assert cli.run(["run", "--config", str(tmp_path / "c.toml"), "--summary", str(missing / "summary.json")]) == cli.WRONG_USAGE
    assert str(missing) in capsys.readouterr().err
