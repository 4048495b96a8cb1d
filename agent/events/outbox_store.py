"""The outbox on disk: rows, the properties' last states, and what had to be dropped. docs/outbox.md holds the invariants.

One thread commits (the writer); one other may read `pending` and `states` (the session). Both may be the same.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agent.base.clock import Clock, ClockQuality
from agent.base.database_refusal import is_damage, is_full
from agent.events import epoch, eviction, refusal, sent_rows, without_disk
from agent.events import outbox_schema as sql
from agent.events.bounds import Bounds
from agent.events.count import EventCount
from agent.events.epoch import Beginning
from agent.events.eviction import Dropped, OutboxTally
from agent.events.held_rows import HeldRows
from agent.events.mark import MarkFile
from agent.events.row import Draft, Row, draft_of
from agent.ports.event import Priority

log = logging.getLogger(__name__)

_Change = Callable[[sqlite3.Connection, OutboxTally], None]


class OutboxStore:
    """Durable, ordered, bounded. `path` None keeps everything in memory, for simulated nodes only."""

    def __init__(self, path: Path | None, clock: Clock, bounds: Bounds | None = None) -> None:
        self.path = path
        self.fault = ""
        self.refused = False
        self.volatile = HeldRows()
        self.made_way: list[int] = []
        self.attached = 0
        self.tally = OutboxTally()
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._mark_file = None if path is None else MarkFile(path.with_name(f"{path.stem}.mark"))
        self.count = EventCount(self._mark_file)
        self._damage = ""
        self._without_disk = ""
        self._take_up(self._begin())

    # -- opening ---------------------------------------------------------------------------------------------------

    def _begin(self) -> Beginning:
        mark = self._mark_file.read() if self._mark_file else None
        try:
            return epoch.begin(self.path, mark, self._clock.wall_ns())
        except (OSError, sqlite3.Error) as error:
            if not is_full(error) or mark is None:
                raise refusal.unopened(self.path, error) from error
            log.error("the outbox %s cannot be opened (%s): events are kept in memory until it can", self.path, error)
            self._without_disk = self.fault = str(error)
            return without_disk.begin(mark, self._clock.wall_ns())

    def _take_up(self, beginning: Beginning) -> None:
        self._writer = self._reader = beginning.connection
        self._inode = 0
        self.count.begin(beginning)
        self.tally = OutboxTally(dropped=beginning.dropped)
        self._attach()
        if beginning.story is not None:
            self.commit([draft_of(beginning.story, self._clock)], ())

    def _attach(self) -> None:
        if self.path is not None and not self._without_disk:
            self._reader = sql.connect(self.path)
            self._inode = self.path.stat().st_ino
        self.attached += 1
        self.tally.recount(self._writer)

    def check_file(self) -> None:
        """Take up the disk again once it has room; begin the file anew when somebody removed it.

        SQLite would write on into a removed file and notice nothing.
        """
        if self.path is None:
            return
        if self._without_disk:
            self._return_to_disk(self.path)
            return
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            inode = 0
        except OSError:
            return
        if inode != self._inode:
            self._recover("somebody removed the file")

    def _return_to_disk(self, path: Path) -> None:
        try:
            beginning, carried = without_disk.move(self._writer, path, self.count, self.tally.dropped, self._clock.wall_ns())
        except (OSError, sqlite3.Error) as error:
            self._without_disk = str(error)
            return
        log.warning("the outbox %s can be written again; %d waiting events were carried over", path, carried)
        memory, self._writer = self._writer, beginning.connection
        self._without_disk = self.fault = ""
        self.tally = OutboxTally(dropped=beginning.dropped + self.tally.dropped)
        self._attach()
        memory.close()

    def _recover(self, fault: str) -> None:
        """The file was damaged under us: begin anew with what can be read of it. What is held in memory follows."""
        if self.path is None or self._mark_file is None:
            return
        cached = sql.rows_within_reach(self._writer)
        dropped = self.tally.dropped
        self.close()
        try:
            beginning = epoch.salvage(self.path, self._mark_file.read(), fault, cached, self._clock.wall_ns())
        except (OSError, sqlite3.Error) as error:
            log.error("the outbox %s cannot be begun anew: %s", self.path, error)
            return
        self.count.burnt = False
        self._take_up(replace(beginning, dropped=dropped))

    # -- writing (the writer's thread) -----------------------------------------------------------------------------

    def commit(
        self, drafts: Sequence[Draft], done: Collection[int], spare: Collection[int] = (), delivered: Collection[int] = ()
    ) -> list[Row]:
        """Make `drafts` durable in one transaction and forget the sequences in `done`; the rows, in sequence.

        On a full or broken disk `fault` says so, and the rows stay sendable from memory (`volatile`) until a later commit
        carries them over. Rows in `spare` are in flight and are not dropped for space; for those in `delivered`, which are
        only kept to be said again, giving way is no loss; `made_way` names those that did. At most COMMITTED_AT_ONCE drafts.
        """
        if self._damage:
            fault, self._damage = self._damage, ""
            self._recover(fault)
        fresh = self.count.place(drafts)
        tally = self.tally.copy()
        try:
            with sql.transaction(self._writer) as connection:
                written = [*self.volatile.rows.values(), *fresh]
                sql.insert(connection, written)
                for row in written:
                    tally.add(row)
                for row, draft in zip(fresh, drafts, strict=True):
                    sql.keep_state(connection, row, draft)
                sent_rows.keep(connection, done, self._clock.wall_ns())
                for sequence in done:
                    eviction.forget(connection, tally, sequence)
                for priority, sequence in self.volatile.lost:
                    eviction.note(connection, tally, priority, "memory", sequence)
                bounds = without_disk.BOUNDS if self._without_disk else self._bounds
                made_way = eviction.make_room(connection, tally, bounds, spare, delivered)
                self.count.save(connection, tally.dropped)
        except sqlite3.Error as error:
            self.refused = True
            self._hold_in_memory(fresh, done, delivered, str(error))
            if is_damage(error):
                self._recover(str(error))
            return fresh
        self.refused = False
        self.tally = tally
        self.fault = self._without_disk
        self.made_way = made_way
        self.volatile.written()
        if self.count.burnt:
            self.count.write_mark(burnt=False)
        return fresh

    def note_lost(self, priority: Priority, count: int) -> bool:
        """Enter `count` events that never reached the disk in the account of drops, where they take their place in the sequence.

        False when the disk refuses: they are still to be entered.
        """

        def note(connection: sqlite3.Connection, tally: OutboxTally) -> None:
            for _ in range(count):
                eviction.note(connection, tally, priority, "memory", self.count.skip(priority))

        return self._change(note)

    def drop(self, sequence: int, reason: str) -> None:
        """Give one row up for good: the broker will never take it."""
        self._change(lambda connection, tally: eviction.drop(connection, tally, [sequence], reason))

    def drop_aged(self, spare: Collection[int] = ()) -> None:
        """Drop what is past its class's age, where the clock can be trusted. Writes nothing when there is nothing to drop."""
        if self._clock.quality() is ClockQuality.UNSET or not any(self.tally.count.values()):
            return
        try:
            old = eviction.aged(self._writer, self._bounds, self._clock.wall_ns(), spare)
        except sqlite3.Error as error:
            self.fault = str(error)
            return
        if old:
            self._change(lambda connection, tally: eviction.drop(connection, tally, old, "age"))

    def trim_sent(self) -> None:
        """Let go of what was sent long ago."""
        now_ns = None if self._clock.quality() is ClockQuality.UNSET else self._clock.wall_ns()
        with suppress(sqlite3.Error), sql.transaction(self._writer) as connection:
            sent_rows.trim(connection, now_ns)

    def asked_for(self, of_epoch: str, first: int, last: int, most: int) -> list[tuple[Row, bool]]:
        """What is kept of a span, `most` at most: each with whether it is in the outbox still. Any thread; OutboxError."""
        try:
            return sent_rows.asked_for(self._reader, of_epoch, first, last, most)
        except sqlite3.Error as error:
            raise refusal.unread(error) from error

    def unannounced(self) -> list[Dropped]:
        """What was dropped and not yet told."""
        return eviction.unannounced(self._writer)

    def announce(self, drafts: Sequence[Draft]) -> list[Row]:
        """Commit the announcements of all that is `unannounced` and clear it, in one; empty when the disk refuses."""
        rows: list[Row] = []

        def tell(connection: sqlite3.Connection, tally: OutboxTally) -> None:
            connection.execute("DELETE FROM dropped")
            rows.extend(self.count.place(drafts))
            sql.insert(connection, rows)
            for row in rows:
                tally.add(row)

        return rows if self._change(tell) else []

    def _change(self, work: _Change) -> bool:
        """One transaction with the counts in it. False, `fault` says why and nothing is changed, when the disk refuses."""
        tally, before = self.tally.copy(), self.count.stands
        try:
            with sql.transaction(self._writer) as connection:
                work(connection, tally)
                self.count.save(connection, tally.dropped)
        except sqlite3.Error as error:
            self.fault = str(error)
            self.count.go_back(before)
            return False
        self.tally = tally
        return True

    def _hold_in_memory(self, fresh: Sequence[Row], done: Collection[int], delivered: Collection[int], why: str) -> None:
        """The disk refuses: what came is sent from memory, and the mark says that the database's count cannot be trusted."""
        if not self.fault:
            log.error("the outbox cannot be written (%s): events are kept in memory and sent from there", why)
        if not self.count.burnt:
            self.count.write_mark(burnt=True)
        self.fault = why
        self.made_way = self.volatile.hold(fresh, done, delivered)

    # -- reading (the session's thread) ----------------------------------------------------------------------------

    def pending(self, priority: Priority, after: int, limit: int) -> list[Row]:
        """The oldest rows of a class above sequence `after`."""
        held = self.volatile.after(priority, after, limit)  # looked at first: what is written down meanwhile is found below
        rows = [sql.row_of(values) for values in self._read(sql.PENDING, (priority, after, limit))]
        last = rows[-1].sequence if rows else after
        return (rows + [row for row in held if row.sequence > last])[:limit]

    def states(self, delivered: Collection[int] = ()) -> list[Row]:
        """The event that set each property last, where the broker has it already (what is pending comes by itself)."""
        return [sql.row_of(values) for *values, waits in self._read(sql.STATES) if not waits or values[0] in delivered]

    def standing(self) -> list[Row]:
        """The event that set each property last."""
        return [sql.row_of(values) for *values, _ in self._read(sql.STATES)]

    def oldest_raised_ns(self, delivered: Collection[int] = ()) -> int | None:
        """When the oldest pending row was raised, on the wall clock; None when nothing is pending. Any thread."""
        held = [row.raised_ns for row in self.volatile.rows.values() if row.sequence not in delivered]
        found = self._read("SELECT sequence, raised_ns FROM row ORDER BY sequence LIMIT ?", (len(delivered) + 1,))
        return min([*held, *(int(raised_ns) for sequence, raised_ns in found if sequence not in delivered)], default=None)

    def _read(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Nothing when the disk cannot be read: what is held in memory goes on being sent."""
        try:
            return self._reader.execute(statement, values).fetchall()
        except sqlite3.ProgrammingError:
            return []  # closed
        except sqlite3.Error as error:
            self.fault = self.fault or str(error)
            if is_damage(error):
                self._damage = str(error)
            return []

    def close(self) -> None:
        """Close; afterwards only counts may be asked for."""
        self._reader.close()
        self._writer.close()
