"""The recorder: takes access units as they come and puts them on disk in segments. It outlives every fault of the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock, ClockQuality
from agent.base.component import Component
from agent.base.errors import CatalogDamaged, StorageError, VigieError
from agent.base.lock_file import FileLock
from agent.base.phrase import say
from agent.base.queues import Closed
from agent.journal.entry import Journal
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.ports.video import MuxerFactory
from agent.recording.catalog import Catalog, condemned
from agent.recording.disk import Disk, SystemDisk
from agent.recording.fault import RecorderFault, RecordingFault
from agent.recording.film_origin import Darkness, FilmOrigin, OnePlace
from agent.recording.intake import Intake, Item
from agent.recording.reconcile import condemn, settle
from agent.recording.row import Gap, NewSegment
from agent.recording.segment import GAP_NS, Segment, SegmentOrigin, seconds_ns
from agent.recording.shelf import Shelf
from agent.recording.signatures import Signatures
from agent.recording.spell import Spell
from agent.recording.tally import RecordingTally
from agent.recording.trusted_time import trusted_now

FRAGMENT_S: Final = 0.8  # with the write and the sync of it, less than one second is ever at stake
_CLOCK_STEP_NS: Final = NS // 2
_POLL_S: Final = 0.2


class Recorder(Component):
    """Component `recorder`. `offer` is called by the encoder's thread; everything else happens on the recorder's own.

    `video` tells the format once the first unit is there. `report` is called from either thread and must not block. `close`:
    see `Signatures`.
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
        close: Callable[[], bool] | None = None,
        disk: Disk | None = None,
        origin: FilmOrigin = OnePlace(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__("recorder", clock)
        self._catalog = catalog
        self._directory = directory
        self._muxer = muxer
        self._video = video
        self._boot = boot
        self._segment_ns = seconds_ns(segment_seconds)
        self._fragment_ns = seconds_ns(fragment_seconds)
        self._report = report
        self._signatures = Signatures(close, lambda what: self._tell(RecorderFault.SIGNATURE, what))
        self._disk: Disk = disk or SystemDisk()
        self._shelf = Shelf(directory, catalog, self._disk)
        self._tally = RecordingTally()
        self._intake = Intake(queue_units, self._tally)
        self._spell = Spell(journal, self._tally, lambda why: self._tell(RecorderFault.JOURNAL, why))
        self._segment: Segment | None = None
        self._segment_id = 0
        self._first: AccessUnit | None = None
        self._last: AccessUnit | None = None
        self._failing = False
        self._why = ""
        self._settled = False
        self._broken = False  # frames were lost since the last one on disk
        self._origin = origin
        self._darkness = Darkness(origin)
        self._place = ""  # of the open segment
        self._file_lock = FileLock(catalog.path)

    def offer(self, unit: AccessUnit) -> bool:
        """Hand one unit over; False when it is lost, because the disk does not keep up. Never blocks."""
        taken, first = self._intake.offer(unit)
        if first and not self.stopping.is_set():
            self._tell(
                RecorderFault.OVERFLOW,
                "the disk does not keep up: frames are lost until the next keyframe it has room for",
            )
        return taken

    def offer_closing(self, closing: AccessUnit) -> bool:
        """Hand over the signature over the units up to the last one; False when it speaks for none that was taken."""
        return self._intake.offer_closing(closing)

    def metrics(self) -> Mapping[str, float | str]:
        """For health: state; every frame offered: recorded, lost, queued or pending; `unclosed`, the segments of a signed
        stream that ended without the signature over their last frames. Any thread."""
        count = self._tally.count()
        state = "failing" if self._failing else "recording" if self._segment is not None else "waiting"
        return {
            "state": state,
            "fault": self._why if self._failing else "",
            "offered": count.offered,
            "recorded": count.recorded,
            "lost": count.lost,
            "queued": count.queued,
            "pending": count.pending,
            "unclosed": self._signatures.unclosed,
        }

    def wake(self) -> None:
        self._intake.close()

    def work(self) -> None:
        """Settle what a crash left, then take units until the queue is closed and empty; the open segment is finished last."""
        try:
            self.begin()
            while self.turn(_POLL_S):
                pass
            self.end()
        except VigieError as error:
            self._give_up(error)
            if isinstance(error, CatalogDamaged):
                condemn(self._catalog)
                self._file_lock.give_back()
                error.final = True  # only a restart, which makes it anew, can go on
            raise

    def begin(self) -> None:
        """What a crash left open is settled, and the recording that it ended is entered as ended."""
        self._file_lock.take()
        settled = settle(self._catalog, self._disk)
        segments = settled.repaired + settled.unreadable
        if segments and not self._settled:
            self._spell.interrupted(segments, settled.cut_bytes)
        self._settled = True

    def end(self) -> None:
        """Finish the open segment and leave the recordings to whoever comes next."""
        self._finish(None)
        self._spell.end("stopped")
        self._file_lock.give_back()

    def turn(self, wait_s: float) -> bool:
        """Deal with the next unit, or with `wait_s` of silence; False once the end is reached. `work` is made of these."""
        try:
            item = self._intake.get(wait_s)
        except Closed:
            return False
        if item is None:
            self._idle()
        elif not item.closing:
            self._count_in(item)
        elif self._segment is not None:
            self._signatures.close(self._segment, item.unit)
            self._idle()  # a fragment whose time is up waits for this alone
        return True

    def _idle(self) -> None:
        if self._darkness.lasts() and self._segment is not None and self._signatures.ready(self._segment):
            self._finish(None)  # the camera is closed on purpose: this film is whole
        segment = self._segment
        since_ns = segment.pending_since_ns if segment is not None else None
        if segment is None or since_ns is None:
            self.progressed()
        elif self.clock.monotonic_ns() - since_ns >= self._fragment_ns and self._signatures.ready(segment):
            self._sync(segment, None)

    def _count_in(self, item: Item) -> None:
        kept = False
        try:
            kept = self._take(item)
        finally:
            self._tally.done(kept=kept)

    def _take(self, item: Item) -> bool:
        """Put one frame into the open fragment; False when no segment can begin with it."""
        unit = item.unit
        if item.broken:
            self._broken = True
        elsewhere = self._segment is not None and self._origin.at(unit.pts_ns) != self._place
        if item.broken or elsewhere or self._stepped(unit) or self._long_enough(unit):
            if self._segment is not None:
                self._signatures.close_before(self._segment, unit)
            self._finish(None if item.broken or elsewhere else unit.dts_ns)
        unit = self._signatures.opened(unit, begins=self._segment is None)
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
        self._shelf.keep_reserve()
        if condemned(path := self._catalog.path).exists():  # a sweep, an export or health met what a recorder seldom reads
            raise CatalogDamaged(say("the catalog {path} is damaged", path=path), remedy=say("The next start makes it anew"))
        trusted_ns = trusted_now(self._catalog, self.clock, self._boot) - (self.clock.monotonic_ns() - unit.pts_ns)
        quality = self.clock.quality()
        wall_ns = self._wall_ns(unit, quality)
        path = self._shelf.free_name(wall_ns)
        last = self._last
        gap = Gap(last.pts_ns + last.duration_ns, unit.pts_ns) if last is not None else None
        before = gap if gap and (self._broken or gap.to_ns - gap.from_ns > GAP_NS) else None
        self._broken = False
        self._place = self._origin.at(unit.pts_ns)
        new = NewSegment(path, self._boot, unit.pts_ns, wall_ns, quality, trusted_ns, (before,) if before else (), self._place)
        self._segment_id = self._catalog.begin(new)
        file = self._disk.create(path)
        try:
            self._disk.sync_directory(path.parent)
            origin = SegmentOrigin(self._boot, trusted_ns - unit.pts_ns, quality, self._place)
            self._segment = Segment(file, self._muxer, self._video(), origin, before)
        except BaseException:
            file.close()  # it is tried again every few seconds: each descriptor counts
            raise
        self._first = unit
        self._spell.begin(str(path.relative_to(self._directory)), quality)
        return self._segment

    def _wall_ns(self, unit: AccessUnit, quality: ClockQuality) -> int:
        """The unit's wall time; a unit stamped before the clock was synchronised, and taken after, is dated by the clock now."""
        now_ns = self.clock.wall_ns() - (self.clock.monotonic_ns() - unit.pts_ns)
        stale = quality is ClockQuality.SYNCHRONISED and abs(now_ns - unit.wall_ns) > _CLOCK_STEP_NS
        return now_ns if stale else unit.wall_ns

    def _sync(self, segment: Segment, next_dts_ns: int | None) -> None:
        before = segment.extent.frames
        extent = segment.end_fragment(next_dts_ns)
        self._tally.recorded(extent.frames - before)
        self._catalog.advance(self._segment_id, extent)
        self._shelf.keep_reserve()
        self.progressed()
        if self._failing:
            self._failing = False
            self._tell(RecorderFault.STORAGE, "the disk takes recordings again", over=True)

    def _finish(self, next_dts_ns: int | None) -> None:
        segment = self._segment
        if segment is None:
            return
        before = segment.extent.frames
        extent, digest = segment.finish(next_dts_ns)
        self._signatures.look_at_end(segment)
        self._tally.recorded(extent.frames - before)
        self._catalog.finish(self._segment_id, extent, digest)
        self._segment = self._first = None
        self.progressed()

    def _give_up(self, error: VigieError) -> None:
        """Save what was acknowledged, say what happened; the component tries again after a pause."""
        segment, self._segment, self._first = self._segment, None, None
        if segment is not None:
            self._signatures.look_at_end(segment)  # cut back to what is on disk
            try:
                extent, digest = segment.abandon()
                self._catalog.finish(self._segment_id, extent, digest)
            except StorageError:
                pass  # the row stays open: reconciling at the next start settles it
        self._tally.given_up()
        self._broken = True
        self._why = error.words
        if not self._failing:
            self._failing = True
            self._tell(RecorderFault.STORAGE, str(error))
            self._spell.end(f"failed: {error}")

    def _tell(self, kind: RecorderFault, what: str, *, over: bool = False) -> None:
        self._report(RecordingFault(kind, what, self.clock.wall_ns(), over))
