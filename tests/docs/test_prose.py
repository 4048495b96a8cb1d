"""Pages can be read in a terminal, compared line by line, and by somebody with school English."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.lint_prose import MOST_LETTERS, MOST_WORDS, ROOT, faults, pages


def words(count: int) -> str:
    """So many, none twice in a row."""
    return "".join("up " if number % 2 else "in " for number in range(count))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_reads_well(page: Path) -> None:
    """Lines that fit, sentences of one breath, no word twice, none that says nothing."""
    assert faults(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("page", "line", "says"),
    [
        ("# Masks\n" + "a" * (MOST_LETTERS + 1), 2, "letters"),
        ("One.\n\nTwo. " + words(MOST_WORDS) + "more.", 3, "words in one breath"),
        ("- one\n- " + words(MOST_WORDS) + "\n  and more.", 2, "words in one breath"),
        ("It is is there.", 1, "one is enough"),
        ("It is\nis there.", 1, "one is enough"),
        ("Simply type `make`.", 1, "says nothing"),
        ("The card is\nbeing read.", 1, "says nothing"),
    ],
)
def test_what_reads_badly_is_found(page: str, line: int, says: str) -> None:
    """With its line."""
    (fault,) = faults(page)
    assert fault.line == line
    assert says in fault.what


@pytest.mark.parametrize(
    "page",
    [
        "```\n" + "a" * 500 + "\n```",
        "Type:\n\n    $ " + "openssl " * 60 + "\n    its answer answer\n",
        "| " + "cell " * 100 + "|",
        "## Heading\n" + words(MOST_WORDS - 1) + "end.",
        "One thing: " + words(30) + "; " + words(30),
        "`" + "a " * 100 + "` is one word.",
        'The page says "simply".',
    ],
)
def test_what_is_no_prose_is_left_alone(page: str) -> None:
    """Code, tables, and what somebody else said; a breath is taken at a semicolon as well."""
    assert [fault for fault in faults(page) if "letters" not in fault.what] == []


def test_the_command_names_page_and_line(tmp_path: Path) -> None:
    """As `make lint` shows it: one line for each, and the code that stops it."""
    page = tmp_path / "page.md"
    page.write_text("# One\n\nIt is is there.\n")
    done = subprocess.run([sys.executable, ROOT / "tools/lint_prose.py", page], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"{page}:3: 'is is': one is enough\n")
