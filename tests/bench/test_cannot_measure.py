"""A benchmark that cannot measure says why."""

from __future__ import annotations

import pytest

from agent.cli import run
from bench import node


def test_why_a_benchmark_gave_up_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What its process left in the log reaches whoever typed the command, with an exit code that is none of success."""

    def give_up(_: object) -> None:
        raise SystemExit("vigie run left with 1:\nthe disk is full")

    monkeypatch.setattr(node, "run", give_up)
    assert run(["bench", "node"]) == 1
    assert "the disk is full" in capsys.readouterr().err
