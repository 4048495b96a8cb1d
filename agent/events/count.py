"""A node's count of events: which number is next, of all and of each class, and how far the mark has them covered."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from agent.events import class_number
from agent.events import outbox_schema as sql
from agent.events.epoch import RESERVED_AT_ONCE, Beginning
from agent.events.mark import Mark, MarkFile
from agent.events.row import Draft, Row
from agent.ports.event import Priority

log = logging.getLogger(__name__)


class CountMark(Struct, frozen=True):
    """Where a count stands: to go back to when what was counted is taken back."""

    sequence: int
    numbers: dict[Priority, int]


class EventCount:
    """The writer's thread changes it; any may read `sequence`, `epoch` and `numbers`.

    `sequence` is the last one given out of the life's one count, `numbers` the last of each class within `epoch`. `burnt`: some
    may have been given out that the database does not know of.
    """

    def __init__(self, mark_file: MarkFile | None) -> None:
        self.sequence = 0
        self.epoch = ""
        self.numbers = dict.fromkeys(Priority, 0)
        self.burnt = False
        self._mark_file = mark_file
        self._reserved = 0

    def begin(self, beginning: Beginning) -> None:
        """Go on where a database stands."""
        self.sequence = self._reserved = beginning.sequence
        self.epoch = beginning.epoch
        self.numbers = {**dict.fromkeys(Priority, 0), **beginning.numbers}

    def place(self, drafts: Sequence[Draft]) -> list[Row]:
        """Each draft with the next sequence, and the next number of its class."""
        self.reserve(len(drafts))
        rows = []
        for draft in drafts:
            sequence, number = self._next(draft.priority)
            rows.append(Row.of(draft, sequence, self.epoch, number))
        return rows

    def skip(self, priority: Priority) -> int:
        """The sequence of an event that nothing is left of but its place."""
        self.reserve(1)
        return self._next(priority)[0]

    def _next(self, priority: Priority) -> tuple[int, int]:
        self.sequence += 1
        self.numbers = {**self.numbers, priority: self.numbers[priority] + 1}
        return self.sequence, self.numbers[priority]

    @property
    def stands(self) -> CountMark:
        """For `go_back`."""
        return CountMark(self.sequence, self.numbers)

    def go_back(self, place: CountMark) -> None:
        """What was counted since will be counted again: nobody has seen it."""
        self.sequence, self.numbers = place.sequence, place.numbers

    def reserve(self, count: int) -> None:
        """Raise the mark before any sequence above it is handed out."""
        if self.sequence + count > self._reserved:
            self._reserved = self.sequence + count + RESERVED_AT_ONCE
            self.write_mark(burnt=self.burnt)

    def write_mark(self, *, burnt: bool) -> None:
        """Where the disk refuses that as well, the log says so."""
        self.burnt = burnt
        if self._mark_file is None:
            return
        try:
            self._mark_file.write(Mark(self.epoch, self._reserved, burnt))
        except OSError as error:
            log.error("the outbox's high-water mark %s cannot be written: %s", self._mark_file.path, error)

    def save(self, connection: sqlite3.Connection, dropped: int) -> None:
        """Inside the caller's transaction: where the count stands, and how many were ever dropped."""
        values = [("sequence", self.sequence), ("epoch", self.epoch), ("dropped", dropped)]
        connection.executemany(sql.SET_COUNTER, [*values, *class_number.counters(self.sequence, self.numbers)])
