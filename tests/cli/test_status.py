"""`vigie status`: it answers as long as there is a daemon to ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent.cli import vigie
from agent.config.last_good import remember
from agent.config.load import load

TEXT = '[node]\nid = "pole-1"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n'


def test_a_broken_file_does_not_hide_how_the_daemon_fares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last good configuration tells where the daemon listens, and stderr says that it serves; stdout holds the document."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    remember(path, load(path))
    path.write_text(TEXT + "rotation = 7\n")
    asked: list[Path] = []

    def answer(state_dir: Path, verb: str) -> dict[str, Any]:
        asked.append(state_dir)
        return {"verb": verb}

    monkeypatch.setattr("agent.operations.control_socket.ask", answer)
    result = CliRunner().invoke(vigie, ["status", "--config", str(path), "--json"])
    assert (result.exit_code, asked) == (0, [tmp_path / "state"])
    assert result.stdout == '{\n  "verb": "status"\n}\n'
    assert "the last good configuration serves" in result.stderr


def test_what_is_not_in_force_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused reload and keys that wait for a restart stand above everything else."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    health = {"node": "pole-1", "version": "1", "config_trouble": "line 7 is wrong", "restart_needed": ["camera.fps"]}
    monkeypatch.setattr("agent.operations.control_socket.ask", lambda *_: {**health, "camera": {"state": "delivering"}})
    lines = CliRunner().invoke(vigie, ["status", "--config", str(path)]).stdout.splitlines()
    place = {word: n for n, line in enumerate(lines) for word in ("line 7 is wrong", "camera.fps", "delivering") if word in line}
    assert place["line 7 is wrong"] < place["camera.fps"] < place["delivering"]
