"""What the catalog says of segments, holds and destroyed spans: plain, frozen rows."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import ClockQuality


class SegmentState(StrEnum):
    """Where a segment stands between its first and its last byte."""

    OPEN = "open"
    WHOLE = "whole"
    DESTROYING = "destroying"


class MaskSpan(Struct, frozen=True):
    """Which mask geometry lay on the frames of [from_ns, to_ns), media time; `opaque`: the whole picture was covered.

    `view` is the view guard's state. A catalog row holds at most MOST_SPANS of them: where masks changed more often than
    that, as they do while a view sways, `digest` is VARIOUS, and the notes in the file tell each one.
    """

    from_ns: int
    to_ns: int
    digest: str
    opaque: bool
    view: str = ""

    def goes_on(self, new: MaskSpan) -> bool:
        """Does `new` tell of the same masks?"""
        return (self.digest, self.opaque, self.view) == (new.digest, new.opaque, new.view)


MOST_SPANS: Final = 64
VARIOUS: Final = "various"


def lay_on(masks: list[MaskSpan], new: MaskSpan, most: int | None = None) -> None:
    """Append a span, or lengthen the last one when the same masks go on; past `most`, tell of them as VARIOUS."""
    if most is not None and len(masks) >= most and not masks[-1].goes_on(new):
        new = replace(new, digest=VARIOUS)
        if len(masks) >= 2 * most:  # covered and clear alternate as well: told as clear, which is the lesser claim
            last = masks[-1]
            masks[-1] = MaskSpan(last.from_ns, new.to_ns, VARIOUS, last.opaque and new.opaque, _agreed(last.view, new.view))
            return
    if masks and masks[-1].goes_on(new):
        masks[-1] = replace(masks[-1], to_ns=max(masks[-1].to_ns, new.to_ns))
    else:
        masks.append(new)


def _agreed(view: str, other: str) -> str:
    return view if view == other else VARIOUS


class Gap(Struct, frozen=True):
    """No frame was recorded in [from_ns, to_ns), media time."""

    from_ns: int
    to_ns: int


class SegmentRow(Struct, frozen=True):
    """One segment. Media time is monotonic within `boot`; wall times are the best known date, of quality `clock`.

    For an OPEN segment the ends, `bytes` and `frames` are those of the last fragment on disk: `bytes` is how far it may be read.
    """

    id: int
    path: Path
    state: SegmentState
    boot: str
    media_from_ns: int
    media_to_ns: int
    wall_from_ns: int
    wall_to_ns: int
    clock: ClockQuality
    trusted_from_ns: int
    bytes: int = 0
    frames: int = 0
    sha256: str = ""
    masks: tuple[MaskSpan, ...] = ()
    gaps: tuple[Gap, ...] = ()
    held: bool = False
    place: str = ""
    """Its name in the book of places; empty where nobody knows."""

    def wall_ns(self, media_ns: int) -> int:
        """The wall time of a media time of this segment."""
        return self.wall_from_ns + media_ns - self.media_from_ns


class Extent(Struct, frozen=True):
    """What a segment holds so far: what the recorder knows at the end of each fragment."""

    media_to_ns: int
    bytes: int
    frames: int
    masks: tuple[MaskSpan, ...] = ()
    gaps: tuple[Gap, ...] = ()


class DestroyedSpan(Struct, frozen=True):
    """Footage of [from_ns, to_ns), wall time, that is gone, and why."""

    from_ns: int
    to_ns: int
    at_ns: int
    segments: int
    digest: str
    reason: str


class Stock(Struct, frozen=True):
    """The recordings as a whole, for health."""

    segments: int = 0
    bytes: int = 0
    oldest_ns: int | None = None
    newest_ns: int | None = None


class NewSegment(Struct, frozen=True):
    """What is known of a segment before its first byte."""

    path: Path
    boot: str
    media_from_ns: int
    wall_from_ns: int
    clock: ClockQuality
    trusted_from_ns: int
    gaps: tuple[Gap, ...] = ()
    place: str = ""
