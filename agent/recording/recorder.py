"""The recorder: takes access units as they come and puts them on disk in segments. It outlives every fault of the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import NS, Clock, ClockQuality
from agent.base.component import Component
from agent.base.errors import JournalError, StorageError, VigieError
from agent.base.lock_file import Claim
from agent.base.queues import BoundedQueue, Closed
from agent.journal.entry import Act, Journal
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.ports.video import MuxerFactory
from agent.recording.catalog import Catalog, condemned
from agent.recording.disk import Disk, SystemDisk
from agent.recording.fault import Fault, RecordingFault
from agent.recording.reconcile import condemn, damaged, settle
from agent.recording.row import Gap, NewSegment
from agent.recording.segment import GAP_NS, Origin, Segment, seconds_ns, segment_path
from agent.recording.tally import Tally
from agent.recording.trusted_time import trusted_now
from agent.signing.media_signing import closing_unit

FRAGMENT_S: Final = 0.8  # with the write and the sync of it, less than one second is ever at stake
_CLOCK_STEP_NS: Final = NS // 2
_POLL_S: Final = 0.2
_RESERVE_BYTES: Final = 8 << 20  # recordings leave this much to catalog, register and outbox


class _Item(Struct, frozen=True):
    unit: AccessUnit
    broken: bool  # units were lost before this one


class Recorder(Component):
    """Component `recorder`. `offer` is called by the encoder's thread; everything else happens on the recorder's own.

    `video` tells the format once the first unit is there. `report` is called from either thread and must not block.
    """

    retry_most_s = 5.0

    def __init__(
        self,
        *,
        clock: Clock,
        catalog: Catalog,
        directory: Path,
        muxer: MuxerFactory,
        video: Callable[[], VideoFormat],
        journal: Journal,
        boot: str,
        segment_seconds: float = 60.0,
        fragment_seconds: float = FRAGMENT_S,
        queue_units: int = 256,
        report: Callable[[RecordingFault], None] = lambda _: None,
        disk: Disk | None = None,
    ) -> None:
        super().__init__("recorder", clock)
        self._catalog = catalog
        self._directory = directory
        self._muxer = muxer
        self._video = video
        self._journal = journal
        self._boot = boot
        self._segment_ns = seconds_ns(segment_seconds)
        self._fragment_ns = seconds_ns(fragment_seconds)
        self._queue: BoundedQueue[_Item] = BoundedQueue(queue_units)
        self._report = report
        self._disk: Disk = disk or SystemDisk()
        self._skipping = False
        self._offering = threading.Lock()
        self._tally = Tally()
        self._segment: Segment | None = None
        self._segment_id = 0
        self._first: AccessUnit | None = None
        self._last: AccessUnit | None = None
        self._troubled = False
        self._why = ""
        self._begun = False
        self._settled = False
        self._broken = False  # pictures were lost since the last one on disk
        self._claim = Claim(catalog.path)

    def offer(self, unit: AccessUnit) -> bool:
        """Hand one unit over; False when it is lost, because the disk does not keep up. Never blocks."""
        is_picture = unit.duration_ns > 0
        with self._offering:
            refused = (self._skipping and not unit.keyframe) or not self._queue.offer(_Item(unit, self._skipping))
            fresh, self._skipping = refused and not self._skipping, refused
            if is_picture:
                self._tally.offered(refused=refused)
        if fresh and not self.stopping.is_set():
            self._tell(Fault.OVERFLOW, "the disk does not keep up: pictures are lost until the next keyframe it has room for")
        return not refused

    def figures(self) -> Mapping[str, float | str]:
        """For health: state, and every picture offered: recorded, lost, queued or pending; any thread."""
        count = self._tally.count()
        state = "failing" if self._troubled else "recording" if self._segment is not None else "waiting"
        return {
            "state": state,
            "trouble": self._why if self._troubled else "",
            "offered": count.offered,
            "recorded": count.recorded,
            "lost": count.lost,
            "queued": count.queued,
            "pending": count.pending,
        }

    def wake(self) -> None:
        self._queue.close()

    def work(self) -> None:
        """Settle what a crash left, then take units until the queue is closed and empty; the open segment is finished last."""
        try:
            self._claim.take()
            self._settle()
            while True:
                try:
                    item = self._queue.get(_POLL_S)
                except Closed:
                    break
                if item is None:
                    self._idle()
                elif item.unit.duration_ns > 0:
                    self._count_in(item)
                elif self._segment is not None:  # no picture: the signature over the last GOP of a stream that ends
                    self._segment.sign_end(item.unit)
            self._finish(None)
            self._enter_end("stopped")
            self._claim.give_back()
        except VigieError as error:
            self._give_up(error)
            if isinstance(error, StorageError) and damaged(error):
                condemn(self._catalog)
                self._claim.give_back()
                error.final = True  # only a restart, which makes it anew, can go on
            raise

    def _settle(self) -> None:
        """What a crash left open is settled, and the recording that it ended is entered as ended."""
        settled = settle(self._catalog, self._disk)
        segments = settled.repaired + settled.unreadable
        if segments and not self._settled:
            self._enter(Act.RECORDING_ENDED, {"why": "interrupted", "segments": segments, "cut_bytes": settled.cut_bytes})
        self._settled = True

    def _idle(self) -> None:
        segment = self._segment
        since_ns = segment.pending_since_ns if segment is not None else None
        if segment is None or since_ns is None:
            self.progressed()
        elif self.clock.monotonic_ns() - since_ns >= self._fragment_ns:
            self._sync(segment, None)

    def _count_in(self, item: _Item) -> None:
        kept = False
        try:
            kept = self._take(item)
        finally:
            self._tally.done(kept=kept)

    def _take(self, item: _Item) -> bool:
        """Put one picture into the open fragment; False when no segment can begin with it."""
        unit = item.unit
        if item.broken:
            self._broken = True
            self._finish(None)
        elif self._stepped(unit) or self._long_enough(unit):
            self._close_before(unit)
        segment = self._segment
        if segment is None:
            if not unit.keyframe:
                return False
            segment = self._begin(unit)
        elif segment.pending_ns + unit.duration_ns > self._fragment_ns:
            self._sync(segment, unit.dts_ns)
        segment.append(unit)
        self._last = unit
        return True

    def _close_before(self, keyframe: AccessUnit) -> None:
        """End the segment with the signature over its last GOP, which comes with the keyframe of the next."""
        segment = self._segment
        if segment is not None and segment.last is not None:
            closing = closing_unit(segment.last, keyframe)
            if closing is not None:
                segment.sign_end(closing)
        self._finish(keyframe.dts_ns)

    def _stepped(self, unit: AccessUnit) -> bool:
        """Did the wall clock leave the line it had in this segment? (Cuts only where a decoder can begin.)"""
        first = self._first
        if first is None or not unit.keyframe:
            return False
        return abs((unit.wall_ns - first.wall_ns) - (unit.pts_ns - first.pts_ns)) > _CLOCK_STEP_NS

    def _long_enough(self, unit: AccessUnit) -> bool:
        first = self._first
        if first is None or not unit.keyframe:
            return False
        return unit.pts_ns - first.pts_ns + unit.duration_ns // 2 >= self._segment_ns

    def _begin(self, unit: AccessUnit) -> Segment:
        """Catalog row first, then the file: a crash between them leaves a row without a file, which start-up forgets."""
        self._keep_reserve()
        if condemned(self._catalog.path).exists():  # a sweep, an export or health met what a recorder seldom reads
            raise StorageError(f"the catalog {self._catalog.path} is damaged: malformed", remedy="The next start makes it anew")
        trusted_ns = trusted_now(self._catalog, self.clock, self._boot) - (self.clock.monotonic_ns() - unit.pts_ns)
        quality = self.clock.quality()
        wall_ns = self._wall_ns(unit, quality)
        path = self._free_name(wall_ns)
        last = self._last
        gap = Gap(last.pts_ns + last.duration_ns, unit.pts_ns) if last is not None else None
        before = gap if gap and (self._broken or gap.to_ns - gap.from_ns > GAP_NS) else None
        self._broken = False
        new = NewSegment(path, self._boot, unit.pts_ns, wall_ns, quality, trusted_ns, (before,) if before else ())
        self._segment_id = self._catalog.begin(new)
        file = self._disk.create(path)
        try:
            self._disk.sync_directory(path.parent)
            origin = Origin(self._boot, trusted_ns - unit.pts_ns, quality)
            self._segment = Segment(file, self._muxer, self._video(), origin, before)
        except BaseException:
            file.close()  # it is tried again every few seconds: each descriptor counts
            raise
        self._first = unit
        self._enter_begin(path, quality)
        return self._segment

    def _wall_ns(self, unit: AccessUnit, quality: ClockQuality) -> int:
        """The unit's wall time; a unit stamped before the clock was synchronised, and taken after, is dated by the clock now."""
        now_ns = self.clock.wall_ns() - (self.clock.monotonic_ns() - unit.pts_ns)
        stale = quality is ClockQuality.SYNCHRONISED and abs(now_ns - unit.wall_ns) > _CLOCK_STEP_NS
        return now_ns if stale else unit.wall_ns

    def _keep_reserve(self) -> None:
        free = self._disk.free_bytes(self._catalog.path.parent if not self._directory.exists() else self._directory)
        if free < _RESERVE_BYTES:
            raise StorageError(
                f"the disk under {self._directory} is full ({free} bytes left)",
                remedy="Free space, raise [recording] min_free_mb or lower retention_days",
            )

    def _free_name(self, wall_ns: int) -> Path:
        """The name of this instant, or of the next free millisecond: a leaping clock never overwrites."""
        while True:
            path = segment_path(self._directory, wall_ns)
            if not path.exists() and not self._catalog.taken(path):
                return path
            wall_ns += 1_000_000

    def _sync(self, segment: Segment, next_dts_ns: int | None) -> None:
        before = segment.extent.frames
        extent = segment.end_fragment(next_dts_ns)
        self._tally.recorded(extent.frames - before)
        self._catalog.advance(self._segment_id, extent)
        self._keep_reserve()
        self.progressed()
        if self._troubled:
            self._troubled = False
            self._tell(Fault.STORAGE, "the disk takes recordings again", over=True)

    def _finish(self, next_dts_ns: int | None) -> None:
        segment = self._segment
        if segment is None:
            return
        before = segment.extent.frames
        extent, digest = segment.finish(next_dts_ns)
        self._tally.recorded(extent.frames - before)
        self._catalog.finish(self._segment_id, extent, digest)
        self._segment = self._first = None
        self.progressed()

    def _give_up(self, error: VigieError) -> None:
        """Save what was acknowledged, say what happened; the component tries again after a pause."""
        segment, self._segment, self._first = self._segment, None, None
        if segment is not None:
            try:
                extent, digest = segment.abandon()
                self._catalog.finish(self._segment_id, extent, digest)
            except StorageError:
                pass  # the row stays open: reconciling at the next start settles it
        self._tally.given_up()
        self._broken = True
        self._why = str(error)
        if not self._troubled:
            self._troubled = True
            self._tell(Fault.STORAGE, str(error))
            self._enter_end(f"failed: {error}")

    def _enter_begin(self, path: Path, quality: str) -> None:
        """Once per uninterrupted recording. Recording goes on when the register refuses; the next segment tries again."""
        if not self._begun:
            name = str(path.relative_to(self._directory))
            self._begun = self._enter(Act.RECORDING_BEGUN, {"segment": name, "clock": quality})

    def _enter_end(self, why: str) -> None:
        if self._begun:
            count = self._tally.count()
            self._enter(Act.RECORDING_ENDED, {"why": why, "pictures": count.recorded, "lost": count.lost})
            self._begun = False

    def _enter(self, act: Act, facts: Mapping[str, str | int]) -> bool:
        try:
            self._journal.enter(act, "recorder", facts)
        except JournalError as error:
            self._tell(Fault.JOURNAL, str(error))
            return False
        return True

    def _tell(self, kind: Fault, what: str, *, over: bool = False) -> None:
        self._report(RecordingFault(kind, what, self.clock.wall_ns(), over))
