"""Retention: destroys footage on its day, and the oldest when space runs out (docs/recording.md, 21 to 25)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from agent.base.clock import NS, Clock, ClockQuality, rfc3339, utc
from agent.base.errors import RegisterError, StorageError
from agent.base.lock_file import FileLock
from agent.base.phrase import say
from agent.journal.entry import Act, Journal
from agent.recording.ballast import Ballast, says_full
from agent.recording.catalog import Catalog
from agent.recording.destruction import ABSENT, enough, remove, remove_empty, spans
from agent.recording.disk import Disk, SystemDisk
from agent.recording.hold import EvidenceHold, Holds
from agent.recording.lookout import Lookout
from agent.recording.reconcile import adopt, strays
from agent.recording.row import SegmentRow, SegmentState
from agent.recording.segment_columns import OF_PLACE
from agent.recording.trusted_time import Trusted, look_at_clock, peek_at_clock

log = logging.getLogger(__name__)

_T = TypeVar("_T")
DAY_NS: Final = 86_400 * NS
_BATCH: Final = 256
_SANE_PART: Final = 0.05  # of a disk, to be kept free where more is asked than there is
_KILLED_BEFORE_NS: Final = 60 * NS  # a hold not entered for so long was set by a program that is gone
AGE: Final = "age"
SPACE: Final = "space"


class Shortfall(Struct, frozen=True):
    """Footage went for want of space before its day: `days` are what the disk holds now, of `wanted_days`."""

    days: float
    wanted_days: float
    wall_ns: int


@dataclass(slots=True)
class Sweep:
    """What one sweep did. `absent`: films that somebody else took. `faults` are sentences for the operator.

    Footage that could not be removed stays `destroying`.
    """

    destroyed: int = 0
    destroyed_bytes: int = 0
    absent: int = 0
    for_space: int = 0
    ended_holds: list[EvidenceHold] = field(default_factory=list)
    shortfall: Shortfall | None = None
    faults: list[str] = field(default_factory=list)


class Retention:
    """Sweeps one node's recordings. Any process, also several at once; one thread per instance.

    `sweep` never gives up halfway: what one refusal stops does not stop the rest.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        clock: Clock,
        boot: str,
        journal: Journal,
        retention_days: float,
        min_free_bytes: int,
        disk: Disk | None = None,
        register_bytes: Callable[[Path], int] = lambda _: 0,
        looker: str = "daemon",
        stays: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._boot = boot
        self._journal = journal
        self._holds = Holds(catalog, journal, clock)
        self._wanted_days = retention_days
        self._retention_ns = round(retention_days * DAY_NS)
        self._min_free_bytes = min_free_bytes
        self._disk: Disk = disk or SystemDisk()
        self._lookout = Lookout(catalog, boot, looker)
        self._register_bytes = register_bytes
        self._stays = stays
        self._shorter: dict[str, int] = {}
        self._ballast = Ballast(catalog.path)
        self._file_lock = FileLock(catalog.path)
        self._broom = FileLock(catalog.path, "sweep")  # two at once would tell of one destruction twice

    def sweep(self) -> Sweep:
        """Destroy what is past its day, then what must go for space; say what happened. Nothing when another sweep is at it."""
        done = Sweep()
        if not self._broom.taken():
            done.shortfall = self._shortfall(peek_at_clock(self._catalog, self._clock, self._boot).now_ns)
            return done
        try:
            self._sweep(done)
        finally:
            self._broom.give_back()
        return done

    def _sweep(self, done: Sweep) -> None:
        now = self._now(done)
        self._attempt(done, lambda: self._shorter.update(self._stays()))
        if now.leap_ns:
            done.faults.append(_leap(now.leap_ns))
        self._attempt(done, lambda: self._holds.make_up(self._clock.wall_ns() - _KILLED_BEFORE_NS))
        self._attempt(done, lambda: done.ended_holds.extend(self._holds.end_due(now.now_ns)))
        self._attempt(done, lambda: self._adopt_strays(now.now_ns))
        self._attempt(done, lambda: done.faults.extend(self._lookout.look(self._clock.monotonic_ns())))
        self._attempt(done, lambda: self._carry_on(done, now))
        self._attempt(done, lambda: self._by_age(done, now))
        self._ballast.take()  # before free space is counted: it is no free space
        self._attempt(done, lambda: self._by_space(done))
        self._attempt(done, lambda: self._enter_destroyed(done))
        done.shortfall = self._shortfall(now.now_ns)
        self._ballast.take()

    def _now(self, done: Sweep) -> Trusted:
        """Trusted time, stored if the disk takes it, else only read."""
        try:
            return self._with_room(lambda: look_at_clock(self._catalog, self._clock, self._boot))
        except StorageError as error:
            done.faults.append(error.words)
            return peek_at_clock(self._catalog, self._clock, self._boot)

    def _by_age(self, done: Sweep, now: Trusted) -> None:
        for rows in self._due(now):
            self._destroy(done, rows, AGE, marked=False)

    def _due(self, now: Trusted) -> Iterator[list[SegmentRow]]:
        """Rows not held whose day has come, in batches; by two index scans, O(due)."""
        states = "('whole', 'open')" if self._file_lock.is_free() else "('whole')"
        ages = [("s.trusted_from_ns", "", now.now_ns)]
        if self._wall_counts(now):
            ages.append(("s.wall_from_ns", "AND s.clock = 'synchronised'", self._clock.wall_ns()))
        scans: list[tuple[str, str, tuple[int | str, ...]]] = []
        for column, more, at_ns in ages:
            scans.append((column, more, (at_ns - self._retention_ns,)))
            scans += [(column, f"{more} AND {OF_PLACE}", (at_ns - stay_ns, name)) for name, stay_ns in self._shorter.items()]
        for column, more, values in scans:
            seen = -1
            while rows := self._catalog.unheld(
                f"{column} <= ? AND +s.state IN {states} {more}", values, f"ORDER BY {column} LIMIT {_BATCH}"
            ):
                if rows[0].id == seen:
                    return  # it could be neither marked nor removed: the next sweep tries again
                seen = rows[0].id
                yield rows

    def _by_space(self, done: Sweep) -> None:
        wanted = self._wanted_free_bytes(done)
        # What the register takes is no reason to destroy footage: it is bounded, and counts as free.
        wanted -= self._register_bytes(self._measured)
        missing = wanted - self._free_bytes()
        while missing > 0:
            oldest = self._catalog.unheld("s.state = 'whole'", (), f"ORDER BY s.trusted_from_ns, s.id LIMIT {_BATCH}")
            rows = list(enough(oldest, missing))
            before, before_bytes, before_absent = done.destroyed, done.destroyed_bytes, done.absent
            self._destroy(done, rows, SPACE, marked=False)
            done.for_space += done.destroyed - before
            left = wanted - self._free_bytes()
            if (done.destroyed, done.absent) == (before, before_absent) or not rows:
                done.faults.append(
                    f"{left // 1_000_000} MB too little is free under {self._catalog.root}, "
                    "and nothing is left that may be destroyed"
                )
                return
            # A disk may give room back later (btrfs: with its next commit), and must not cost another film for that.
            missing = min(left, missing - (done.destroyed_bytes - before_bytes))

    def _carry_on(self, done: Sweep, now: Trusted) -> None:
        """What an earlier sweep began to destroy: for its age if its day has come, else it was for space."""
        rows = [row for row in self._catalog.unsettled() if row.state is SegmentState.DESTROYING]
        due = [row for row in rows if self._is_due(row, now)]
        self._destroy(done, due, AGE, marked=True)
        before = done.destroyed
        self._destroy(done, [row for row in rows if row not in due], SPACE, marked=True)
        done.for_space += done.destroyed - before

    def _is_due(self, row: SegmentRow, now: Trusted) -> bool:
        """What `_due` asks the catalog, of one row."""
        by_wall = row.clock is ClockQuality.SYNCHRONISED and self._wall_counts(now)
        stay_ns = min(self._retention_ns, self._shorter.get(row.place, self._retention_ns))
        return row.trusted_from_ns <= now.now_ns - stay_ns or (by_wall and row.wall_from_ns <= self._clock.wall_ns() - stay_ns)

    def _wall_counts(self, now: Trusted) -> bool:
        """Whether a date says how old a frame is: the clock is synchronised, and has not leapt."""
        return self._clock.quality() is ClockQuality.SYNCHRONISED and not now.leap_ns

    def _destroy(self, done: Sweep, rows: Sequence[SegmentRow], reason: str, *, marked: bool) -> None:
        """Mark, unlink, sync, write down. Without the mark (no room for it) only footage past its day may go: it stays due."""
        if not rows:
            return
        if not (root := self._catalog.root).is_dir():
            raise StorageError(say("{root} is gone", root=root), remedy=say("Check that the disk of the recordings is mounted"))
        if not marked:
            try:
                rows = self._with_room(lambda: self._catalog.mark_destroying(rows))
            except StorageError as error:
                if reason != AGE or not says_full(error):
                    raise
        went = remove(self._catalog, self._disk, rows, begun=marked)
        done.faults += went.faults
        at_ns = self._clock.wall_ns()
        told = [*spans(went.gone, reason, at_ns), *spans(went.absent, ABSENT, at_ns)]
        self._with_room(lambda: self._catalog.destroy([*went.gone, *went.absent], told))
        done.destroyed += len(went.gone)
        done.absent += len(went.absent)
        done.destroyed_bytes += sum(row.bytes for row in went.gone)
        remove_empty({row.path.parent for row in went.gone} | went.directories, self._catalog.root)

    def _adopt_strays(self, now_ns: int) -> None:
        day = utc(max(0, now_ns - self._retention_ns)).strftime("%Y/%m/%d")
        for path, kept in strays(self._catalog, self._catalog.root, day):
            log.warning("recording: %s had no row in the catalog", path)
            adopt(self._catalog, path, kept)

    def _enter_destroyed(self, done: Sweep) -> None:
        """Every destruction that the register does not know of yet."""
        for span_id, span in self._catalog.unentered():
            try:
                self._journal.enter(
                    Act.ABSENT if span.reason == ABSENT else Act.DESTROYED,
                    "retention",
                    {
                        "destruction": span_id,
                        "reason": span.reason,
                        "segments": span.segments,
                        "from": rfc3339(span.from_ns),
                        "to": rfc3339(span.to_ns),
                        "at": rfc3339(span.at_ns),
                        "digest": span.digest,
                    },
                )
            except RegisterError as error:
                done.faults.append(error.words)
                return
            self._catalog.entered(span_id)

    def _shortfall(self, now_ns: int) -> Shortfall | None:
        """Is footage missing, of the days that are promised, because space ran out?"""
        lost_ns = self._catalog.last_destroyed_ns(SPACE)
        if lost_ns is None or lost_ns <= now_ns - self._retention_ns:
            return None
        return Shortfall(max(0.0, (now_ns - lost_ns) / DAY_NS), self._wanted_days, self._clock.wall_ns())

    def _wanted_free_bytes(self, done: Sweep) -> int:
        """`min_free_mb`, unless the whole disk is smaller: a slip of the pen must not cost all the footage there is."""
        total = self._disk.total_bytes(self._measured)
        if self._min_free_bytes < total:
            return self._min_free_bytes
        sizes = {"wanted": self._min_free_bytes // 1_000_000, "total": total // 1_000_000, "part": round(100 * _SANE_PART)}
        done.faults.append(
            say("min_free_mb wants {wanted} MB free of a disk of {total} MB: {part} % are kept free instead. Lower it", **sizes)
        )
        return round(total * _SANE_PART)

    @property
    def _measured(self) -> Path:
        return self._catalog.root if self._catalog.root.exists() else self._catalog.path.parent

    def _free_bytes(self) -> int:
        return self._disk.free_bytes(self._measured)

    def _with_room(self, act: Callable[[], _T]) -> _T:
        """`act`, and once more with the ballast thrown out when the disk was full."""
        try:
            return act()
        except StorageError as error:
            if not says_full(error) or not self._ballast.drop():
                raise
            return act()

    def _attempt(self, done: Sweep, act: Callable[[], None]) -> None:
        try:
            self._with_room(act)
        except (StorageError, RegisterError) as error:
            done.faults.append(error.words)


def _leap(leap_ns: int) -> str:
    return say(
        "the clock leapt {days:.2f} days ahead of what this board has counted, though it says it is synchronised. "
        "For a day only what is due by the board's own count is destroyed. Check the time server",
        days=leap_ns / DAY_NS,
    )
