"""A text that is no TOML, read again statement by statement: what each was meant to say, and what is wrong with it.

For finding faults alone. Whatever comes out of it, the file is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from agent.base.phrase import say
from agent.config.edit import Edit
from agent.config.locate import KeyPath, strict_key, strict_whole
from agent.config.mending.header import is_header, mend_header, strict_header
from agent.config.mending.repair import Repair
from agent.config.mending.setting import mend_setting, misspelt
from agent.config.mending.statement import Statement, statements
from agent.config.mending.wanted import header_of, tables

MOST_CHARACTERS = 20_000
"""Of one statement; what is longer is no slip of a pen."""


class SecondReading(Struct, frozen=True):
    """`lines` are TOML as far as they go; line n of them comes from line `rows[n]` of the file, both from 0.

    `guessed` are rows whose values only show what is wanted. `again` are tables that stand a second time: what follows is
    read under a name nobody writes, and belongs to the table.
    """

    lines: tuple[str, ...]
    rows: tuple[int, ...]
    repairs: tuple[Repair, ...]
    guessed: frozenset[int]
    again: Mapping[str, KeyPath]
    moves: Mapping[int, tuple[Edit, ...]]
    """By the row of such a second header: what would bring what is below it where it belongs."""


SECOND = "\x7f second "
"""Begins the name of a table that stands a second time: no key that a person writes."""


def second_reading(lines: Sequence[str]) -> SecondReading:
    """Read every statement, mend it, and hold back what was there before. Never raises."""
    reader = _Reader()
    for statement in statements(lines):
        reader.take(statement)
    return reader.result()


class _Reader:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rows: list[int] = []
        self._repairs: list[Repair] = []
        self._guessed: set[int] = set()
        self._again: dict[str, KeyPath] = {}
        self._table: KeyPath = ()
        self._opened: dict[KeyPath, int] = {}
        self._keys: dict[KeyPath, int] = {}
        self._moves: dict[int, tuple[Edit, ...]] = {}
        self._moving: int | None = None
        self._row = 0

    def result(self) -> SecondReading:
        self._close_table()
        repairs, guessed = tuple(self._repairs), frozenset(self._guessed)
        return SecondReading(tuple(self._lines), tuple(self._rows), repairs, guessed, dict(self._again), dict(self._moves))

    def _close_table(self) -> None:
        """At the next header, or at the end: what must move when the table stood a second time."""
        if self._moving is None:
            return
        start, end = self._moving, self._row
        body = tuple(line for line, row in zip(self._lines, self._rows, strict=True) if start < row < end and line.strip())
        self._moves[start] = (Edit(start, end - start, ()), Edit(self._opened[self._table] + 1, 0, body))
        self._moving = None

    def take(self, statement: Statement) -> None:
        """One statement more."""
        line = statement.lines[0]
        if len(statement.text) > MOST_CHARACTERS or "\x00" in statement.text:
            self._lose(statement, say("this line is too long to be a setting"))
        elif len(statement.lines) == 1 and is_header(line):
            self._header(statement)
        elif strict_whole(statement.text):
            self._keep(statement)
        else:
            self._mend(statement)
        self._row = statement.row + len(statement.lines)

    def _header(self, statement: Statement) -> None:
        table, repair = mend_header(statement.lines[0], statement.row)
        if table is None:
            lines = repair.lines if repair else ()
            table = strict_header(lines[0]) if lines else None
            if table is None:
                self._lose(statement, say("this is no section's name"))
                return
        self._close_table()
        if repair is not None:
            self._repairs.append(repair)
        lines = repair.lines if repair is not None else statement.lines
        many = tables().get(table, lines[0].startswith("[["))
        if table in self._opened and not many:
            self._open_again(statement, table)
        else:
            self._table = table
            self._opened.setdefault(table, statement.row)
            self._emit(statement.row, lines[:1])
        if many:
            self._forget_below(table)
        for more in lines[1:]:
            self._keep_or_mend(Statement(statement.row, (more,)))

    def _open_again(self, statement: Statement, table: KeyPath) -> None:
        first = self._opened[table] + 1
        what = say("{header} is given twice", header=header_of(table))
        remedy = say("it stands on line {first} already: move the lines below up there, and remove this one", first=first)
        self._repairs.append(Repair(statement.row, 1, (), what, remedy))
        name = f"{SECOND}{statement.row}"
        self._again[name] = table
        self._moving = statement.row
        self._table = table
        escaped = name.replace("\x7f", "\\u007f")
        self._emit(statement.row, (f'["{escaped}"]',))

    def _forget_below(self, table: KeyPath) -> None:
        """Each of several tables has keys and tables of its own."""
        for seen in (self._keys, self._opened):
            for path in [path for path in seen if path[: len(table)] == table and len(path) > len(table)]:
                del seen[path]

    def _keep(self, statement: Statement) -> None:
        key = strict_key(statement.lines[0])
        renamed = misspelt(statement, self._table, key, self._keys)
        if renamed is not None:
            self._repairs.append(renamed)
            statement = Statement(statement.row, (*renamed.lines, *statement.lines[1:]))
            key = strict_key(statement.lines[0])
        if key and self._is_second(statement, (*self._table, *key)):
            return
        self._emit(statement.row, statement.lines)

    def _is_second(self, statement: Statement, path: KeyPath) -> bool:
        first = self._keys.setdefault(path, statement.row)
        if first == statement.row:
            return False
        what = say("{path} is given twice", path=path[-1])
        commented = tuple(f"# {line.strip()}" for line in statement.lines)
        count = len(statement.lines)
        self._repairs.append(
            Repair(
                statement.row, count, commented, what, say("keep one of the two: line {first} has it already", first=first + 1)
            )
        )
        return True

    def _keep_or_mend(self, statement: Statement) -> None:
        if strict_whole(statement.text):
            self._keep(statement)
        else:
            self._mend(statement)

    def _mend(self, statement: Statement) -> None:
        repairs = mend_setting(statement, self._table)
        lines, row = [], statement.row
        for repair in repairs:
            lines += [(r, statement.lines[r - statement.row]) for r in range(row, repair.row)]
            lines += [(repair.row, line) for line in repair.lines]
            row = repair.row + repair.count
        lines += [(r, statement.lines[r - statement.row]) for r in range(row, statement.row + len(statement.lines))]
        if not repairs or not strict_whole("\n".join(line for _, line in lines)):
            self._lose(statement, say("this is no TOML"))
            return
        key = strict_key(lines[0][1])
        if key and (*self._table, *key) in self._keys and all(r.sure for r in repairs):
            self._is_second(statement, (*self._table, *key))
            return
        if key:
            self._keys[(*self._table, *key)] = statement.row
        self._repairs += repairs
        self._guessed |= {r.row for r in repairs if not r.sure}
        for row, line in lines:
            self._emit(row, (line,))

    def _lose(self, statement: Statement, what: str) -> None:
        commented = tuple(f"# {''.join(c for c in line if c.isprintable()).strip()}" for line in statement.lines)
        remedy = say("compare the line with config.example.toml")
        self._repairs.append(Repair(statement.row, len(statement.lines), commented, what, remedy))

    def _emit(self, row: int, lines: Sequence[str]) -> None:
        for n, line in enumerate(lines):
            self._lines.append(line)
            self._rows.append(row + n)


def merged(content: dict[str, Any], again: Mapping[str, KeyPath]) -> None:
    """Lay what stood below a second header into the table it belongs to; what the table has already stays."""
    for name, table in again.items():
        inside: Any = content
        for step in table:
            inside = inside.setdefault(step, {}) if isinstance(inside, dict) else inside
            inside = inside[-1] if isinstance(inside, list) and inside else inside
        for key, value in content.pop(name, {}).items():
            if isinstance(inside, dict):
                inside.setdefault(key, value)
