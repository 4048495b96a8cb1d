"""Power cuts and lost catalogs: every acknowledged second plays, catalog and disk agree, what is held stays held."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS, ClockQuality, utc
from agent.base.component import ComponentState
from agent.base.errors import StorageError
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.journal.verdict import verify
from agent.recording.catalog import Catalog
from agent.recording.disk import SystemDisk
from agent.recording.hold import active_holds
from agent.recording.note import FragmentNote
from agent.recording.reconcile import open_catalog, settle
from agent.recording.row import SegmentState
from agent.recording.salvage import salvage
from bench.small_film import FPS
from tests.support.deadline import until
from tests.support.manual_clock import ManualClock
from tests.support.played import play
from tests.support.power_cut import Diary, after_cut
from tests.support.recordings import DAY_S, Recordings
from tests.support.stock import SmallDisk, lay_in


class Story:
    """A node that recorded, held, was swept and stopped, with the diary of its disk and what it had acknowledged by each step."""

    def __init__(self, where: Path) -> None:
        self.state = where / "state"
        self.state.mkdir(parents=True)
        self.diary = Diary(self.state, where / "aside")
        self.node = node = Recordings(self.state, disk=self.diary, segment_seconds=2, retention_days=1)
        node.record(5)
        first = node.rows()[0]
        node.holds().add(first.wall_from_ns, first.wall_to_ns, "PV 1", "OPJ")
        node.clock.advance(DAY_S - 2)
        node.record(3)
        node.retention().sweep()
        for _ in range(4):
            self.diary.note("sync-directory", node.root)  # nothing lies there: moments after the last step, to cut at
        self.frames_acknowledged = self._acknowledged()
        node.catalog.close()
        shutil.rmtree(node.root)  # what the tests look at is what the diary rebuilds elsewhere

    def _acknowledged(self) -> list[dict[Path, int]]:
        """For each step: how many pictures of each file had been synced, by the notes in what was written."""
        done: dict[Path, int] = {}
        waiting: dict[Path, int] = {}
        by_step = []
        for step in self.diary.steps:
            by_step.append(dict(done))
            if step.kind == "write":
                waiting[step.path] = waiting.get(step.path, 0) + pictures_in(step.data)
            elif step.kind == "sync":
                done[step.path] = done.get(step.path, 0) + waiting.pop(step.path, 0)
            elif step.kind == "unlink":
                done.pop(step.path, None)
        return [*by_step, dict(done)]

    def claimed(self, at: int) -> dict[Path, int]:
        """How many pictures of each segment the catalog spoke of, just before a step: what the node would have sworn to."""
        state = self.diary.steps[min(at, len(self.diary.steps) - 1)].state
        copy = state.with_name(f"{state.name}-read")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(state, copy)
        if not (copy / "catalog.sqlite3").exists():
            return {}
        catalog = Catalog(copy / "catalog.sqlite3", copy / "recordings")
        claims = {row.path.relative_to(copy): row.frames for row in catalog.rows("s.state <> 'destroying' AND s.frames > 0")}
        catalog.close()
        return claims


def pictures_in(data: bytes) -> int:
    """How many pictures this box speaks of, when it is a fragment's note: each is written by itself."""
    if data[4:8] != b"uuid":
        return 0
    note = FragmentNote.read(data[8:])
    assert note is not None
    return note.frames


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """One life of a node, cut in many places by the tests."""
    return Story(tmp_path_factory.mktemp("story"))


def after_restart(state: Path) -> Catalog:
    """Start up as the daemon does: open, settle, carry on what a sweep began."""
    catalog = open_catalog(state / "catalog.sqlite3", state / "recordings", state / "register.jsonl")
    settle(catalog, SystemDisk())
    return catalog


def test_every_acknowledged_second_survives_a_cut_before_any_step(story: Story, tmp_path: Path) -> None:
    """Power cut at every write, sync and unlink, with every fate of what was cached: nothing acknowledged is lost."""
    chance = random.Random(4)
    assert len(story.diary.steps) > 40
    for at in range(len(story.diary.steps) + 1):
        target = tmp_path / str(at)
        after_cut(story.diary.steps, at, target, chance)
        check_cut(story, at, target)
        shutil.rmtree(target)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_acknowledged_second_survives_any_fate_of_the_cache(
    story: Story, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The same at chosen steps, with hypothesis as the power company."""
    at = data.draw(st.integers(0, len(story.diary.steps)))
    target = tmp_path_factory.mktemp("cut") / "state"
    after_cut(story.diary.steps, at, target, random.Random(data.draw(st.integers(0, 1 << 32))))
    check_cut(story, at, target)
    shutil.rmtree(target)


def check_cut(story: Story, at: int, target: Path) -> None:
    """What the restarted node owes: acknowledged pictures, an agreeing catalog, the hold, the register, a working sweep."""
    held_before = bool(active_holds_in(target))
    catalog = after_restart(target)
    rows = {row.path.relative_to(target): row for row in catalog.rows("1")}
    for path, pictures in story.frames_acknowledged[at].items():
        if path in rows and rows[path].state is SegmentState.DESTROYING:
            continue
        assert rows[path].frames >= pictures, (at, path)
    for path, pictures in story.claimed(at).items():
        assert rows[path].frames >= pictures, (at, path)
    for path, row in rows.items():
        if row.state is SegmentState.WHOLE:
            assert len(play(target / path).times_s) == row.frames, (at, path)
            assert (target / path).stat().st_size == row.bytes
    unknown = {p.relative_to(target) for p in (target / "recordings").rglob("*.mp4")} - set(rows)
    assert not unknown, (at, unknown)
    assert bool(active_holds(catalog)) == held_before
    assert verify(target / "register.jsonl").whole
    catalog.close()
    clock = ManualClock()
    clock.advance(3 * DAY_S)
    node = Recordings(target, clock=clock, retention_days=1)
    node.retention().sweep()
    assert [row.held for row in node.rows()] == [True] * len(node.rows())
    assert sorted(row.path for row in node.rows()) == node.files()


def active_holds_in(state: Path) -> list[object]:
    """The holds a cut left in the catalog as it lies there."""
    if not (state / "catalog.sqlite3").exists():
        return []
    catalog = Catalog(state / "catalog.sqlite3", state / "recordings")
    try:
        return list(active_holds(catalog))
    finally:
        catalog.close()


def test_a_torn_tail_is_cut_to_its_last_whole_fragment(node: Recordings) -> None:
    """Cut at every kind of place inside the last fragment, the file is repaired to the fragment before, byte for byte."""
    node.record(2)
    (row,) = node.rows()
    whole = row.path.read_bytes()
    ends = fragment_ends(whole)
    for cut in (ends[-2] + 1, ends[-2] + 40, ends[-1] - 1):
        row.path.write_bytes(whole[:cut])
        with node.catalog.change() as db:
            db.execute("UPDATE segment SET state = 'open', frames = 0, bytes = 0")
        found = settle(node.catalog, SystemDisk())
        assert (found.repaired, found.cut_bytes) == (1, cut - ends[-2])
        assert row.path.read_bytes() == whole[: ends[-2]]
        node.assert_in_order()
        assert node.rows()[0].frames == 40


def fragment_ends(data: bytes) -> list[int]:
    """Where each `mdat` ends."""
    import io

    from agent.recording.boxes import top_boxes

    return [box.end for box in top_boxes(io.BytesIO(data), len(data)) if box.kind == b"mdat"]


def test_a_film_that_cannot_be_read_keeps_no_other_from_being_recorded(node: Recordings) -> None:
    """The disk does not give the interrupted film back: it stands as it was last known, and the node records on."""
    node.record(2)
    (lost,) = node.rows()
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = 'open', sha256 = ''")
    lost.path.unlink()
    lost.path.mkdir()  # whoever runs as root reads anything else
    node.clock.advance(5)
    recorder = node.record(2)
    assert recorder.metrics()["recorded"] == 50
    first, second = node.rows()
    assert (first.state, first.frames, first.bytes, first.sha256) == (SegmentState.WHOLE, lost.frames, lost.bytes, "")
    assert (second.state, second.frames) == (SegmentState.WHOLE, 50)
    ended = [line.facts for line in map(parse, lines(node.register.path)) if line.act == Act.RECORDING_ENDED]
    assert [facts["why"] for facts in ended] == ["stopped", "interrupted", "stopped"]


def test_settling_looks_at_nothing_but_the_torn(node: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole segments are not even opened at start-up."""
    node.record(12)
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = 'open' WHERE id = 2")
    read: list[Path] = []

    def watched(path: Path, *, deep: bool) -> object:
        read.append(path)
        return salvage(path, deep=deep)

    monkeypatch.setattr("agent.recording.reconcile.salvage", watched)
    settle(node.catalog, SystemDisk())
    assert read == [node.rows()[1].path]


def test_a_lost_catalog_is_made_anew_from_the_files(node: Recordings) -> None:
    """Segments, times, masks and gaps come back from the notes in the files, holds from the register."""
    node.record(6)
    before = node.rows()
    hold = node.holds().add(before[0].wall_from_ns, before[0].wall_to_ns, "PV 7", "OPJ")
    node.catalog.close()
    for path in node.state.glob("catalog.sqlite3*"):
        path.unlink()
    node.reopen()
    after = node.rows()
    assert [(r.path, r.media_from_ns, r.media_to_ns, r.wall_from_ns, r.masks, r.frames, r.clock) for r in after] == [
        (r.path, r.media_from_ns, r.media_to_ns, r.wall_from_ns, r.masks, r.frames, r.clock) for r in before
    ]
    assert [row.held for row in after] == [True, False]
    assert node.holds().active() == [hold]
    node.assert_in_order()


@pytest.mark.parametrize("damage", [b"", b"this is no database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_catalog_is_set_aside_and_made_anew(node: Recordings, damage: bytes) -> None:
    """The daemon starts, nothing is thrown away, every segment is known again."""
    node.record(6)
    node.catalog.close()
    path = node.state / "catalog.sqlite3"
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    path.write_bytes(damage)
    node.reopen()
    assert [row.frames for row in node.rows()] == [100, 50]
    if damage:
        assert path.with_name("catalog.sqlite3.damaged-1").read_bytes()[: len(damage)] == damage
    node.assert_in_order()


def test_a_catalog_that_lacks_a_table_is_made_anew(node: Recordings) -> None:
    """An unfinished version wrote it: it is set aside, and every segment and hold is known again."""
    node.record(6)
    first = node.rows()[0]
    hold = node.holds().add(first.wall_from_ns, first.wall_to_ns, "PV 7", "OPJ")
    with node.catalog.change() as db:
        db.execute("DROP TABLE place")
    node.catalog.close()
    node.reopen()
    assert [row.frames for row in node.rows()] == [100, 50]
    assert node.holds().active() == [hold]
    assert (node.state / "catalog.sqlite3.damaged-1").exists()
    node.assert_in_order()


def test_damage_found_while_recording_ends_the_daemon_and_the_next_one_makes_the_catalog_anew(
    node: Recordings, caplog: pytest.LogCaptureFixture
) -> None:
    """A page goes bad under a running node: the recorder fails for good, so that a restart follows; then all is known again."""
    node.record(6)
    node.catalog._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    node.catalog._db.execute("PRAGMA shrink_memory")
    path = node.state / "catalog.sqlite3"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    recorder = node.recorder()
    recorder.start()
    recorder.offer(node.units(1)[0])
    assert recorder.join(60)
    assert recorder.state is ComponentState.FAILED
    assert "The next start sets it aside" in caplog.text
    assert "Traceback" not in caplog.text
    node.reopen()
    assert [row.frames for row in node.rows()] == [100, 50]
    assert list(node.state.glob("catalog.sqlite3.damaged-1"))
    node.record(2)
    node.assert_in_order()


def test_damage_that_only_readers_meet_is_mended_at_the_next_segment(node: Recordings) -> None:
    """A page of old rows goes bad, which health and sweeps read and the recorder does not: a restart makes all anew."""
    lay_in(node, 3000, files=False)
    node.record(2)
    db = node.catalog._db
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("PRAGMA shrink_memory")
    path = node.state / "catalog.sqlite3"
    with path.open("r+b") as file:
        data = file.read()
        file.seek(data.index(b"earlier", len(data) // 3) // 4096 * 4096)  # the boot of the rows that were laid in
        file.write(b"\xff" * 4096)
    recorder = node.recorder()
    recorder.start()
    node.pictures = 0
    assert all(recorder.offer(unit) for unit in node.units(2))
    until(lambda: recorder.metrics()["queued"] == 0, "it records on")
    with pytest.raises(StorageError, match="malformed"):
        node.catalog.stock()
    for unit in node.units(8):
        recorder.offer(unit)
    assert recorder.join(60)
    assert recorder.state is ComponentState.FAILED
    node.reopen()
    assert node.rows()[0].frames == 50
    node.record(2)
    node.assert_in_order()


def test_an_interrupted_recording_is_entered_as_ended(node: Recordings) -> None:
    """Kill -9 leaves a recording begun and not ended; the next start enters its end, once."""
    node.record(2)
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = 'open'")
    node.record(2)
    facts = [(line.act, line.facts.get("why")) for line in map(parse, lines(node.register.path))]
    assert facts[2:] == [(Act.RECORDING_ENDED, "interrupted"), (Act.RECORDING_BEGUN, None), (Act.RECORDING_ENDED, "stopped")]


def test_files_without_our_notes_are_left_alone(node: Recordings) -> None:
    """Somebody else's film in our directory gets no row and keeps every byte."""
    node.record(2)
    foreign = node.root / "2026/06/01/130000.000.mp4"
    foreign.write_bytes(b"\0\0\0\x18ftypisom" + b"\0" * 12)
    node.catalog.close()
    (node.state / "catalog.sqlite3").unlink()
    node.reopen()
    assert foreign not in [row.path for row in node.rows()]
    assert foreign.read_bytes()[:8] == b"\0\0\0\x18ftyp"


def test_an_undated_boot_counts_from_the_last_trusted_time(node: Recordings) -> None:
    """Recorded on a clock that was never set, rebooted, set: the footage counts from the last time known before it."""
    node.retention().sweep()
    node.clock.advance(DAY_S)
    node.retention().sweep()
    known_ns = node.clock.wall_ns()
    node.reopen(boot="b")
    node.clock.clock_quality = ClockQuality.UNSET
    node.clock.step_wall(utc(0))
    node.record(4)
    (row,) = node.rows()
    assert row.clock is ClockQuality.UNSET
    assert known_ns - 5 * NS < row.trusted_from_ns <= known_ns


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_file_holds_reading_it_is_safe(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes flipped, cut, repeated or made up: a salvage or None, never another error, and never more than is there."""
    base = _sample(tmp_path_factory)
    whole = base.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "noise"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "flip":
        torn = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    elif kind == "cut":
        torn = whole[:at]
    elif kind == "insert":
        torn = whole[:at] + data.draw(st.binary(min_size=1, max_size=40)) + whole[at:]
    else:
        torn = data.draw(st.binary(max_size=200))
    path = base.with_name("torn.mp4")
    path.write_bytes(torn)
    for deep in (True, False):
        found = salvage(path, deep=deep)
        assert found is None or found.extent.bytes <= len(torn)
        if found is not None and deep:
            assert found.extent.frames <= 2 * FPS


_samples: list[Path] = []


def _sample(factory: pytest.TempPathFactory) -> Path:
    if not _samples:
        node = Recordings(factory.mktemp("sample"))
        node.record(2)
        _samples.append(node.files()[0])
    return _samples[0]


def test_a_disk_that_is_full_at_start_up_is_said_and_does_not_lose_the_torn_segment(tmp_path: Path) -> None:
    """Below the reserve nothing new is begun; what was torn is settled all the same."""
    node = Recordings(tmp_path)
    node.record(2)
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = 'open'")
    node.disk = SmallDisk(0)
    recorder = node.recorder()
    recorder.offer(node.units(1)[0])
    recorder.stop()
    with pytest.raises(StorageError, match="is full"):
        recorder.work()
    node.assert_in_order()
