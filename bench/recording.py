"""Recording: what it adds to encoding, what start-up and a sweep cost with 14 days on disk, what kills -9 lose.

Options: --pictures 500 (of 1080p25 at 2 Mbit/s), --kills 0 (200 for the long proof), --seed 1.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from agent.base.clock import NS, SystemClock
from agent.journal.entry import Act
from agent.journal.register import Register
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.picture.cover import Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.recording.catalog import Catalog
from agent.recording.disk import SystemDisk
from agent.recording.reconcile import open_catalog, settle
from agent.recording.recorder import FRAGMENT_S
from agent.recording.retention import DAY_NS, Retention
from agent.recording.row import NewSegment
from agent.recording.segment import Segment, SegmentOrigin, segment_path
from agent.recording.trusted_time import boot_id
from bench.film import film_1080p25
from bench.recording_kill import kill_many
from hardware.encoder_libav import LibavEncoder
from hardware.muxer_libav import LibavMuxer

FORTNIGHT = 14 * 24 * 60
FPS = 25


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Print a table; the same figures as a mapping."""
    pictures, kills = int(str(options.get("pictures", 500))), int(str(options.get("kills", 0)))
    metrics: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        where = Path(name)
        metrics |= _writing(where / "writing", pictures)
        metrics |= _fortnight(where / "fortnight")
        metrics |= _register(where / "register")
        if kills:
            toll = kill_many(where / "kills", kills, int(str(options.get("seed", 1))))
            metrics |= {
                "kills": toll.kills,
                "pictures acknowledged": toll.acknowledged,
                "acknowledged pictures lost": toll.lost,
                "segments repaired": toll.repaired,
                "troubles": toll.faults,
            }
    table = Table("figure", "value")
    for key, value in metrics.items():
        table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)
    return metrics


def _writing(where: Path, pictures: int) -> dict[str, Any]:
    """The recorder's work for each picture beside x264's, in processor time; and how long the disk takes to sync."""
    units, video, encode_ns = _encoded(pictures)
    catalog = Catalog(where / "catalog.sqlite3", where)
    row = catalog.begin(NewSegment(where / "film.mp4", "b", 0, 0, SystemClock().quality(), 0))
    disk = _Timed()
    segment = Segment(disk.create(where / "film.mp4"), LibavMuxer, video, SegmentOrigin("b", 0, SystemClock().quality()))
    began = time.process_time_ns()
    for unit in units:
        if segment.pending_ns + unit.duration_ns > FRAGMENT_S * NS:
            catalog.advance(row, segment.end_fragment(unit.dts_ns))
        segment.append(unit)
    catalog.finish(row, *segment.finish())
    record_ns = time.process_time_ns() - began
    size = (where / "film.mp4").stat().st_size
    plain = sum(len(unit.data) for unit in units)
    catalog.close()
    return {
        "recording / encoding, CPU": record_ns / encode_ns,
        "recording, ms a picture": record_ns / pictures / 1e6,
        "container, share of bytes": size / plain - 1,
        "fragment sync, ms p50": statistics.median(disk.sync_ms),
        "fragment sync, ms worst": max(disk.sync_ms),
    }


def _encoded(pictures: int) -> tuple[list[AccessUnit], VideoFormat, int]:
    frames = _planes(100)
    encoder = LibavEncoder(1920, 1080, FPS, bitrate_kbps=2000)
    mask, cover = PrivacyMask("solid"), Cover.none_needed()
    small = np.zeros((360, 640), np.uint8)
    units: list[AccessUnit] = []
    encode_ns = 0
    for index in range(pictures):
        at = FrameTime(index, NS + index * NS // FPS, index * NS // FPS)
        frame = mask.apply(RawFrame(frames[index % len(frames)], at, small=small), cover)
        began = time.process_time_ns()
        units += encoder.encode(frame)
        encode_ns += time.process_time_ns() - began
    units += encoder.flush()
    return units, encoder.format, encode_ns


def _planes(count: int) -> list[Planes]:
    found = []
    with av.open(str(film_1080p25())) as film:
        for picture in film.decode(video=0):
            packed = np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8)
            found.append(Planes.over(np.ascontiguousarray(packed).reshape(-1), picture.width, picture.height))
            if len(found) == count:
                break
    return found


class _Timed(SystemDisk):
    """The real disk, its syncs timed."""

    def __init__(self) -> None:
        self.sync_ms: list[float] = []

    def create(self, path: Path) -> Any:
        file, times = super().create(path), self.sync_ms
        sync = file.sync

        def timed() -> None:
            with _stopwatch(times):
                sync()

        file.sync = timed  # type: ignore[method-assign]  # the clock around the real one
        return file


@contextmanager
def _stopwatch(times_ms: list[float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    times_ms.append((time.monotonic() - began) * 1000)


def _fortnight(where: Path) -> dict[str, Any]:
    """Open 20,160 segments, settle, sweep with nothing and with one minute due."""
    root, clock = where / "recordings", SystemClock()
    catalog = Catalog(where / "catalog.sqlite3", root)
    now_ns = clock.wall_ns()
    starts = [now_ns - 14 * DAY_NS + (i + 5) * 60 * NS for i in range(FORTNIGHT)]
    root.mkdir()
    with catalog.change() as db:
        db.executemany(
            "INSERT INTO segment (path, state, boot, media_from_ns, media_to_ns, wall_from_ns, wall_to_ns, trusted_from_ns,"
            " bytes, clock, frames) VALUES (?, 'whole', 'b', ?, ?, ?, ?, ?, 1, 'synchronised', 1)",
            ((str(segment_path(root, at).relative_to(root)), at, at + 60 * NS, at, at + 60 * NS, at) for at in starts),
        )
    catalog.close()
    opened: list[float] = []
    with _stopwatch(opened):
        catalog = open_catalog(where / "catalog.sqlite3", root, where / "register.jsonl")
        settle(catalog, SystemDisk())
    idle: list[float] = []
    one: list[float] = []
    for days, due, times in ((14.0, 0, idle), ((now_ns - starts[0] - NS) / DAY_NS, 1, one)):
        retention = Retention(
            catalog=catalog,
            clock=clock,
            boot=boot_id(),
            journal=Register(where / "register.jsonl", clock),
            retention_days=days,
            min_free_bytes=0,
        )
        with _stopwatch(times):
            done = retention.sweep()
        assert done.destroyed == due, done
    catalog.close()
    return {"open and settle 20,160 segments, ms": opened[0], "sweep, none due, ms": idle[0], "sweep, one due, ms": one[0]}


def _register(where: Path) -> dict[str, Any]:
    register = Register(where / "register.jsonl", SystemClock())
    times: list[float] = []
    for i in range(50):
        with _stopwatch(times):
            register.enter(Act.COMMAND, "bench", {"i": i})
    return {"register entry, ms p50": statistics.median(times)}
