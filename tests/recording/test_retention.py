"""Retention: exactly what is due goes, on its day, whatever is broken; what is held stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS, ClockQuality, utc
from agent.base.errors import StorageError
from agent.commissioning.disk import days_that_fit
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.recording.disk import SystemDisk
from agent.recording.reconcile import open_catalog
from agent.recording.row import SegmentState
from bench.small_film import FPS
from tests.support.recordings import DAY_S, Recordings
from tests.support.stock import FILE_BYTES, SmallDisk, lay_in

MINUTE_NS = 60 * NS
FORTNIGHT = 14 * 24 * 60


def begins(node: Recordings) -> list[int]:
    """When each segment that is left begins."""
    return [row.wall_from_ns for row in node.rows()]


def destroyed_entries(node: Recordings) -> list[Mapping[str, Any]]:
    """What the register says was destroyed."""
    return [line.facts for line in map(parse, lines(node.register.path)) if line.act == Act.DESTROYED]


def test_a_fortnight_of_minutes_goes_minute_by_minute(node: Recordings) -> None:
    """20,160 segments: each sweep destroys those whose first picture is 14 days old, no other, and their files with them."""
    starts = lay_in(node, FORTNIGHT + 5)
    done = node.retention().sweep()
    assert done.destroyed == 6
    assert begins(node) == starts[6:]
    for minute in range(7, 10):
        node.clock.advance(60)
        assert node.retention().sweep().destroyed == 1
        assert begins(node) == starts[minute:]
    assert len(node.files()) == len(starts) - 9
    assert [fact["segments"] for fact in destroyed_entries(node)] == [6, 1, 1, 1]


def test_nothing_outlives_its_day_by_more_than_a_minute(node: Recordings) -> None:
    """A sweep each minute, at any phase: after each, no picture is older than 14 days and a minute."""
    lay_in(node, FORTNIGHT, files=False)
    for _ in range(5):
        node.clock.advance(59.9)
        node.retention().sweep()
        assert min(begins(node)) > node.clock.wall_ns() - 14 * DAY_S * NS
    node.clock.advance(3 * 3600 + 17.3)
    assert node.retention().sweep().absent == 181  # rows without files
    assert min(begins(node)) > node.clock.wall_ns() - 14 * DAY_S * NS


def test_a_sweep_costs_what_is_due_not_what_is_there(tmp_path: Path) -> None:
    """Counted in SQLite's own steps: a hundred times the stock does not make a sweep dearer."""

    def steps(segments: int) -> int:
        node = Recordings(tmp_path / str(segments))
        lay_in(node, segments, files=False)
        node.clock.advance(14 * DAY_S - segments * 60 + 60 * 10)  # ten of them are due
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        node.catalog._db.set_progress_handler(step, 10)
        done = node.retention().sweep()
        assert done.absent == 11
        return count

    assert steps(FORTNIGHT) < 1.3 * steps(200)


def test_opening_a_fortnight_costs_what_is_torn(tmp_path: Path) -> None:
    """Start-up looks at rows that are not whole, by an index: SQLite's steps do not grow with the stock."""

    def steps(segments: int) -> int:
        node = Recordings(tmp_path / str(segments))
        lay_in(node, segments, files=False)
        node.reopen()
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        node.catalog._db.set_progress_handler(step, 1)
        assert node.catalog.unsettled() == []
        return count

    assert steps(FORTNIGHT) <= steps(200)


def test_a_held_span_outlives_its_day_and_goes_when_released(node: Recordings) -> None:
    """Held footage stays for as long as it is held, by the second; released, it goes at the next sweep."""
    starts = lay_in(node, 100)
    hold = node.holds().add(starts[10] + NS, starts[20], "PV 2026/123", "OPJ Martin")
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 90
    assert begins(node) == starts[10:20]
    node.clock.advance(300 * DAY_S)
    assert node.retention().sweep().destroyed == 0
    node.holds().release(hold.id, "Parquet")
    assert node.retention().sweep().destroyed == 10
    assert node.files() == []


def test_a_hold_ends_by_itself(node: Recordings) -> None:
    """At its --until a hold ends, is entered in the register, and what it held goes."""
    starts = lay_in(node, 10)
    node.holds().add(starts[0], starts[10 - 1], "PV 1", "OPJ", until_ns=node.clock.wall_ns() + round(20 * DAY_S * NS))
    node.clock.advance(19 * DAY_S)
    assert node.retention().sweep().destroyed == 1
    node.clock.advance(2 * DAY_S)
    done = node.retention().sweep()
    assert ([hold.reference for hold in done.ended_holds], done.destroyed) == (["PV 1"], 9)
    acts = [parse(raw).act for raw in lines(node.register.path)]
    assert acts == [Act.HELD, Act.DESTROYED, Act.RELEASED, Act.DESTROYED]


def test_space_takes_the_oldest_first_and_says_what_is_missing(tmp_path: Path) -> None:
    """Below min_free the oldest go, just as many as needed; the shortfall tells the days that are achieved."""
    disk = SmallDisk(room_bytes=100 * FILE_BYTES)
    node = Recordings(tmp_path, disk=disk, min_free_bytes=30 * FILE_BYTES)
    starts = lay_in(node, 100, seconds=3600)
    done = node.retention().sweep()
    assert (done.destroyed, done.for_space) == (30, 30)
    assert begins(node) == starts[30:]
    assert done.shortfall is not None
    assert done.shortfall.days == pytest.approx(70 / 24)
    assert done.shortfall.wanted_days == 14
    assert [fact["reason"] for fact in destroyed_entries(node)] == ["space"]
    node.clock.advance(12 * DAY_S)
    assert node.retention().sweep().shortfall is None


def test_space_never_takes_what_is_held(tmp_path: Path) -> None:
    """Held footage stays even when nothing else is left; that too little is free is then said."""
    node = Recordings(tmp_path, disk=SmallDisk(100 * FILE_BYTES), min_free_bytes=95 * FILE_BYTES)
    starts = lay_in(node, 100)
    node.holds().add(starts[0], starts[10], "PV 9", "OPJ")
    done = node.retention().sweep()
    assert begins(node) == starts[:10]
    assert any("nothing is left that may be destroyed" in fault for fault in done.faults)


def test_more_free_space_than_the_disk_has_destroys_nothing(tmp_path: Path) -> None:
    """Bytes written where megabytes were meant: the footage stays, the slip is told, and a little room is still kept."""
    disk = SmallDisk(1000 * FILE_BYTES)
    node = Recordings(tmp_path, disk=disk, min_free_bytes=1000 * FILE_BYTES)
    lay_in(node, 100)
    done = node.retention().sweep()
    assert done.destroyed == 0
    assert any("min_free_mb wants" in fault for fault in done.faults)
    disk.room_bytes = 130 * FILE_BYTES
    assert node.retention().sweep().destroyed == 0
    disk.room_bytes = 104 * FILE_BYTES
    assert node.retention().sweep().for_space > 0


class LateDisk(SmallDisk):
    """Gives the room of what was removed back with its next commit, as btrfs does."""

    def __init__(self, room_bytes: int) -> None:
        super().__init__(room_bytes)
        self._pending_bytes = 0

    def free_bytes(self, path: Path) -> int:
        return super().free_bytes(path) - self._pending_bytes

    def unlink(self, path: Path) -> None:
        self._pending_bytes += path.stat().st_size
        super().unlink(path)

    def commit(self) -> None:
        """What was removed is free."""
        self._pending_bytes = 0


def test_a_disk_that_gives_room_back_later_loses_no_more_than_was_wanted(tmp_path: Path) -> None:
    """One sweep destroys what is missing and not the whole archive, however long free space stays as it was."""
    disk = LateDisk(room_bytes=100 * FILE_BYTES)
    node = Recordings(tmp_path, disk=disk, min_free_bytes=30 * FILE_BYTES)
    lay_in(node, 100)
    assert node.retention().sweep().for_space == 30
    disk.commit()
    assert node.retention().sweep().destroyed == 0


def test_no_footage_goes_for_space_while_there_is_some(tmp_path: Path) -> None:
    """With enough free space only the day counts."""
    node = Recordings(tmp_path, disk=SmallDisk(131 * FILE_BYTES), min_free_bytes=30 * FILE_BYTES)
    lay_in(node, 100)
    assert node.retention().sweep().destroyed == 0


@pytest.mark.parametrize("quality", [ClockQuality.UNSET, ClockQuality.HOLDOVER, ClockQuality.SYNCHRONISED])
def test_a_clock_that_goes_back_moves_no_deadline(node: Recordings, quality: ClockQuality) -> None:
    """Set back by ten years, in this boot or over a reboot, with any quality: everything goes on its day all the same."""
    lay_in(node, 120)
    node.retention().sweep()
    node.clock.advance(13.9 * DAY_S)
    assert node.retention().sweep().destroyed == 0
    node.clock.step_wall(utc(node.clock.wall_ns()) - timedelta(days=3650))
    node.clock.clock_quality = quality
    node.clock.advance(0.1 * DAY_S - 3600)
    assert node.retention().sweep().destroyed == 61
    node.reopen(boot="second boot")
    node.clock.step_wall(utc(0))
    node.clock.advance(3600)
    assert node.retention().sweep().destroyed in (0, 1)  # how long it was off, an unset clock cannot tell
    node.clock.advance(3600)
    node.retention().sweep()
    assert begins(node) == []


def test_a_free_running_clock_that_leaps_ahead_destroys_nothing(node: Recordings) -> None:
    """A wrong date set without synchronisation is not believed within the boot; the monotonic clock counts the days on."""
    lay_in(node, 120)
    node.retention().sweep()
    node.clock.clock_quality = ClockQuality.HOLDOVER
    node.clock.step_wall(utc(node.clock.wall_ns()) + timedelta(days=400))
    assert node.retention().sweep().destroyed == 0
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 120


def test_a_battery_clock_that_fails_over_a_reboot_destroys_nothing(node: Recordings) -> None:
    """Booted into another century without a time server: nothing goes before its day, and then it does."""
    lay_in(node, 120)
    node.retention().sweep()
    node.reopen(boot="second boot")
    node.clock.clock_quality = ClockQuality.HOLDOVER
    node.clock.step_wall(utc(node.clock.wall_ns()) + timedelta(days=25_000))
    for _ in range(3):
        assert node.retention().sweep().destroyed == 0
        node.clock.advance(60)
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 120


def test_a_node_that_lay_switched_off_for_three_weeks_destroys_at_once(node: Recordings) -> None:
    """A battery clock that went on is believed over a reboot, also without a time server."""
    lay_in(node, 120)
    node.retention().sweep()
    node.reopen(boot="second boot")
    node.clock.clock_quality = ClockQuality.HOLDOVER
    node.clock.step_wall(utc(node.clock.wall_ns()) + timedelta(days=21))
    assert node.retention().sweep().destroyed == 120


def test_setting_the_clock_does_not_destroy_what_was_just_recorded(node: Recordings) -> None:
    """Booted in 1970, recorded, then synchronised: the sweep dates the footage before it judges it."""
    node.clock.step_wall(utc(0))
    node.clock.clock_quality = ClockQuality.UNSET
    node.record(8)
    node.retention().sweep()
    node.clock.step_wall(utc(1_780_000_000 * NS))
    node.clock.clock_quality = ClockQuality.SYNCHRONISED
    assert node.retention().sweep().destroyed == 0
    assert begins(node) == [1_780_000_000 * NS - 8 * NS, 1_780_000_000 * NS - 4 * NS]
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 2


class Refusing(SystemDisk):
    """A real disk that refuses, or dies, at the n-th step of a destruction."""

    def __init__(self, at: int, error: type[BaseException] = StorageError) -> None:
        self.left = at
        self.error = error
        self.held: set[str] = set()

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error("the disk refuses")

    def unlink(self, path: Path) -> None:
        self._step()
        super().unlink(path)

    def sync_directory(self, path: Path) -> None:
        self._step()
        super().sync_directory(path)


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("error", [StorageError, KeyboardInterrupt])
def test_a_sweep_that_breaks_anywhere_is_carried_on(tmp_path: Path, at: int, error: type[BaseException]) -> None:
    """Refused or killed between any two steps: no row is lost, no file forgotten, and the next sweep ends the work."""
    disk = Refusing(at, error)
    node = Recordings(tmp_path, disk=disk)
    starts = lay_in(node, 10)
    node.clock.advance(14 * DAY_S - 240)
    try:
        node.retention().sweep()
    except KeyboardInterrupt:
        node.reopen()
    left = {row.path for row in node.rows()}
    assert set(node.files()) <= left
    disk.left = 0
    node.retention().sweep()
    assert begins(node) == starts[7:]
    assert node.files() == sorted(row.path for row in node.rows())
    assert sum(int(fact["segments"]) for fact in destroyed_entries(node)) == 7


def test_one_file_that_cannot_be_removed_does_not_save_the_others(tmp_path: Path) -> None:
    """The fault is told, the file stays condemned, and it goes once the disk allows it."""
    disk = Refusing(3)
    node = Recordings(tmp_path, disk=disk)
    lay_in(node, 10)
    node.clock.advance(14 * DAY_S)
    done = node.retention().sweep()
    assert (done.destroyed, len(done.faults)) == (9, 1)
    assert [row.state for row in node.rows()] == [SegmentState.DESTROYING]
    assert node.retention().sweep().destroyed == 1


def test_what_a_killed_sweep_began_for_space_is_told_as_that(tmp_path: Path) -> None:
    """Killed between the mark and the files of a destruction for space: the register still says why, and the days fall short."""
    node = Recordings(tmp_path, min_free_bytes=3 * FILE_BYTES)
    lay_in(node, 10)

    class Killed(SmallDisk):
        def unlink(self, path: Path) -> None:
            raise KeyboardInterrupt

    node.disk = Killed(10 * FILE_BYTES)
    with pytest.raises(KeyboardInterrupt):
        node.retention().sweep()
    node.reopen()
    assert [row.state for row in node.rows()].count(SegmentState.DESTROYING) == 3
    node.disk = SmallDisk(10 * FILE_BYTES)
    done = node.retention().sweep()
    assert (done.destroyed, done.for_space) == (3, 3)
    assert done.shortfall is not None
    assert [fact["reason"] for fact in destroyed_entries(node)] == ["space"]


def test_a_register_that_refuses_stops_no_destruction_and_is_made_up_for(node: Recordings) -> None:
    """The law's day counts first; the entry follows, once, when the register can be written again."""
    lay_in(node, 10)
    node.clock.advance(14 * DAY_S)
    node.register.path.mkdir()
    done = node.retention().sweep()
    assert (done.destroyed, node.files()) == (10, [])
    assert any("register" in fault for fault in done.faults)
    node.register.path.rmdir()
    node.retention().sweep()
    node.retention().sweep()
    assert [fact["segments"] for fact in destroyed_entries(node)] == [10]


def test_files_of_others_are_never_touched(node: Recordings) -> None:
    """A foreign file in a day long past stays, whatever its name; so does its directory."""
    lay_in(node, 3)
    directory = node.files()[0].parent
    foreign = [directory / "notes.txt", directory / "000000.000.mp4", node.root / "2020/01/01/120000.000.mp4"]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not ours")
    node.clock.advance(20 * DAY_S)
    assert node.retention().sweep().destroyed == 3
    assert all(path.read_bytes() == b"not ours" for path in foreign)


def test_our_own_footage_without_a_row_goes_on_its_day(node: Recordings) -> None:
    """A segment whose row was lost is known by its notes, and destroyed like any other."""
    node.record(8)
    with node.catalog.change() as db:
        db.execute("DELETE FROM segment")
    node.clock.advance(13 * DAY_S)
    assert node.retention().sweep().destroyed == 0
    node.clock.advance(2 * DAY_S)
    assert node.retention().sweep().destroyed == 2
    assert node.files() == []


def test_the_open_segment_of_a_dead_daemon_goes_on_its_day(node: Recordings) -> None:
    """A daemon that died weeks ago left a segment open: the timer's sweep destroys it as well."""
    node.record(2)
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = 'open'")
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 1
    assert node.files() == []


def test_two_sweeps_at_once_destroy_and_tell_once(tmp_path: Path) -> None:
    """Daemon and timer sweep at the same instant: one does it, the other leaves it be, the register tells of it once."""
    node = Recordings(tmp_path)
    lay_in(node, 50)
    node.clock.advance(14 * DAY_S)
    inner: list[int] = []

    class Meanwhile(SystemDisk):
        def unlink(self, path: Path) -> None:
            if not inner:
                inner.append(Recordings(tmp_path, clock=node.clock).retention().sweep().destroyed)
            super().unlink(path)

    node.disk = Meanwhile()
    assert node.retention().sweep().destroyed == 50
    assert inner == [0]
    assert [fact["segments"] for fact in destroyed_entries(node)] == [50]


def test_the_register_tells_what_was_destroyed(node: Recordings) -> None:
    """When, how many, which span and the digest of the list; the catalog tells an export which span is gone."""
    starts = lay_in(node, 10)
    node.clock.advance(14 * DAY_S - 540)
    node.retention().sweep()
    (fact,) = destroyed_entries(node)
    assert fact["from"] == "2026-06-01T11:50:00.000Z"
    assert (fact["segments"], fact["reason"], len(str(fact["digest"]))) == (2, "age", 64)
    (span,) = node.catalog.destroyed(starts[0], starts[3])
    assert (span.from_ns, span.to_ns, span.digest) == (starts[0], starts[2], fact["digest"])


def test_footage_in_a_place_recordings_went_to_before_goes_on_its_day(node: Recordings, tmp_path: Path) -> None:
    """The directory was changed to a larger disk: the old files are known, play, and are destroyed where they are."""
    node.record(4)
    old = node.files()
    node.catalog.close()
    node.state = tmp_path / "state"
    larger = tmp_path / "larger disk"
    catalog = open_catalog(node.state / "catalog.sqlite3", larger, node.register.path)
    larger.mkdir()
    assert [row.path for row in catalog.span(0, 1 << 62)] == old
    catalog.close()
    again = open_catalog(node.state / "catalog.sqlite3", larger, node.register.path)
    assert [row.path for row in again.span(0, 1 << 62)] == old
    node.catalog = again
    node.clock.advance(14 * DAY_S)
    assert node.retention().sweep().destroyed == 1
    assert not old[0].exists()


def test_a_state_directory_that_was_moved_keeps_its_footage(node: Recordings, tmp_path: Path) -> None:
    """Moved as a whole, to another disk or another machine: rows and files still belong together."""
    node.record(4)
    node.catalog.close()
    node.state = node.state.rename(tmp_path / "moved")
    node.reopen()
    node.assert_in_order()


@given(st.floats(1e3, 1e8), st.floats(0.1, 30))
def test_the_arithmetic_of_days(bitrate_bps: float, days: float) -> None:
    """A disk that holds so many days of a bit rate holds so many days of it."""
    assert days_that_fit(round(bitrate_bps / 8 * days * DAY_S), bitrate_bps) == pytest.approx(days, rel=1e-3)


def test_recording_goes_on_while_footage_is_destroyed(node: Recordings) -> None:
    """A sweep during a recording touches neither the open segment nor the young ones."""
    lay_in(node, 5)
    node.clock.advance(14 * DAY_S)
    recorder = node.recorder()
    recorder.start()
    for unit in node.units(2):
        recorder.offer(unit)
    assert node.retention().sweep().destroyed == 5
    for unit in node.units(6):
        recorder.offer(unit)
    node.stop(recorder)
    assert sum(row.frames for row in node.rows()) == 8 * FPS
    node.assert_in_order()


def test_no_footage_goes_for_what_the_register_takes(tmp_path: Path) -> None:
    """It is bounded, and counts as free: a register that grew by half the room that is kept free costs no film."""
    node = Recordings(tmp_path / "state", disk=SmallDisk(100 * FILE_BYTES), min_free_bytes=40 * FILE_BYTES)
    lay_in(node, 80)
    retention = node.retention()
    retention._register_bytes = lambda _: 20 * FILE_BYTES
    assert retention.sweep().for_space == 0
    retention._register_bytes = lambda _: 0
    assert retention.sweep().for_space == 20
