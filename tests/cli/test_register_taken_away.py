"""`vigie register --verify` where the register itself is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli import run


@pytest.mark.parametrize("witness", ["register.sent", "catalog.sqlite3", "outbox.sqlite3"])
def test_a_register_that_was_taken_away_is_a_finding(tmp_path: Path, witness: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty register without its head, and beside it what a node makes after its first entry: 3, in words and in JSON."""
    (tmp_path / witness).write_bytes(b"1")
    (tmp_path / "register.jsonl").touch()
    register = ["register", "--verify", "--file", str(tmp_path / "register.jsonl")]
    assert run(register) == 3
    assert f"beside {witness}" in capsys.readouterr().out
    assert run([*register, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["taken_away"] is True


def test_an_empty_register_of_a_node_that_never_ran_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was entered, and nothing says otherwise."""
    (tmp_path / "register.jsonl").touch()
    assert run(["register", "--verify", "--file", str(tmp_path / "register.jsonl")]) == 0
    assert "nothing was entered yet" in capsys.readouterr().out
