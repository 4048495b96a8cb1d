"""One segment: a file that grows by whole fragments, each of them safe on disk before it counts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import NS, ClockQuality, utc
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.ports.video import Muxer, MuxerFactory
from agent.recording.disk import OpenFile
from agent.recording.note import FragmentNote
from agent.recording.row import MOST_SPANS, Extent, Gap, MaskSpan, lay_on
from agent.signing.signed_unit import closed

GAP_NS: Final = NS // 2  # no frame for longer than this is a gap,
_GAP_FRAMES: Final = 2.5  # unless the camera is so slow that it is none


class SegmentOrigin(Struct, frozen=True):
    """What every fragment of a segment says of its clocks: trusted time less media time, and the quality of wall time; and of
    its place, by its name in the book."""

    boot: str
    trusted_less_media_ns: int
    clock: ClockQuality
    place: str = ""


class Segment:
    """Owns `file`. Calls come from one thread, in order: `append` and `end_fragment` as often as wanted, then `finish`.

    `extent` is what a power cut cannot take any more; `ends_signed` tells whether that ends with its signature. `before` is
    the gap this segment begins after. Raises StorageError when the disk refuses: then only `abandon` may follow.
    """

    def __init__(
        self, file: OpenFile, muxer: MuxerFactory, video: VideoFormat, origin: SegmentOrigin, before: Gap | None = None
    ) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._boxes: list[bytes] = []
        self._muxer: Muxer = muxer(self._boxes.append, video)
        self._origin = origin
        self._frames = 0
        self._masks: list[MaskSpan] = []
        self._gaps: list[Gap] = [before] if before else []
        self._gaps_noted = 0
        self._note: FragmentNote | None = None
        self._last: AccessUnit | None = None
        self._held: AccessUnit | None = None  # the newest unit: the signature that closes the segment may still join it
        self._closed = False
        self._bytes = 0
        self.ends_signed = False
        self.extent = Extent(0, 0, 0)

    @property
    def pending_ns(self) -> int:
        """Media time that a power cut would take: from the first unit of the open fragment to the end of the last."""
        if self._note is None or self._last is None:
            return 0
        return self._last.pts_ns + self._last.duration_ns - self._note.media_ns

    @property
    def pending_since_ns(self) -> int | None:
        """Media time of the oldest frame that is not on disk yet; None when all are."""
        return None if self._note is None else self._note.media_ns

    def append(self, unit: AccessUnit) -> None:
        """Take one unit into the open fragment; memory only."""
        last, self._last = self._last, unit
        if last is not None and unit.dts_ns - last.dts_ns > _longest_ns(last):
            self._gaps.append(Gap(last.pts_ns + last.duration_ns, unit.pts_ns))
        self._hand_over(unit.dts_ns)
        self._frames += 1
        if self._note is None:
            origin = self._origin
            trusted_ns = origin.trusted_less_media_ns + unit.pts_ns
            self._note = FragmentNote(origin.boot, unit.pts_ns, unit.wall_ns, trusted_ns, origin.clock, origin.place)
        self._held = unit
        self._closed = False

    @property
    def closed(self) -> bool:
        """True when the signature over its last GOP stands behind the newest frame."""
        return self._closed

    def sign_end(self, closing: AccessUnit) -> bool:
        """Put the signature that closes the segment behind its last frame; False when that is on disk already."""
        if self._held is None:
            return False
        self._held = closed(self._held, closing)
        self._closed = True
        return True

    def end_fragment(self, next_dts_ns: int | None = None) -> Extent:
        """Write the open fragment and sync it: its frames are acknowledged by the returned extent."""
        note = self._note
        if note is None:
            return self.extent
        note.gaps = self._gaps[self._gaps_noted :]
        self._gaps_noted = len(self._gaps)
        self._hand_over(next_dts_ns)
        self._muxer.end_fragment(next_dts_ns)
        *head, fragment = self._boxes
        self._boxes.clear()
        boxes = (*head, note.box(fragment), fragment)
        for box in boxes:
            self._file.write(box)
        self._file.sync()
        for box in boxes:
            self._digest.update(box)
            self._bytes += len(box)
        self._note = None
        self.ends_signed = self._closed
        to_ns = max(self.extent.media_to_ns, note.media_to_ns)
        self.extent = Extent(to_ns, self._bytes, self._frames, tuple(self._masks), tuple(self._gaps))
        return self.extent

    def finish(self, next_dts_ns: int | None = None) -> tuple[Extent, str]:
        """End the last fragment and close the file; what it holds and its SHA-256."""
        extent = self.end_fragment(next_dts_ns)
        self._file.close()
        return extent, self._digest.hexdigest()

    def _hand_over(self, next_dts_ns: int | None) -> None:
        """The newest unit is complete, and its end known: it goes into the open fragment."""
        held, self._held = self._held, None
        if held is None or self._note is None:
            return
        end_ns = _end_ns(held, next_dts_ns)
        self._note.add(held, end_ns)
        lay_on(self._masks, MaskSpan(held.pts_ns, end_ns, held.mask_digest, held.opaque, held.view), MOST_SPANS)
        self._muxer.write(held)

    @property
    def last(self) -> AccessUnit | None:
        """The newest unit."""
        return self._last

    def abandon(self) -> tuple[Extent, str]:
        """After an error: cut what is half written, close; what was acknowledged stands. StorageError if even that fails."""
        try:
            self._file.truncate(self.extent.bytes)
        finally:
            self._file.close()
        return self.extent, self._digest.hexdigest()


def _longest_ns(unit: AccessUnit) -> int:
    """How long this frame may stand before it is a gap."""
    return max(GAP_NS, round(_GAP_FRAMES * unit.duration_ns))


def _end_ns(unit: AccessUnit, next_dts_ns: int | None) -> int:
    """Until when this frame stands: until the next one, unless there is a gap, or frames are reordered."""
    in_cadence = next_dts_ns is not None and 0 < next_dts_ns - unit.dts_ns <= _longest_ns(unit)
    if next_dts_ns is not None and in_cadence and unit.pts_ns == unit.dts_ns:
        return next_dts_ns
    return unit.pts_ns + unit.duration_ns


def seconds_ns(seconds: float) -> int:
    """Seconds as nanoseconds."""
    return round(seconds * NS)


def segment_path(directory: Path, wall_ns: int) -> Path:
    """`YYYY/MM/DD/HHMMSS.mmm.mp4` in UTC below `directory`."""
    at = utc(wall_ns)
    return directory / at.strftime("%Y/%m/%d") / f"{at:%H%M%S}.{wall_ns % NS // 1_000_000:03d}.mp4"
