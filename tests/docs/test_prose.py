"""Pages can be read in a terminal and compared line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MOST_LETTERS = 200


def prose(text: str) -> list[str]:
    """The lines that are neither a row of a table nor something to type."""
    found, typed = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            typed = not typed
        elif not typed and not line.startswith(("|", "    $ ")):
            found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_runs_off_the_screen(page: Path) -> None:
    """200 letters at most; most are at 120."""
    assert [line[:60] for line in prose(page.read_text(encoding="utf-8")) if len(line) > MOST_LETTERS] == []
