"""The corners of a polygon as people write them: commas for points, none between, round brackets, brackets that do not pair."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from agent.base.phrase import say

_BRACKETS = re.compile(r"[\[\](){}]+")
_COMMENT = re.compile(r"\s*#.*$")
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)"
_UNIT = re.compile(r"(?<=\d)\s*(?:px|pixels?|p)\b", re.IGNORECASE)
_NAMED = re.compile(r"[\"']?\b[xyXY]\b[\"']?\s*[=:]\s*")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")

_UNPAIRED = {
    1: say("a bracket is never closed"),
    -1: say("a bracket is closed that none opens"),
    0: say("the brackets do not enclose the list"),
}


class MendedRow(Struct, frozen=True):
    """One line as it should read, and what was wrong with it; no words when it was right."""

    line: str
    what: tuple[str, ...] = ()


def corner_rows(lines: Sequence[str]) -> list[MendedRow] | None:
    """The lines of a whole `polygon = ...`, each mended, as TOML; None when no corners can be made out."""
    read = [_Reading(line if row else re.split(r"[=:]", line, maxsplit=1)[-1]) for row, line in enumerate(lines)]
    if any(reading.corners is None for reading in read) or not any(reading.corners for reading in read):
        return None
    filled = [n for n, reading in enumerate(read) if reading.corners]
    rows = []
    for n, (line, reading) in enumerate(zip(lines, read, strict=True)):
        listed = ", ".join(f"[{x}, {y}]" for x, y in reading.corners or ())
        made = ("polygon = [" if n == 0 else "") + listed
        made += "," if n in filled and n != filled[-1] else ""
        made += "]" if n == len(lines) - 1 else ""
        if _bare(line) in (_bare(made), _bare(made) + ","):
            rows.append(MendedRow(line))
            continue
        indent = line[: len(line) - len(line.lstrip())]
        rows.append(
            MendedRow(indent + made + reading.comment, tuple(reading.what(n, n == filled[-1])) or (say("a bracket is wrong"),))
        )
    return rows


def _bare(line: str) -> str:
    """Without blanks, comments, and a comma behind the last corner, which TOML allows."""
    return re.sub(r"\s", "", _COMMENT.sub("", line)).replace("],]", "]]")


class _Reading:
    """What one line of a polygon holds. `corners` are pairs of numbers in TOML; None when it holds something else."""

    def __init__(self, text: str) -> None:
        comment = _COMMENT.search(text)
        self.comment = comment.group() if comment else ""
        self._text = _COMMENT.sub("", text).strip()
        self._told: list[str] = []
        self.corners: list[tuple[str, str]] | None = []
        for piece in _BRACKETS.split(self._text):
            found = self._piece(piece)
            if found is None:
                self.corners = None
                return
            self.corners += found

    def what(self, row: int, last: bool) -> list[str]:
        """What is wrong, in words, each once."""
        told = list(self._told)
        if "(" in self._text or "{" in self._text:
            told.append(say("corners stand in square brackets"))
        if re.search(r"[\])]\s*[\[(]", self._text) or (not last and not self._text.endswith((",", "[", ";"))):
            told.append(say("a comma is missing between two corners"))
        if re.search(r"[\])]\s*;", self._text):
            told.append(say("a comma stands between corners, no semicolon"))
        opened, closed = len(re.findall(r"[\[(]", self._text)), len(re.findall(r"[\])]", self._text))
        if not told or (row == 0 and last and opened != closed):
            told.append(_UNPAIRED[(opened > closed) - (closed > opened)])
        return list(dict.fromkeys(told))

    def _piece(self, piece: str) -> list[tuple[str, str]] | None:
        bare = piece.strip(" \t,;")
        if not bare:
            return []
        clean = _NAMED.sub("", _UNIT.sub("", bare))
        clean = _PERCENT.sub(lambda m: f"{float(m[1].replace(',', '.')) / 100:g}", clean)
        if clean != bare:
            self._told.append(say("corners are plain numbers"))
        numbers = self._numbers(clean)
        if numbers is None or len(numbers) % 2:
            return None
        if len(numbers) > 2:
            self._told.append(say("each corner has brackets of its own"))
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _numbers(self, text: str) -> list[str] | None:
        """The numbers of one corner, or of several that no bracket parts."""
        if not re.fullmatch(r"[\d\s.,;+-]+", text):
            return None
        parts = [part.strip() for part in re.split(r"\s*;\s*|\s*,\s+|\s+,\s*|\s+", text) if part.strip(" ,;")]
        if ";" in text:
            self._told.append(say("a comma stands between x and y, no semicolon"))
        elif len(parts) > 1 and "," not in re.sub(r"\d,\d", "", text):
            self._told.append(say("a comma is missing between x and y"))
        if len(parts) > 1 and len(parts) % 2 == 0 and all(re.fullmatch(_NUMBER, part) for part in parts):
            if any("," in part for part in parts):
                self._told.append(say("decimals take a point"))
            return [_toml(part) for part in parts]
        digits = [part for part in text.replace(";", ",").replace(" ", ",").split(",") if part]
        if len(digits) % 2 == 0 and all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", d) for d in digits):
            if len(digits) >= 4 and not any("." in d for d in digits) and all(d in ("0", "1") for d in digits[::2]):
                self._told.append(say("decimals take a point"))
                return [_toml(f"{a}.{b}") for a, b in zip(digits[::2], digits[1::2], strict=True)]
            return [_toml(d) for d in digits]
        return self._odd(digits)

    def _odd(self, digits: list[str]) -> list[str] | None:
        """Three numbers that must be two: one of them has a decimal comma, `0,12,0.31`."""
        if len(digits) != 3 or not all(re.fullmatch(r"\d+\.?\d*", d) for d in digits):
            return None
        self._told.append(say("decimals take a point"))
        if "." in digits[0] or (digits[0] in ("0", "1") and digits[1] in ("0", "1") and "." not in digits[2]):
            return [_toml(digits[0]), _toml(f"{digits[1]}.{digits[2]}")]
        return None if "." in digits[0] + digits[1] else [_toml(f"{digits[0]}.{digits[1]}"), _toml(digits[2])]


def _toml(number: str) -> str:
    """`.5`, `5.`, `0,5` and `05` as TOML has them."""
    whole, point, part = number.replace(",", ".").partition(".")
    sign = whole[:1] if whole[:1] in "+-" else ""
    whole = whole.lstrip("+-").lstrip("0") or "0"
    return f"{sign}{whole}.{part or '0'}" if point else f"{sign}{whole}"
