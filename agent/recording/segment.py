"""One segment: a file that grows by whole fragments, each of them safe on disk before it counts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from agent.clock import NS
from agent.ports import Muxer, MuxerFactory
from agent.recording.disk import OpenFile
from agent.recording.note import FragmentNote
from agent.recording.row import Extent, Gap, MaskSpan
from agent.video.access_unit import AccessUnit, VideoFormat

_GAP_PICTURES: Final = 2.5  # a pause longer than this many pictures is a gap


@dataclass(slots=True)
class _Contents:
    """What the fragments so far hold; copied into an Extent when one of them is safe on disk."""

    frames: int = 0
    masks: list[MaskSpan] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class Segment:
    """Owns `file`. Calls come from one thread, in order: `append` and `end_fragment` as often as wanted, then `finish`.

    `extent` is what a power cut cannot take any more. Raises StorageError when the disk refuses: then only `abandon`
    may follow.
    """

    def __init__(self, file: OpenFile, muxer: MuxerFactory, video: VideoFormat, boot: str, gaps: tuple[Gap, ...] = ()) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._boxes: list[bytes] = []
        self._muxer: Muxer = muxer(self._boxes.append, video)
        self._boot = boot
        self._contents = _Contents(gaps=list(gaps))
        self._note: FragmentNote | None = None
        self._last: AccessUnit | None = None
        self._bytes = 0
        self.extent = Extent(0, 0, 0)
        self.opened_ns = 0

    @property
    def pending_ns(self) -> int:
        """Media time that a power cut would take: from the first unit of the open fragment to the end of the last."""
        if self._note is None or self._last is None:
            return 0
        return self._last.pts_ns + self._last.duration_ns - self._note.media_ns

    def append(self, unit: AccessUnit) -> None:
        """Take one unit into the open fragment; memory only."""
        last, self._last = self._last, unit
        end_ns = unit.pts_ns + unit.duration_ns
        contents = self._contents
        if last is not None and unit.dts_ns - last.dts_ns > _GAP_PICTURES * unit.duration_ns:
            contents.gaps.append(Gap(last.pts_ns + last.duration_ns, unit.pts_ns))
        masks = contents.masks
        if masks and (masks[-1].digest, masks[-1].opaque) == (unit.mask_digest, unit.opaque):
            masks[-1] = MaskSpan(masks[-1].from_ns, max(masks[-1].to_ns, end_ns), unit.mask_digest, unit.opaque)
        else:
            masks.append(MaskSpan(unit.pts_ns, end_ns, unit.mask_digest, unit.opaque))
        contents.frames += 1
        if self._note is None:
            self._note = FragmentNote(self._boot, unit.pts_ns, unit.wall_ns)
        self._note.add(unit)
        self._muxer.write(unit)

    def end_fragment(self, next_dts_ns: int | None = None) -> Extent:
        """Write the open fragment and sync it: its pictures are acknowledged by the returned extent."""
        if self._note is None or self._last is None:
            return self.extent
        self._muxer.end_fragment(next_dts_ns)
        head, fragment = self._boxes[:-1], self._boxes[-1]
        data = b"".join((*head, self._note.box(), fragment))
        self._boxes.clear()
        self._file.write(data)
        self._file.sync()
        self._digest.update(data)
        self._bytes += len(data)
        self._note = None
        contents = self._contents
        self.extent = Extent(
            max(self.extent.media_to_ns, contents.masks[-1].to_ns),
            self._bytes,
            contents.frames,
            tuple(contents.masks),
            tuple(contents.gaps),
        )
        return self.extent

    def finish(self, next_dts_ns: int | None = None) -> tuple[Extent, str]:
        """End the last fragment and close the file; what it holds and its SHA-256."""
        extent = self.end_fragment(next_dts_ns)
        self._file.close()
        return extent, self._digest.hexdigest()

    def abandon(self) -> tuple[Extent, str]:
        """After an error: cut what is half written, close; what was acknowledged stands. StorageError if even that fails."""
        try:
            self._file.truncate(self.extent.bytes)
        finally:
            self._file.close()
        return self.extent, self._digest.hexdigest()


def seconds_ns(seconds: float) -> int:
    """Seconds as nanoseconds."""
    return round(seconds * NS)
