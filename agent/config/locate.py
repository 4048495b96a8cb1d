"""Where every key and value of a TOML text stands: tomllib gives the values, this gives their lines and columns.

Reads only what tomllib has accepted already, so it never judges the grammar; the two are fuzzed against each other.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from agent.base.phrase import say

KeyPath = tuple[str | int, ...]
"""`("privacy", "mask", 1, "polygon", 0)`: keys of tables and indices of arrays, from the top of the file."""


def dotted(path: KeyPath) -> str:
    """`privacy.mask[1].polygon`, as a person names it; array elements count from 0, as in TOML."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text


def spoken(path: KeyPath, content: Mapping[str, Any]) -> str:
    """The same for people: `privacy.mask "bakery".polygon, corner 3`. What has no name is counted from 1."""
    text, value = "", content
    for n, step in enumerate(path):
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            value = {}
        if isinstance(step, str):
            text += f"{'.' if text else ''}{step}"
        elif path[n - 1] == "polygon":
            text += say(", corner {number}", number=step + 1)
        elif isinstance(path[n - 1], int):
            text += f", {'xy'[step]}" if step < 2 else say(", number {number}", number=step + 1)
        else:
            name = value.get("name") if isinstance(value, Mapping) else None
            text += f' "{name}"' if isinstance(name, str) and name.isprintable() and 0 < len(name) <= 80 else f" {step + 1}"
    return text


class TextSpan(Struct, frozen=True):
    """A stretch of one line. `line` and `column` count from 1; `column` and `length` are in characters.

    Of a value over several lines, the span covers what stands on its first.
    """

    line: int
    column: int
    length: int


class KeyPlace(Struct, frozen=True):
    """Where a key and its value stand. An array's element has no key, a table's header no value: both spans are the same."""

    key: TextSpan
    value: TextSpan


def locate(text: str) -> Mapping[KeyPath, KeyPlace]:
    """The place of every table, key and array element of `text`, which tomllib must have accepted.

    Line ends must be plain newlines. A table spread over several headers stands at its own header, else at the first key
    that made it.
    """
    return _Scanner(text).scan()


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INDENT = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{1,2})?', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{1,2})?", re.DOTALL)
# A date and its time may be parted by one space; nothing else that is bare holds one.
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+|[^\s,\]}#]+")


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._places: dict[KeyPath, KeyPlace] = {}
        self._arrays: dict[KeyPath, int] = {}  # arrays of tables, and how many tables each has so far

    def scan(self) -> dict[KeyPath, KeyPlace]:
        table: KeyPath = ()
        self._take(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._take(_BLANK)
        return self._places

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        parts = self.key()
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for name, span in parts[:-1]:
            path = self._inside((*path, name), span)
        name, span = parts[-1]
        path = (*path, name)
        place = KeyPlace(span, span)
        if is_array:
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            self._places.setdefault(path, place)
            path = (*path, index)
        self._places[path] = place
        return path

    def _inside(self, path: KeyPath, span: TextSpan) -> KeyPath:
        """The table that `path` leads into: of an array of tables it is the last one."""
        self._places.setdefault(path, KeyPlace(span, span))
        return (*path, self._arrays[path] - 1) if path in self._arrays else path

    def _pair(self, table: KeyPath) -> None:
        path = table
        parts = self.key()
        for name, span in parts[:-1]:
            path = (*path, name)
            self._places.setdefault(path, KeyPlace(span, span))
        name, span = parts[-1]
        self._at += 1  # the equals sign
        path = (*path, name)
        self._places[path] = KeyPlace(span, self._value(path))

    def key(self) -> list[tuple[str, TextSpan]]:
        """The parts of a dotted key; stops at what follows it."""
        parts = []
        while True:
            self._take(_INDENT)
            start = self._at
            written = self._take(_BASIC, _LITERAL, _BARE_KEY)
            name = written if written[:1] not in ("'", '"') else str(tomllib.loads(f"k={written}")["k"])
            parts.append((name, self._span(start)))
            self._take(_INDENT)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> TextSpan:
        self._take(_INDENT)
        start = self._at
        match self._text[start]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._take(_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _SCALAR)
        return self._span(start)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        self._take(_BLANK)
        while not self._text.startswith("]", self._at):
            span = self._value((*path, index))
            self._places[(*path, index)] = KeyPlace(span, span)
            index += 1
            self._take(_BLANK)
            if self._text.startswith(",", self._at):
                self._at += 1
                self._take(_BLANK)
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._take(_BLANK)
        while not self._text.startswith("}", self._at):
            self._pair(path)
            self._take(_BLANK)
            if self._text.startswith(",", self._at):
                self._at += 1
                self._take(_BLANK)
        self._at += 1

    def _take(self, *patterns: re.Pattern[str]) -> str:
        for pattern in patterns:
            match = pattern.match(self._text, self._at)
            if match:
                self._at = match.end()
                return match.group()
        raise AssertionError(f"tomllib accepted what the scanner cannot read at character {self._at}")

    def _span(self, start: int) -> TextSpan:
        row = bisect_right(self._line_starts, start) - 1
        line_end = self._text.find("\n", start)
        end = min(self._at, line_end if line_end >= 0 else len(self._text))
        return TextSpan(row + 1, start - self._line_starts[row] + 1, max(1, end - start))


def strict_key(line: str) -> KeyPath:
    """The dotted key that a line of TOML sets, without its value; `()` for a header, a comment or a blank line."""
    if not line.strip() or line.lstrip().startswith(("#", "[")):
        return ()
    return tuple(name for name, _ in _Scanner(line).key())


def strict_whole(line: str) -> bool:
    """True for a line that is TOML by itself, so that nothing of it goes on below."""
    try:
        tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return False
    return True
