"""Text on a terminal: words are broken between, commands never."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.paragraph import columns, paragraph

WORD = st.text("abcdefghij", min_size=1, max_size=30)
COMMAND = st.lists(WORD, min_size=1, max_size=8).map(lambda words: f"`{' '.join(words)}`")


@given(st.lists(WORD | COMMAND, max_size=20), st.integers(40, 130), st.sampled_from([0, 2, 7, 31]))
def test_nothing_is_cut_and_nothing_is_lost(parts: list[str], width: int, indent: int) -> None:
    """Every command stands whole on one line; a line is only too long where one part alone is; the words are the same."""
    lines = paragraph(" ".join(parts), width, first=" " * indent, indent=indent)
    assert " ".join(lines).split() == " ".join(parts).split()
    for part in parts:
        assert any(part in line for line in lines)
    for line in lines:
        assert len(line) <= width or line.strip() in parts
        assert line == line.rstrip()


def test_a_pipe_gets_one_line() -> None:
    """What is broken there cannot be copied."""
    assert paragraph("a `b c` " * 50, None, first="  x ") == [("  x " + "a `b c` " * 50).rstrip()]


def test_a_command_that_does_not_fit_stands_on_a_line_of_its_own() -> None:
    """Further left, where its column is too narrow, and the words go on in their column."""
    lines = paragraph("do `aaaaaaaaaa bbbbbbbbbb cccccccccc` now", 40, first=f"{'name':<20}", indent=20)
    assert lines == ["name                do", "    `aaaaaaaaaa bbbbbbbbbb cccccccccc`", "                    now"]


def test_columns_are_those_somebody_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS goes before the terminal; without either nothing is broken."""
    monkeypatch.setenv("COLUMNS", "60")
    assert columns(io.StringIO()) == 60
    monkeypatch.setenv("COLUMNS", "5")
    assert columns(io.StringIO()) == 40
    monkeypatch.delenv("COLUMNS")
    assert columns(io.StringIO()) is None
