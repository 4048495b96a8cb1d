"""Slips in TOML itself: placed, said in a technician's words, and stepped over so that one does not hide the next."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from agent.config.locate import KeyPath, Place, Span, locate

MOST_SLIPS = 20
"""Of one file; who has more has opened the wrong file."""

STAND_IN = "0"
"""Put in the place of a value that is no TOML, to read on behind it; taken out again before anyone sees the content."""

_SECOND, _SECOND_WRITTEN = "\x7f second", "\\u007f second"
"""Stands for the header of a table that is declared twice: no key that a person writes."""


class Slip(Struct, frozen=True):
    """One place that is no TOML; `span` is None when tomllib cannot say where."""

    span: Span | None
    what: str
    remedy: str


class Parsed(Struct, frozen=True):
    """A text as far as it is TOML. `damaged` are the keys whose values were lost; not `whole`: nothing of it can be judged."""

    lines: tuple[str, ...]
    content: Mapping[str, Any]
    places: Mapping[KeyPath, Place]
    slips: tuple[Slip, ...] = ()
    damaged: frozenset[KeyPath] = frozenset()
    whole: bool = True


def parse(text: str) -> Parsed:
    """Parse `text`, whose line ends are plain newlines. Never raises."""
    original = tuple(text.split("\n"))
    lines = list(original)
    slips: list[Slip] = []
    stood_in: set[int] = set()
    lost_a_key = False
    while True:
        text = "\n".join(lines)
        try:
            content = tomllib.loads(text)
            places = locate(text)
            break
        except tomllib.TOMLDecodeError as error:
            what, span = _placed(str(error), lines)
            row = span.line - 1
            if row not in stood_in:
                slips.append(_slip(what, span, original))
            key = _one_line_value(lines[row], span.column - 1)
            if (key is None and not what.startswith("Cannot")) or len(slips) >= MOST_SLIPS:
                return Parsed(original, {}, {}, tuple(slips), whole=False)
            if lines[row].lstrip().startswith("["):
                lines[row] = f'["{_SECOND_WRITTEN} {row}"]'  # what stands below it must not fall into the table above
                lost_a_key = True
            elif what.startswith("Cannot") or row in stood_in:
                lost_a_key = lost_a_key or row in stood_in
                lines[row] = ""
            else:
                lines[row] = f"{key}= {STAND_IN}"
            stood_in.add(row)
        except RecursionError:
            slips.append(Slip(None, "brackets are nested too deeply", "no key needs more than three levels"))
            return Parsed(original, {}, {}, tuple(slips), whole=False)
        except ValueError:  # a number of thousands of digits
            slips.append(Slip(None, "a number has too many digits", "look for a key that was held down"))
            return Parsed(original, {}, {}, tuple(slips), whole=False)
    for name in [name for name in content if name.startswith(_SECOND)]:
        del content[name]
    damaged = {path for path, place in places.items() if place.key.line - 1 in stood_in and isinstance(path[-1], str)}
    damaged = {path for path in damaged if not str(path[0]).startswith(_SECOND)}
    for path in damaged:
        _take_out(content, path)
    return Parsed(original, content, places, tuple(slips), frozenset(damaged | ({()} if lost_a_key else set())))


def _take_out(content: dict[str, Any], path: KeyPath) -> None:
    table: Any = content
    for step in path[:-1]:
        table = table[step]
    if table.get(path[-1]) == int(STAND_IN):
        del table[path[-1]]


_KEY_AND_EQUALS = re.compile(r"^\s*[^=#\[\]]+(?==)")


def _one_line_value(line: str, at: int) -> str | None:
    """The key of a line that holds one whole setting whose value is what is wrong; None when the slip reaches further."""
    match = _KEY_AND_EQUALS.match(line)
    if match is None or at <= match.end() or '"""' in line or "'''" in line:
        return None
    balanced = line.count("[") == line.count("]") and line.count("{") == line.count("}")
    return match.group() if balanced else None


_PLACED = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)


def _placed(message: str, lines: list[str]) -> tuple[str, Span]:
    """What tomllib says, and where: behind the last thing written when it says `at end of document`."""
    match = _PLACED.match(message)
    what = match["what"] if match else message
    if match and match["line"]:
        return what, Span(int(match["line"]), int(match["column"]), 1)
    row = max((i for i, line in enumerate(lines) if line.strip()), default=0)
    return what, Span(row + 1, len(lines[row]) + 1, 1)


def _slip(what: str, span: Span, lines: tuple[str, ...]) -> Slip:
    line = lines[span.line - 1]
    at = span.column - 1
    if what.startswith("Cannot"):  # tomllib points behind what it refuses: a second value for a key, a table declared twice
        name = line.partition("=")[0].strip()
        span = Span(span.line, line.index(name) + 1, max(1, len(name)))
        return Slip(span, f"{name} is given twice, or was something else before", "keep one of the two")
    for sign in "“”„«»":
        if sign in line:
            return Slip(Span(span.line, line.index(sign) + 1, 1), "this quotation mark is typographic", 'write straight ones: "')
    day = _DAY.match(line)  # tomllib points behind the digits that could be a number
    if day is not None and not _is_day(day["day"]):
        return Slip(Span(span.line, day.start("day") + 1, len(day["day"])), f"{day['day']} is no date", "write 2026-11-23")
    words = _in_plain_words(what, line, at)
    return Slip(span, *words)


_DAY = re.compile(
    r"^\s*[^=#\[\]{\"']+=\s*(?P<day>(?:\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4})(?![\d.])[T\d:Z+-]*)"
)
"""A value with the look of a date, in any country's order."""


def _is_day(written: str) -> bool:
    try:
        datetime.fromisoformat(written)
    except ValueError:
        return False
    return True


def _in_plain_words(what: str, line: str, at: int) -> tuple[str, str]:
    """What is wrong and the remedy, for the slips people make; `what` is tomllib's message, `line[at]` where it points."""
    rest = line[at:]
    head, _, value = line.partition("=")
    if re.search(r"=\s*-?\d+,\d+\s*(#.*)?$", line):
        return "decimals take a point", f"write {head.strip()} = {value.partition('#')[0].strip().replace(',', '.')}"
    if re.match(r"(True|False|TRUE|FALSE|yes|no|on|off|oui|non)\b", rest):
        return f"{rest.split()[0]} is no value", "write true or false, in small letters"
    if re.match(r"[A-Za-z/~]", rest) and "=" in line[:at] and what.startswith("Invalid value"):
        return "a text without quotation marks", f'write {head.strip()} = "{value.partition("#")[0].strip()}"'
    if what.startswith("Unclosed array") or (what.startswith("Invalid value") and not line[:at].strip()):
        return "a list is opened above and never closed", "close it with ]"
    if what.startswith("Expected '='"):
        return "a key without a value", "write key = value, one on each line"
    if what.startswith(("Illegal character", "Unterminated", "Expected '\"'")) and line.count('"') % 2:
        return "a text does not end", 'close it with " on the same line'
    if what.startswith(("Unescaped '\\'", "Invalid hex")):
        return "a backslash in a text has a meaning of its own", "write paths with /, or the text in single quotes: '...'"
    if what.startswith("Expected newline"):
        return "there is something behind the value", "put it on a line of its own, or behind a #"
    return f"this is no TOML ({what[:1].lower()}{what[1:]})", "compare the line with config.example.toml"
