"""What every page must be: lines that fit a terminal, sentences of one breath, no word twice, none that says nothing.

Usage: `tools/lint_prose.py [PAGE...]`; without any, all pages of the repository. Exit code 1 when something is found.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
MOST_LETTERS = 160
MOST_WORDS = 45
EMPTY = (
    "simply", "obviously", "basically", "actually", "easily", "utilise", "utilize", "seamless", "seamlessly",
    "please note", "note that", "in order to", "of course", "is being", "was being", "it should be noted",
)  # fmt: skip
"""What a sentence loses nothing by."""
_EMPTY = re.compile(rf"\b({'|'.join(EMPTY)})\b", re.IGNORECASE)
_TWICE = re.compile(r"\b([a-z]+) \1\b")
_BEGINS_ANEW = re.compile(r"\s*(?:[-*#>|]|\d+[a-z]?\.)\s")
_BREATH = re.compile(r"(?<=[.!?])[*_)]*\s+(?=[A-Z*`\[(])|(?<=[:;])\s+")


class Fault(NamedTuple):
    """`line` counts from 1."""

    line: int
    what: str


class Paragraph(NamedTuple):
    """Running text: a paragraph, a point of a list, a heading. `line` is its first."""

    line: int
    text: str


def faults(page: str) -> list[Fault]:
    """Everything that is found on a page of Markdown, from top to bottom."""
    lines = list(_prose(page))
    found = [Fault(number, f"{len(line)} letters; {MOST_LETTERS} at most") for number, line in lines if len(line) > MOST_LETTERS]
    for paragraph in _paragraphs(lines):
        for clause in _BREATH.split(paragraph.text):
            words = len(clause.split())
            if words > MOST_WORDS:
                found.append(Fault(paragraph.line, f"{words} words in one breath; {MOST_WORDS} at most: {clause[:50]}..."))
        said = re.sub(r"[“\"][^”\"]*[”\"]", "", paragraph.text)
        found += [Fault(paragraph.line, f"{match[0]!r} says nothing") for match in _EMPTY.finditer(said)]
        found += [Fault(paragraph.line, f"{match[0]!r}: one is enough") for match in _TWICE.finditer(said)]
    return sorted(found)


def _prose(page: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither a row of a table nor something to type, with their numbers; those are empty."""
    typed = False
    before, typing = "", False
    for number, line in enumerate(page.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        typed ^= fence
        # Four letters of indent after an empty line, or below such a line, are something to type, unless a point goes on.
        code = line.startswith("    ") and (not before.strip() or typing or before.startswith(("    $ ", "#")))
        table = line.lstrip().startswith("|")
        yield number, "" if typed or fence or code or table else line
        before, typing = line, code and bool(line.strip())


def _paragraphs(lines: Sequence[tuple[int, str]]) -> Iterator[Paragraph]:
    at, words = 0, ""
    for number, line in [*lines, (0, "")]:
        if not line.strip() or _BEGINS_ANEW.match(line) or words.startswith("#"):
            if words:
                yield Paragraph(at, _plain(words))
            words = ""
        at = at if words else number
        words = f"{words} {line.strip()}".strip()


def _plain(text: str) -> str:
    """Names of code count as one word, links as what they say."""
    return re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "`x`", text))


def pages() -> list[Path]:
    """Every page of the repository."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def main(named: Sequence[str]) -> int:
    """One line for each fault: where, and what."""
    told = [
        f"{path}:{fault.line}: {fault.what}"
        for path in ([Path(name) for name in named] or pages())
        for fault in faults(path.read_text(encoding="utf-8"))
    ]
    sys.stderr.writelines(f"{line}\n" for line in told)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
