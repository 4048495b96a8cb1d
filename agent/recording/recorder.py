"""The recorder: takes access units as they come and puts them on disk in segments. It outlives every fault of the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from agent.clock import NS, Clock, utc
from agent.component import Component
from agent.errors import StorageError, VigieError
from agent.journal.entry import Act, Journal
from agent.ports import MuxerFactory
from agent.queues import BoundedQueue, Closed
from agent.recording.catalog import Catalog
from agent.recording.disk import Disk, SystemDisk
from agent.recording.row import Gap, NewSegment
from agent.recording.segment import Segment, seconds_ns
from agent.video.access_unit import AccessUnit, VideoFormat

FRAGMENT_S: Final = 0.8  # with the write and the sync of it, less than one second is ever at stake
_CLOCK_STEP_NS: Final = NS // 2
_POLL_S: Final = 0.2


class Fault(StrEnum):
    """What goes wrong with recording."""

    OVERFLOW = "overflow"
    STORAGE = "storage"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class RecordingFault:
    """A fault that begins (`over` False) or has passed (`over` True), in words, at a wall time."""

    kind: Fault
    what: str
    wall_ns: int
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Item:
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
        self._lost = 0
        self._lost_lock = threading.Lock()
        self._segment: Segment | None = None
        self._segment_id = 0
        self._first: AccessUnit | None = None
        self._last: AccessUnit | None = None
        self._troubled = False
        self._recorded = 0
        self._begun = False

    def offer(self, unit: AccessUnit) -> bool:
        """Hand one unit over; False when it is lost, because the disk does not keep up. Never blocks."""
        with self._lost_lock:
            if self._skipping and not unit.keyframe:
                self._lost += 1
                return False
            if self._queue.offer(_Item(unit, self._skipping)):
                self._skipping = False
                return True
            self._lost += 1
            fresh, self._skipping = not self._skipping, True
        if fresh and not self.stopping.is_set():
            self._tell(Fault.OVERFLOW, "the disk does not keep up: pictures are lost until the next keyframe it has room for")
        return False

    def figures(self) -> Mapping[str, float | str]:
        """For health: state, pictures recorded and lost, queue length; any thread."""
        state = "failing" if self._troubled else "recording" if self._segment is not None else "waiting"
        return {
            "state": state,
            "trouble": self.trouble if self._troubled else "",
            "recorded": self._recorded,
            "lost": self._lost,
            "queued": len(self._queue),
        }

    def wake(self) -> None:
        self._queue.close()

    def work(self) -> None:
        """Take units until the queue is closed and empty; the open segment is finished before returning."""
        try:
            while True:
                try:
                    item = self._queue.get(_POLL_S)
                except Closed:
                    break
                if item is None:
                    self._idle()
                else:
                    self._take(item)
            self._finish(None)
            self._enter_end("stopped")
        except VigieError as error:
            self._give_up(error)
            raise

    def _idle(self) -> None:
        segment = self._segment
        if segment is None or self._last is None:
            self.progressed()
            return
        if segment.pending_ns and self.clock.monotonic_ns() - segment.opened_ns >= self._fragment_ns:
            self._sync(segment, None)

    def _take(self, item: _Item) -> None:
        unit = item.unit
        if item.broken or self._stepped(unit) or self._long_enough(unit):
            self._finish(unit.dts_ns if not item.broken else None)
        segment = self._segment
        if segment is None:
            if not unit.keyframe:
                return
            segment = self._begin(unit)
        elif segment.pending_ns + unit.duration_ns > self._fragment_ns:
            self._sync(segment, unit.dts_ns)
        if not segment.pending_ns:
            segment.opened_ns = self.clock.monotonic_ns()
        segment.append(unit)
        self._last = unit
        self._recorded += 1

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
        quality = self.clock.quality()
        path = self._free_name(unit.wall_ns)
        self._segment_id = self._catalog.begin(NewSegment(path, self._boot, unit.pts_ns, unit.wall_ns, quality, unit.wall_ns))
        gaps: tuple[Gap, ...] = ()
        file = self._disk.create(path)
        self._disk.sync_directory(path.parent)
        self._segment = Segment(file, self._muxer, self._video(), self._boot, gaps)
        self._first = unit
        if not self._begun:
            self._journal.enter(Act.RECORDING_BEGUN, "recorder", {"path": str(path), "clock": quality})
            self._begun = True
        return self._segment

    def _free_name(self, wall_ns: int) -> Path:
        """The name of this instant, or of the next free millisecond: a leaping clock never overwrites."""
        while True:
            path = segment_path(self._directory, wall_ns)
            if not path.exists() and not self._catalog.taken(path):
                return path
            wall_ns += 1_000_000

    def _sync(self, segment: Segment, next_dts_ns: int | None) -> None:
        self._catalog.advance(self._segment_id, segment.end_fragment(next_dts_ns))
        self.progressed()
        if self._troubled:
            self._troubled = False
            self._tell(Fault.STORAGE, "the disk takes recordings again", over=True)

    def _finish(self, next_dts_ns: int | None) -> None:
        segment = self._segment
        if segment is None:
            return
        extent, digest = segment.finish(next_dts_ns)
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
        if not self._troubled:
            self._troubled = True
            self._tell(Fault.STORAGE, str(error))
        self._begun = False

    def _enter_end(self, why: str) -> None:
        if self._begun:
            self._journal.enter(Act.RECORDING_ENDED, "recorder", {"why": why, "pictures": self._recorded, "lost": self._lost})
            self._begun = False

    def _tell(self, kind: Fault, what: str, *, over: bool = False) -> None:
        self._report(RecordingFault(kind, what, self.clock.wall_ns(), over))


def segment_path(directory: Path, wall_ns: int) -> Path:
    """`YYYY/MM/DD/HHMMSS.mmm.mp4` in UTC below `directory`."""
    at = utc(wall_ns)
    return directory / at.strftime("%Y/%m/%d") / f"{at:%H%M%S}.{wall_ns % NS // 1_000_000:03d}.mp4"
