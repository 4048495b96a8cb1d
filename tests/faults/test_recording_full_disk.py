"""A disk that is really full, read-only or gone: a clear line, nothing recorded is lost, and all comes back with the space."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.base.errors import StorageError
from agent.journal.verdict import verify
from agent.recording.fault import RecorderFault
from tests.support.deadline import until
from tests.support.greedy import fill
from tests.support.parts import program, root
from tests.support.recordings import DAY_S, Recordings
from tests.support.small_disk import small_disk
from tests.support.stock import lay_in

pytestmark = pytest.mark.lane("full disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    with small_disk(tmp_path / "disk", megabytes=24) as where:
        yield where


def test_recording_on_a_disk_that_fills_loses_nothing_and_comes_back(disk: Path) -> None:
    """Another program takes the room: the fault is told, what was recorded plays, recording resumes when there is room."""
    node = Recordings(disk / "state")
    recorder = node.recorder()
    recorder.start()
    for unit in node.units(3):
        recorder.offer(unit)
    until(lambda: node.rows() and node.rows()[0].frames >= 60, "three fragments on disk")
    greedy = fill(disk)
    for unit in node.units(3):
        recorder.offer(unit)
    until(lambda: recorder.metrics()["state"] == "failing", "the failure in health")
    assert "full" in str(recorder.metrics()["fault"])
    assert RecorderFault.STORAGE in {fault.kind for fault in node.faults}
    greedy.unlink()
    node.pictures = 0
    for unit in node.units(2):
        recorder.offer(unit)

    def resumed() -> bool:
        node.clock.advance(1)
        return recorder.metrics()["queued"] == 0 and recorder.metrics()["state"] == "recording"

    until(resumed, "recording again")
    node.stop(recorder)
    node.assert_in_order()
    assert sum(row.frames for row in node.rows()) >= 60 + 25
    assert verify(node.register.path).whole


def test_a_sweep_works_on_a_disk_without_a_free_byte(disk: Path) -> None:
    """The disk is full to the last block and the daemon dead: what is due goes all the same, and is written down."""
    node = Recordings(disk / "state")
    lay_in(node, 200)
    node.retention().sweep()
    node.catalog.close()
    fill(disk)
    node.clock.advance(14 * DAY_S)
    node.reopen()
    done = node.retention().sweep()
    assert (done.destroyed, node.files()) == (200, [])
    node.retention().sweep()
    assert verify(node.register.path).lines >= 1


def test_free_space_is_made_by_destroying_the_oldest(disk: Path) -> None:
    """Another program takes room: a sweep gives the node its free space back, oldest first, by the file system's own count."""
    node = Recordings(disk / "state", min_free_bytes=10 << 20)
    starts = lay_in(node, 16)
    for path in node.files():
        path.write_bytes(b"\1" * (1 << 20))
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET bytes = ?", (1 << 20,))
    done = node.retention().sweep()
    assert done.shortfall is not None
    assert node.disk.free_bytes(node.root) >= 10 << 20
    left = [row.wall_from_ns for row in node.rows()]
    assert left == starts[-len(left) :]
    assert 3 <= done.destroyed <= 8


def test_a_read_only_disk_is_told_in_one_line(disk: Path) -> None:
    """Remounted read-only, as a failing SD card is: recording and sweep say so and name the remedy; nothing is lost."""
    root()
    node = Recordings(disk / "state")
    node.record(2)
    node.catalog.close()
    subprocess.run([program("mount", "mount"), "-o", "remount,ro", str(disk)], check=True)
    try:
        with pytest.raises(StorageError) as refusal:
            node.reopen()
            node.retention().sweep()
        assert "\n" not in str(refusal.value)
        assert refusal.value.remedy
    finally:
        subprocess.run([program("mount", "mount"), "-o", "remount,rw", str(disk)], check=True)
    node.reopen()
    node.assert_in_order()
