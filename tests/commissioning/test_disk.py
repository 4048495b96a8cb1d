"""The disk's lines: room against promised days, real writes, a really full disk."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commissioning.disk import Room, Speed, judge_room, judge_speed, measure_speed, room_of
from agent.commissioning.line import Grade
from agent.config.model import Config
from tests.support.configuration import configured
from tests.support.parts import program, root

BASE = {"node": {"id": "a"}, "camera": {"driver": "synthetic"}, "encoding": {"bitrate_kbps": 2000}}


def config(directory: Path | None = None, **recording: object) -> Config:
    """2000 kbit/s, that is 21.6 GB a day."""
    more = {"directory": str(directory)} if directory else {}
    return configured(BASE | {"recording": recording | more})


def test_two_megabits_for_fourteen_days_want_three_hundred_gigabytes() -> None:
    """By hand: 2 Mbit/s x 14 days = 302 GB; ten percent and the reserve on top are what is asked for."""
    full = judge_room(config(min_free_mb=0), Room(10**12, 302 * 10**9), 0)
    assert (full.grade, full.metrics["days"]) == (Grade.FAIL, 14.0)
    assert "333 GB" in full.remedy
    assert judge_room(config(min_free_mb=0), Room(10**12, 340 * 10**9), 0).grade is Grade.OK
    assert judge_room(config(min_free_mb=0), Room(10**12, 310 * 10**9), 0).grade is Grade.WARN


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(50, 20_000), st.integers(1, 30))
def test_what_is_advised_suffices(free: int, recorded: int, kbps: int, days: int) -> None:
    """Whatever the disk: with the bit rate, or the days, that the remedy names, the same disk is no failure."""
    room = Room(2 * 10**12, free)
    changed = configured(BASE | {"encoding": {"bitrate_kbps": kbps}, "recording": {"retention_days": days}})
    line = judge_room(changed, room, recorded)
    if line.grade is Grade.OK:
        assert not line.remedy
        return
    advised = {name: int(value) for name, value in re.findall(r"(bitrate_kbps|retention_days) = (\d+)", line.remedy)}
    for name, value in advised.items():
        kept = {"encoding": {"bitrate_kbps": kbps}, "recording": {"retention_days": days}}
        kept["encoding" if name == "bitrate_kbps" else "recording"] = {name: value}
        assert judge_room(configured(BASE | kept), room, recorded).grade is not Grade.FAIL


def test_the_measured_rate_goes_before_the_configured_one() -> None:
    """A node that has run knows better; crf has only an estimate until then, and says so."""
    assert judge_room(config(), Room(10**12, 10**12), 0, measured_bps=4e6).metrics["bitrate_kbps"] == 4000
    crf = configured({**BASE, "encoding": {}})
    assert "estimated" in judge_room(crf, Room(10**12, 10**12), 0).measured


def test_real_writes_are_measured_and_leave_nothing(tmp_path: Path) -> None:
    """On this disk: a rate, twenty syncs in order, and an empty directory afterwards."""
    speed = measure_speed(tmp_path, write_bytes=4 * 1024 * 1024)
    assert speed.write_bytes_per_s > 0
    assert len(speed.syncs_s) == 20
    assert speed.median_s <= speed.worst_s
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("speed", "grade"),
    [
        (Speed(20e6, (0.01,) * 20), Grade.OK),
        (Speed(0.9e6, (0.01,) * 20), Grade.FAIL),
        (Speed(20e6, (0.01,) * 19 + (0.4,)), Grade.WARN),
        (Speed(20e6, (0.01,) * 19 + (2.5,)), Grade.FAIL),
    ],
)
def test_slow_disks_are_graded(tmp_path: Path, speed: Speed, grade: Grade) -> None:
    """Too slow for the stream, slow to sync now and then, and so slow that a second is lost."""
    assert judge_speed(config(tmp_path, min_free_mb=0), lambda _: speed).grade is grade


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    root()
    mount, umount = program("mount", "mount"), program("umount", "mount")
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=64m", "none", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run([umount, "-l", str(tmp_path)], check=True)


def test_a_full_disk_is_a_line_and_not_an_error(small_disk: Path) -> None:
    """Full before the measurement, and full in the midst of it."""
    assert judge_speed(config(small_disk, min_free_mb=200)).grade is Grade.OPEN
    midst = judge_speed(config(small_disk, min_free_mb=0), lambda d: measure_speed(d, write_bytes=128 * 1024 * 1024))
    assert midst.grade is Grade.FAIL
    assert "no space left" in midst.measured
    assert list(small_disk.iterdir()) == []
    (small_disk / "fill").write_bytes(bytes(60 * 1024 * 1024))
    line = judge_room(config(small_disk, min_free_mb=10), room_of(small_disk), 0)
    assert (line.grade, "full" in line.measured) == (Grade.FAIL, True)


def test_a_directory_that_is_not_there_yet_is_no_failure(tmp_path: Path) -> None:
    """Before the first start."""
    assert judge_speed(config(tmp_path / "later")).grade is Grade.OPEN
