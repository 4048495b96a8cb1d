"""The entry point: what goes wrong is one line that says what and where, never a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click
import pytest

from agent import cli
from agent.cli import run
from agent.cli._instant import Instant


def test_a_file_the_system_refuses_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An OSError that no command put into words still tells the path and the reason, and is not called a bug."""

    @click.command()
    def refused() -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/srv/film.mp4")

    monkeypatch.setattr(cli, "vigie", refused)
    assert run([]) == 1
    said = capsys.readouterr().err
    assert "/srv/film.mp4: permission denied" in said
    assert "internal error" not in said
    assert len(said.splitlines()) == 1


def test_a_summary_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not after a night of filming: the missing directory is named at once, as wrong usage (2)."""
    missing = tmp_path / "missing"
    assert run(["run", "--config", str(tmp_path / "c.toml"), "--summary", str(missing / "summary.json")]) == cli.WRONG_USAGE
    assert str(missing) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["bogus"], "bogus"),
        (["run", "--fro"], "--fro"),
        (["verify", "film.mp4"], "--ca"),
        (["hold", "add", "--from", "yesterday"], "2026-11-23T10:15:00Z"),
        (["hold", "add", "--by", "A\x1b[2JB"], "printed"),
        (["hold", "release", "1", "--by", " "], "register"),
        (["hold", "release", "1", "--by", "A"], "'A' is too short for the register: write at least 2 letters"),
        (["export", "--reference", "12"], "'12' is too short for the register: write at least 3 letters"),
        (["export", "--operator", "x" * 201], "201 letters"),
        (["export", "--reference", "PV\n12"], "printed"),
        (["export", "--from", "9999-12-31T00:00:00Z"], "1970 to 2261"),
        (["watch", "--broker", "http://hub"], "mqtts://host:8883"),
    ],
)
def test_wrong_usage_is_one_line_and_2(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong, what would be right, and where the usage stands."""
    assert run(arguments) == cli.WRONG_USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vigie")
    assert named in line
    assert "--help" in line


def test_a_time_keeps_its_microseconds_and_its_offset() -> None:
    """RFC 3339 to nanoseconds of Unix time, exactly."""
    assert Instant().convert("2026-11-23T11:15:00.123456+01:00", None, None) == 1_795_428_900_123_456_000
