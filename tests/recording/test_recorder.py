"""The recorder: pictures become files that play, through clock steps, slow disks and full ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agent.base.clock import NS, ClockQuality, utc
from agent.base.errors import StorageError
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.picture.access_unit import AccessUnit
from agent.recording.disk import OpenFile, SystemDisk
from agent.recording.fault import RecorderFault
from agent.recording.recorder import Recorder
from agent.recording.row import VARIOUS, SegmentState
from bench.small_film import FPS, HEIGHT, WIDTH, encode, film, instant, masked, picture
from hardware.encoder_libav import LibavEncoder
from tests.support.deadline import until
from tests.support.played import play
from tests.support.recordings import Recordings


def feed(recorder: Recorder, units: Sequence[AccessUnit]) -> None:
    """Offer units and wait until the recorder has taken them all."""
    assert all(recorder.offer(unit) for unit in units)
    until(lambda: recorder.metrics()["queued"] == 0, "every picture taken")


def test_pictures_become_segments_that_play(node: Recordings) -> None:
    """Ten seconds become files of four seconds, each of which decodes alone; every picture is in one of them."""
    node.record(10)
    node.assert_in_order()
    assert [row.frames for row in node.rows()] == [100, 100, 50]
    assert all(play(row.path).keyframes[0] for row in node.rows())
    assert all(a.media_to_ns == b.media_from_ns for a, b in pairwise(node.rows()))


def test_files_are_named_by_their_first_instant_in_utc(node: Recordings) -> None:
    """`YYYY/MM/DD/HHMMSS.mmm.mp4`, as the outside knows it."""
    node.record(5)
    names = [str(path.relative_to(node.root)) for path in node.files()]
    assert names == ["2026/06/01/120000.000.mp4", "2026/06/01/120004.000.mp4"]


def test_the_catalog_finds_a_span_and_tells_what_lay_on_it(node: Recordings) -> None:
    """A span gives the segments that overlap it, with wall times, masks, guard state, cover and SHA-256."""
    units = [replace(u, mask_digest="a" if i < 30 else "b", opaque=i >= 60, view="verified") for i, u in enumerate(node.units(8))]
    node.take(units)
    start = node.rows()[0].wall_from_ns
    found = node.catalog.span(start + NS, start + 2 * NS)
    assert [row.wall_from_ns for row in found] == [start]
    spans = [((m.from_ns - found[0].media_from_ns) * FPS // NS, m.digest, m.opaque, m.view) for m in found[0].masks]
    assert spans == [(0, "a", False, "verified"), (30, "b", False, "verified"), (60, "b", True, "verified")]
    assert len(node.catalog.span(start, start + 8 * NS)) == 2
    assert node.catalog.span(start + 8 * NS, start + 9 * NS) == []
    assert node.catalog.span(start - NS, start) == []


def test_masks_that_change_with_every_picture_do_not_swell_the_catalog(node: Recordings) -> None:
    """While a view sways, a row tells of VARIOUS masks; the file's notes still tell each one."""
    from agent.recording.boxes import payload, top_boxes
    from agent.recording.note import FragmentNote

    node.take([replace(u, mask_digest=f"d{i}") for i, u in enumerate(node.units(4))])
    (row,) = node.rows()
    assert len(row.masks) <= 65
    assert row.masks[-1].digest == VARIOUS
    with row.path.open("rb") as file:
        notes = [FragmentNote.read(payload(file, b)) for b in top_boxes(file, row.bytes) if b.kind == b"uuid"]
    assert [mask.digest for note in notes if note for mask in note.masks] == [f"d{i}" for i in range(100)]


def test_no_fragment_is_longer_than_a_second(node: Recordings) -> None:
    """A power cut takes at most what has not left memory: fragments span less than a second each."""
    from agent.recording.boxes import payload, top_boxes
    from agent.recording.note import FragmentNote

    node.record(4)
    (row,) = node.rows()
    with row.path.open("rb") as file:
        notes = [FragmentNote.read(payload(file, b)) for b in top_boxes(file, row.bytes) if b.kind == b"uuid"]
    assert all(note is not None and note.media_to_ns - note.media_ns <= 0.8 * NS for note in notes)
    assert len(notes) == 5


def test_a_silent_camera_does_not_keep_pictures_in_memory(node: Recordings) -> None:
    """When the camera falls silent the open fragment goes to disk after its time all the same."""
    recorder = node.recorder()
    recorder.start()
    for unit in node.units(0.2):
        recorder.offer(unit)
    node.clock.advance(1)
    until(lambda: node.rows() and node.rows()[0].frames == 5, "the fragment of five pictures on disk")
    assert len(play(node.rows()[0].path).times_s) == 5
    node.stop(recorder)


def test_a_gap_is_told(node: Recordings) -> None:
    """Pictures that never came stand in the catalog as a gap, inside a segment and between two."""
    units = node.units(2)
    node.clock.advance(1)
    node.pictures = 0
    units += node.units(1)
    node.take(units)
    (row,) = node.rows()
    assert [(g.to_ns - g.from_ns) for g in row.gaps] == [NS]
    assert row.gaps[0].from_ns == units[49].pts_ns + units[49].duration_ns


def test_a_slow_or_unsteady_camera_has_no_gaps(node: Recordings) -> None:
    """Five pictures a second, jittering, where 25 were configured: no gap is told, and spans meet without a hole."""
    units = []
    for i in range(50):
        units.append(replace(film().at(i, node.clock.monotonic_ns(), node.clock.wall_ns()), mask_digest=f"d{i // 7}"))
        node.clock.advance(0.2 + (i * 37 % 11 - 5) * 0.015)
    node.take(units)
    for row in node.rows():
        assert row.gaps == ()
        assert all(a.to_ns == b.from_ns for a, b in pairwise(row.masks))
    assert all(a.media_to_ns == b.media_from_ns for a, b in pairwise(node.rows()))
    node.assert_in_order()


def test_a_segment_waits_for_a_keyframe(node: Recordings) -> None:
    """What comes before the first keyframe is no film: recording begins with it."""
    units = node.units(3)
    node.take(units[10:])
    assert node.rows()[0].media_from_ns == units[25].pts_ns
    node.assert_in_order()


def test_a_clock_that_leaps_back_overwrites_nothing_and_keeps_the_order(node: Recordings) -> None:
    """An hour back by NTP: new segments under new names, in the order in which they were recorded."""
    recorder = node.recorder()
    recorder.start()
    feed(recorder, node.units(8))
    node.clock.step_wall(utc(node.clock.wall_ns()) - timedelta(seconds=8))
    feed(recorder, node.units(8))
    node.stop(recorder)
    rows = node.rows()
    assert len({row.path for row in rows}) == 4
    assert [row.media_from_ns for row in rows] == sorted(row.media_from_ns for row in rows)
    node.assert_in_order()
    assert [row.path.name for row in rows] == ["120000.000.mp4", "120004.000.mp4", "120000.001.mp4", "120004.001.mp4"]


def test_a_clock_step_begins_a_new_segment(node: Recordings) -> None:
    """Within a segment wall and media time run in step: a step inside one cuts it at the next keyframe."""
    recorder = node.recorder()
    recorder.start()
    feed(recorder, node.units(2))
    node.clock.step_wall(utc(node.clock.wall_ns()) + timedelta(hours=3))
    feed(recorder, node.units(2))
    node.stop(recorder)
    assert [row.frames for row in node.rows()] == [50, 50]
    assert node.rows()[1].wall_from_ns - node.rows()[0].wall_to_ns == 3 * 3600 * NS


def test_segments_of_an_unset_clock_are_dated_when_it_is_known(node: Recordings) -> None:
    """Booted in 1970, set by NTP after eight seconds: every segment then bears its true date; files keep their names."""
    truth_ns = node.clock.wall_ns()
    node.clock.step_wall(utc(10 * NS))
    node.clock.clock_quality = ClockQuality.UNSET
    units = node.units(8)
    node.clock.step_wall(utc(truth_ns + 8 * NS))
    recorder = node.recorder()
    recorder.start()
    for unit in units:
        recorder.offer(unit)
    until(lambda: len(node.rows()) == 2, "two segments of the unset clock")
    assert [row.clock for row in node.rows()] == [ClockQuality.UNSET] * 2
    node.clock.clock_quality = ClockQuality.SYNCHRONISED
    for unit in node.units(4):
        recorder.offer(unit)
    node.stop(recorder)
    rows = node.rows()
    assert [row.wall_from_ns for row in rows] == [truth_ns + at * NS for at in (0, 4, 8)]
    assert {row.clock for row in rows} == {ClockQuality.SYNCHRONISED}
    assert rows[0].path.relative_to(node.root) == Path("1970/01/01/000010.000.mp4")
    node.assert_in_order()


def test_a_unit_stamped_before_the_clock_was_set_is_dated_by_the_clock_that_is(node: Recordings) -> None:
    """Pictures that waited in the queue while NTP set the clock do not begin a segment of 1970."""
    truth_ns = node.clock.wall_ns()
    units = [replace(unit, wall_ns=unit.wall_ns - truth_ns) for unit in node.units(2)]
    node.take(units)
    assert node.rows()[0].wall_from_ns == truth_ns


class Gate(SystemDisk):
    """A real disk that can be made to refuse or to hang."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.refuse: OSError | None = None
        self.torn = 0

    def create(self, path: Path) -> OpenFile:
        if self.refuse is not None:
            raise StorageError(f"cannot create {path}: no space left on device")
        return _Gated(super().create(path), self)


class _Gated:
    def __init__(self, file: OpenFile, gate: Gate) -> None:
        self.file, self.gate = file, gate

    def write(self, data: bytes) -> None:
        assert self.gate.open.wait(60)
        if self.gate.refuse is not None:
            self.file.write(data[: len(data) // 2])
            self.gate.torn += 1
            raise StorageError("cannot write: no space left on device", remedy="Free space")
        self.file.write(data)

    def sync(self) -> None:
        self.file.sync()

    def truncate(self, length: int) -> None:
        self.file.truncate(length)

    def close(self) -> None:
        self.file.close()


def test_a_disk_that_hangs_costs_pictures_never_order(tmp_path: Path) -> None:
    """While the disk hangs the queue fills; the loss is reported at once, ends the segment, and stands as a gap."""
    gate = Gate()
    node = Recordings(tmp_path, disk=gate)
    recorder = node.recorder(queue_units=60)
    recorder.start()
    gate.open.clear()
    offered = [recorder.offer(unit) for unit in node.units(6)]
    assert not all(offered)
    assert [fault.kind for fault in node.faults] == [RecorderFault.OVERFLOW]
    assert recorder.metrics()["lost"] == offered.count(False)
    gate.open.set()
    until(lambda: recorder.metrics()["queued"] == 0, "the queue drained")
    again = node.units(2)
    assert all(recorder.offer(unit) for unit in again)
    node.stop(recorder)
    node.assert_in_order()
    first, second = node.rows()
    assert first.frames == offered.index(False)
    assert second.media_from_ns == again[0].pts_ns
    assert [(g.from_ns, g.to_ns) for g in second.gaps] == [(first.media_to_ns, second.media_from_ns)]


def test_a_full_disk_loses_nothing_that_was_recorded_and_recording_resumes(tmp_path: Path) -> None:
    """Half a fragment written, then no space: what was acknowledged plays, the fault is told, recording comes back."""
    gate = Gate()
    node = Recordings(tmp_path, disk=gate)
    recorder = node.recorder()
    recorder.start()
    for unit in node.units(3):
        recorder.offer(unit)
    until(lambda: node.rows() and node.rows()[0].frames == 60, "three fragments on disk")
    gate.refuse = OSError(28, "No space left on device")
    for unit in node.units(1):
        recorder.offer(unit)
    until(lambda: recorder.metrics()["state"] == "failing", "the failure in health")
    assert gate.torn == 1
    assert "no space left" in str(recorder.metrics()["fault"])
    gate.refuse = None
    node.pictures = 0
    for unit in node.units(2):
        recorder.offer(unit)

    def resumed() -> bool:
        node.clock.advance(1)  # the recorder tries again every few seconds of this clock
        return recorder.metrics()["queued"] == 0

    until(resumed, "recording again")
    node.stop(recorder)
    node.assert_in_order()
    assert [row.frames for row in node.rows()] == [60, 50]
    assert [(fault.kind, fault.over) for fault in node.faults] == [
        (RecorderFault.STORAGE, False),
        (RecorderFault.STORAGE, True),
    ]


class Unsynced(SystemDisk):
    """A disk that makes files and then refuses to write their names down, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def sync_directory(self, path: Path) -> None:
        if self.left and any(path.glob("*.mp4")):
            self.left -= 1
            raise StorageError(f"cannot sync {path}: input/output error")
        super().sync_directory(path)


def test_a_segment_that_cannot_begin_leaves_no_descriptor_open(tmp_path: Path) -> None:
    """It is tried again for as long as the disk is ill: the file of each attempt is closed, or descriptors would run out."""
    node = Recordings(tmp_path, disk=Unsynced(5))
    recorder = node.recorder()
    for _ in range(5):
        node.pictures = 0
        assert recorder.offer(node.units(1)[0])
        with pytest.raises(StorageError):
            recorder.work()
    assert not [name for name in map(os.path.realpath, Path("/proc/self/fd").iterdir()) if ".mp4" in name]
    recorder.start()
    node.pictures = 0
    feed(recorder, node.units(1))
    node.stop(recorder)
    node.assert_in_order()


def test_every_picture_offered_is_counted_once(tmp_path: Path) -> None:
    """Through overflow, a full disk, waits for keyframes: recorded, lost, queued or pending; what is recorded is on disk."""
    gate = Gate()
    node = Recordings(tmp_path, disk=gate)
    recorder = node.recorder(queue_units=60)
    recorder.start()
    offered, balanced = 0, []

    def offer(seconds: float) -> None:
        nonlocal offered
        for unit in node.units(seconds):
            recorder.offer(unit)
            offered += 1
            f: Mapping[str, Any] = recorder.metrics()
            balanced.append(f["offered"] == f["recorded"] + f["lost"] + f["queued"] + f["pending"] == offered)

    def drained() -> bool:
        node.clock.advance(0.5)
        return recorder.metrics()["queued"] == 0

    offer(2)
    until(drained, "recording")
    gate.open.clear()
    offer(6)
    gate.open.set()
    until(drained, "the queue drained after the disk hung")
    gate.refuse = OSError(28, "No space left on device")
    offer(2)
    until(lambda: gate.torn, "the disk refused")
    gate.refuse = None
    until(drained, "recording again")
    offer(2)
    node.stop(recorder)
    metrics = recorder.metrics()
    on_disk = sum(row.frames for row in node.rows())
    assert all(balanced)
    assert (metrics["recorded"], metrics["lost"]) == (on_disk, offered - on_disk)
    assert (metrics["queued"], metrics["pending"]) == (0, 0)
    assert 0 < on_disk < offered
    node.assert_in_order()


def test_the_register_tells_when_recording_began_and_ended(node: Recordings) -> None:
    """One entry at the start, one at the end with the count of pictures."""
    node.record(5)
    entries = [parse(raw) for raw in lines(node.register.path)]
    assert [entry.act for entry in entries] == [Act.RECORDING_BEGUN, Act.RECORDING_ENDED]
    assert entries[0].facts["segment"] == "2026/06/01/120000.000.mp4"
    assert entries[1].facts["pictures"] == 125


def test_a_register_that_cannot_be_written_does_not_stop_recording(node: Recordings) -> None:
    """No trace is an alarm, no picture is worse: recording goes on and the fault is reported."""
    node.register.path.mkdir(parents=True)
    node.record(5)
    node.assert_in_order()
    assert {fault.kind for fault in node.faults} == {RecorderFault.JOURNAL}
    assert [row.frames for row in node.rows()] == [100, 25]


def test_two_daemons_do_not_record_into_one_directory(node: Recordings) -> None:
    """The second one says so and records nothing; the first is not disturbed."""
    first, second = node.recorder(), node.recorder()
    first.start()
    units = node.units(2)
    for unit in units:
        first.offer(unit)
    until(node.rows, "the first one records")
    second.start()
    until(lambda: second.fault, "the second one's fault")
    assert "another process records" in second.fault
    second.stop()
    node.stop(first)
    node.assert_in_order()


def test_a_segment_ends_with_the_signature_over_its_last_pictures(node: Recordings) -> None:
    """The closing unit of a signed stream is no picture: it joins the last one, and the film still plays."""
    units = node.units(2)
    sei = b"\x00\x00\x00\x01\x06\x05\x14" + bytes(range(1, 21)) + b"\x80"
    closing = replace(units[-1], data=sei, keyframe=False, duration_ns=0)
    node.take([*units, closing])
    (row,) = node.rows()
    assert row.frames == 50
    assert row.path.read_bytes().endswith(sei[4:])
    node.assert_in_order()


def test_an_open_segment_can_be_found_and_read_while_it_grows(node: Recordings) -> None:
    """An export of the last minute sees the open segment as far as it is on disk."""
    recorder = node.recorder()
    recorder.start()
    for unit in node.units(3):
        recorder.offer(unit)
    until(lambda: node.rows() and node.rows()[0].frames == 60, "three fragments on disk")
    (row,) = node.catalog.span(0, 1 << 62)
    assert row.state is SegmentState.OPEN
    assert row.path.stat().st_size >= row.bytes
    assert len(play(row.path).times_s) >= row.frames
    assert row.media_to_ns - row.media_from_ns == 60 * NS // FPS
    node.stop(recorder)


def test_b_frames_go_through_fragments_and_segments(node: Recordings) -> None:
    """Units in decoding order, cut into fragments and segments: every picture is there, in its own time, in every file."""
    encoder = LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, preset="fast", keyframe_seconds=1, b_frames=3, threads=1)
    start_ns, wall_ns = node.clock.monotonic_ns(), node.clock.wall_ns()
    units = encode(encoder, [masked(picture(i), instant(i, start_ns=start_ns, wall_ns=wall_ns)) for i in range(150)])
    assert any(unit.pts_ns != unit.dts_ns for unit in units)
    node.take(units)
    assert [row.frames for row in node.rows()] == [100, 50]
    node.assert_in_order()
    for row in node.rows():
        times = play(row.path).times_s
        assert [round((at - times[0]) * FPS, 3) for at in times] == list(range(row.frames))


def test_the_film_is_the_one_that_was_encoded(node: Recordings) -> None:
    """The test film itself is sound: one keyframe a second."""
    assert [i for i, unit in enumerate(film().units) if unit.keyframe] == [0, 25, 50, 75]
