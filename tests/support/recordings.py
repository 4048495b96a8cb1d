"""A node's recordings on a scratch disk: record with the real recorder, muxer and catalog, on a clock the test turns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from agent.base.clock import NS
from agent.base.component import ComponentState
from agent.journal.register import Register
from agent.picture.access_unit import AccessUnit
from agent.recording.catalog import Catalog
from agent.recording.disk import Disk, SystemDisk
from agent.recording.fault import RecordingFault
from agent.recording.film_origin import FilmOrigin, OnePlace
from agent.recording.hold import Holds
from agent.recording.reconcile import open_catalog
from agent.recording.recorder import Recorder
from agent.recording.retention import Retention
from agent.recording.row import SegmentRow, SegmentState
from bench.small_film import FPS, film
from hardware.muxer_libav import LibavMuxer
from tests.support.manual_clock import ManualClock
from tests.support.played import play

DAY_S = 86_400.0
BOOT = "11111111-1111-4111-8111-111111111111"
_PATIENCE_S = 20


@dataclass
class Recordings:
    """`state` is the node's state directory. `reopen` is a restart; give another `boot` for a reboot."""

    state: Path
    clock: ManualClock = field(default_factory=ManualClock)
    disk: Disk = field(default_factory=SystemDisk)
    boot: str = BOOT
    retention_days: float = 14
    min_free_bytes: int = 0
    segment_seconds: float = 4
    faults: list[RecordingFault] = field(default_factory=list)
    origin: FilmOrigin = field(default_factory=OnePlace)
    stays: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register = Register(self.state / "register.jsonl", self.clock)
        self.catalog = self._open()
        self.pictures = 0

    @property
    def root(self) -> Path:
        return self.state / "recordings"

    def _open(self) -> Catalog:
        return open_catalog(self.state / "catalog.sqlite3", self.root, self.register.path)

    def reopen(self, boot: str | None = None) -> None:
        """Close the catalog and open it again, as a restarted daemon does."""
        self.catalog.close()
        self.boot = boot or self.boot
        self.catalog = self._open()

    def recorder(self, queue_units: int = 100_000) -> Recorder:
        """A recorder that is not started yet."""
        return Recorder(
            clock=self.clock,
            catalog=self.catalog,
            directory=self.root,
            muxer=LibavMuxer,
            video=lambda: film().format,
            journal=self.register,
            boot=self.boot,
            segment_seconds=self.segment_seconds,
            queue_units=queue_units,
            report=self.faults.append,
            disk=self.disk,
            origin=self.origin,
        )

    def units(self, seconds: float) -> list[AccessUnit]:
        """The next pictures of a steady camera on this clock, which moves along."""
        made = []
        for _ in range(round(seconds * FPS)):
            made.append(film().at(self.pictures, self.clock.monotonic_ns(), self.clock.wall_ns()))
            self.pictures += 1
            self.clock.advance(1 / FPS)
        return made

    def record(self, seconds: float) -> Recorder:
        """A daemon's life: start, record, stop clean. The camera begins on a keyframe."""
        self.pictures = 0
        return self.take(self.units(seconds))

    def take(self, units: Iterable[AccessUnit]) -> Recorder:
        """Start a recorder, feed it, stop it clean."""
        recorder = self.recorder()
        recorder.start()
        for unit in units:
            assert recorder.offer(unit) if unit.duration_ns else recorder.offer_closing(unit)
        self.stop(recorder)
        return recorder

    def stop(self, recorder: Recorder) -> None:
        """Stop clean and wait for the end."""
        recorder.stop()
        assert recorder.join(_PATIENCE_S)
        assert recorder.state is not ComponentState.FAILED, recorder.fault

    def retention(self) -> Retention:
        """As the timer runs it: of its own."""
        return Retention(
            catalog=self.catalog,
            clock=self.clock,
            boot=self.boot,
            journal=self.register,
            retention_days=self.retention_days,
            min_free_bytes=self.min_free_bytes,
            disk=self.disk,
            stays=lambda: self.stays,
        )

    def holds(self) -> Holds:
        return Holds(self.catalog, self.register, self.clock)

    def rows(self) -> list[SegmentRow]:
        """Every row, in the order of recording."""
        return self.catalog.rows("1")

    def files(self) -> list[Path]:
        """Every segment file."""
        return sorted(self.root.rglob("*.mp4"))

    def assert_in_order(self) -> None:
        """Catalog and disk agree, every file is what the catalog says of it, and all of it plays."""
        rows = self.rows()
        assert sorted(row.path for row in rows) == self.files()
        for row in rows:
            data = row.path.read_bytes()
            assert row.state is SegmentState.WHOLE
            assert row.bytes == len(data)
            assert row.sha256 in ("", hashlib.sha256(data).hexdigest())
            assert len(play(row.path).times_s) == row.frames
            assert row.media_from_ns < row.media_to_ns
            assert row.wall_to_ns - row.wall_from_ns == row.media_to_ns - row.media_from_ns
        by_boot: dict[str, list[SegmentRow]] = {}
        for row in rows:
            by_boot.setdefault(row.boot, []).append(row)
        for same in by_boot.values():
            assert all(a.media_to_ns <= b.media_from_ns + NS // 1000 for a, b in pairwise(same))
