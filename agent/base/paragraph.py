"""Text as it stands on a terminal: broken between words, and a command never, so that it can be copied."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import IO, Final

_UNBREAKABLE: Final = re.compile(r"(?:[^ \t\n`]*`[^`]*`)+[^ \t\n`]*|[^ \t\n]+")
"""A word, or a command between backticks with what touches it. A space that does not break, as before a French colon, touches."""
LEAST_COLUMNS, USUAL_COLUMNS = 40, 80
UNBROKEN: Final = 10_000
"""Columns of a pipe or a file, where something has to be given: what is broken there cannot be copied or searched."""
OUTDENT: Final = 4
"""Where something stands that is too long for the column of its paragraph."""


def columns(stream: IO[str]) -> int | None:
    """How wide the place is that `stream` goes to: COLUMNS where somebody set it, else the terminal; None for a pipe or a file.

    What is broken there cannot be copied or searched.
    """
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return max(LEAST_COLUMNS, int(wanted))
    if not stream.isatty():
        return None
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return max(LEAST_COLUMNS, found or USUAL_COLUMNS)  # a serial console says 0


def paragraph(text: str, width: int | None, *, first: str = "", indent: int = 0) -> list[str]:
    """`text` behind `first`, its further lines `indent` columns in; `width` None leaves it one line.

    What does not fit beside other words stands on a line of its own, further left where it must, and is never cut.
    """
    if width is None:
        return [f"{first}{text}".rstrip()]
    return list(_lines(parts(text), width, first, indent))


def parts(text: str) -> list[str]:
    """What of it is never broken: words, and commands."""
    return _UNBREAKABLE.findall(text)


def _lines(words: list[str], width: int, first: str, indent: int) -> Iterator[str]:
    line, is_empty = first, True
    for word in words:
        gap = "" if is_empty else " "
        if len(line) + len(gap) + len(word) <= width:
            line, is_empty = f"{line}{gap}{word}", False
            continue
        if line.strip():
            yield line.rstrip()
        margin = indent if indent + len(word) <= width else min(indent, OUTDENT)
        line, is_empty = f"{'':<{margin}}{word}", False
        if margin != indent:
            yield line
            line, is_empty = f"{'':<{indent}}", True
    if line.strip():
        yield line.rstrip()
