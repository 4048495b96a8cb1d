"""The doctor for somebody who may not look: one line, one command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.cli import run

TEXT = '[node]\nid = "pole-1"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n'


@pytest.mark.parametrize("is_above", [False, True])
def test_whoever_may_not_look_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_above: bool
) -> None:
    """Neither a camera that seems broken nor a subject after the other: also where a directory above is closed."""
    path, state = tmp_path / "config.toml", tmp_path / "state"
    path.write_text(TEXT)
    state.mkdir()
    access, stat = os.access, Path.stat

    def closed(at: Path, mode: int) -> bool:
        return at != state and access(at, mode)

    def hidden(at: Path, **more: bool) -> os.stat_result:
        if at == state:
            raise PermissionError(13, "Permission denied", str(at))
        return stat(at, **more)

    monkeypatch.setattr(*(("pathlib.Path.stat", hidden) if is_above else ("os.access", closed)))
    assert run(["doctor", "--config", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"vigie: you may not look into {state}. `sudo vigie doctor`\n"


@pytest.mark.parametrize("command", ["doctor", "check", "status"])
def test_a_configuration_that_one_may_not_read_wants_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The command was right, so its usage is no help."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    access = os.access
    monkeypatch.setattr("os.access", lambda at, mode, **more: os.fspath(at) != str(path) and access(at, mode, **more))
    monkeypatch.setattr("sys.argv", ["/usr/bin/vigie", command, "--config", str(path)])
    assert run([command, "--config", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vigie {command}: '{path}' is not readable by this user. ")
    assert line.endswith(f"Use sudo: `sudo vigie {command} --config {path}`")
