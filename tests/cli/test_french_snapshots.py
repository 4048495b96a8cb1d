"""What doctor and status look like in French, at 80 columns and piped; `VIGIE_SNAPSHOTS=write` as in test_snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.base import language
from tests.cli.test_snapshots import SHOWN, compare, piped


@pytest.fixture(autouse=True)
def french(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader of French."""
    monkeypatch.delenv("COLUMNS", raising=False)
    language.begin({"LANG": "fr_FR.UTF-8"})
    yield
    language.end()


@pytest.mark.parametrize("name", ["doctor", "status", "status-v"])
def test_at_eighty_columns(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The columns hold with longer words, and no line is wider but for a command."""
    monkeypatch.setenv("COLUMNS", "80")
    said = piped(SHOWN[name], tmp_path, monkeypatch)
    compare(f"fr-{name}-80", said)
    assert [line for line in said.splitlines() if len(line) > 80 and "`" not in line] == []


@pytest.mark.parametrize("name", ["doctor", "status"])
def test_in_a_pipe(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command stands on one line."""
    compare(f"fr-{name}-piped", piped(SHOWN[name], tmp_path, monkeypatch))
