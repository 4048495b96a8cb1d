"""A text cut into what was meant as one header or one setting each, whether it is TOML or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

_HEADER = re.compile(r"^\s*\[{1,2}\s*[A-Za-z_][\w. -]*(\]{1,2}\s*(#.*)?)?$")
_SETTING = re.compile(r"^\s*[A-Za-z_][\w.-]*\s*(=|:(?!//))")
_SIGN = re.compile(r"^[^=:\"'\[\]{}]+[=:]")
_STRING = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"?|\'[^\']*\'?|#.*')
_UNSEEN = re.compile("[\u00a0\u1680\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff\x00-\x08\x0b-\x1f\x7f]")
_MOST_JOINED = 5
"""Lines over which a text may have been wrapped by an editor."""


class Statement(Struct, frozen=True):
    """One header, setting, or line that is neither. `row` counts from 0."""

    row: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it stands."""
        return "\n".join(self.lines)


def statements(lines: Sequence[str]) -> Iterator[Statement]:
    """Every line is in one statement, blank lines and comments in one of their own."""
    row = 0
    while row < len(lines):
        count = _length(lines, row)
        yield Statement(row, tuple(lines[row : row + count]))
        row += count


def seen(line: str) -> str:
    """Without what an editor or a web page smuggled in."""
    return _UNSEEN.sub(lambda m: " " if m[0] in "\u00a0\u202f\u2009" else "", line)


def begins(line: str) -> bool:
    """True for a line that can only be meant as a header or the begin of a setting."""
    return bool(_HEADER.match(line) or _SETTING.match(line))


def _length(lines: Sequence[str], row: int) -> int:
    line = lines[row]
    if not line.strip() or line.lstrip().startswith("#") or _HEADER.match(line):
        return 1
    if not _SIGN.match(line):
        return 1
    value = re.split(r"[=:]", line, maxsplit=1)[-1].strip()
    for quotes in ('"""', "'''"):
        if value.startswith(quotes):
            return _up_to(lines, row, quotes, begun=quotes not in value[3:])
    if value.startswith(("[", "(", "{")):
        return _list(lines, row)
    if value.startswith('"') and value.count('"') == 1:
        return _wrapped(lines, row)
    return 1


def _up_to(lines: Sequence[str], row: int, quotes: str, *, begun: bool) -> int:
    end = row + 1
    while begun and end < len(lines) and not _HEADER.match(lines[end]):
        begun = quotes not in lines[end]
        end += 1
    return 1 if begun else end - row


def _list(lines: Sequence[str], row: int) -> int:
    """Until its brackets are balanced, or the next statement begins. What follows a trailing comma belongs to it too."""
    depth, end = 0, row
    while end < len(lines):
        bare = _STRING.sub(lambda m: "" if m[0].startswith("#") else "x", lines[end])
        depth += len(re.findall(r"[\[({]", bare)) - len(re.findall(r"[\])}]", bare))
        end += 1
        if depth <= 0 and not (bare.rstrip().endswith(",") and end < len(lines) and re.match(r"\s*[\[(]\s*[\d.]", lines[end])):
            break
        if end < len(lines) and (begins(lines[end]) or (not lines[end].strip() and _nothing_follows(lines, end))):
            break
    while end > row + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end - row


def _nothing_follows(lines: Sequence[str], row: int) -> bool:
    """No more of a list behind these blank lines."""
    rest = next((line for line in lines[row:] if line.strip()), None)
    return rest is None or begins(rest)


def _wrapped(lines: Sequence[str], row: int) -> int:
    """A text that an editor wrapped: up to the line that closes it."""
    for end in range(row + 1, min(len(lines), row + _MOST_JOINED)):
        line = lines[end].strip()
        if not line or line.startswith("#") or begins(line):
            break
        if line.endswith('"') and line.count('"') == 1:
            return end + 1 - row
    return 1
