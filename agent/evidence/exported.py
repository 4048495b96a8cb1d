"""What is asked of an export, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from agent.evidence.layer import Layer
from agent.evidence.remark import Remark
from agent.evidence.report import Report
from agent.recording.places import FilmPlace
from agent.recording.row import DestroyedSpan


class ExcerptRequest(Struct, frozen=True):
    """What is asked for, by whom and why. Times are Unix nanoseconds."""

    from_ns: int
    to_ns: int
    operator: str
    reference: str


class Absence(Struct, frozen=True):
    """No frame of [from_ns, to_ns), wall time, and why."""

    from_ns: int
    to_ns: int
    why: Remark


@dataclass(slots=True)
class Contents:
    """What went into the film."""

    pictures: int = 0
    held: int = 0
    """Of the frames: those that repeat the one before, since the camera's own was damaged or in doubt."""
    segments: int = 0
    from_ns: int = 0
    """The earliest date of a frame, and where the latest ends: where the clock was stepped, not those of first and last."""
    to_ns: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)
    """From when to when, by segment, in the order of recording."""
    absences: list[Absence] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    clocks: set[str] = field(default_factory=set)
    sources: list[tuple[str, str]] = field(default_factory=list)


class Exported(Struct, frozen=True):
    """A finished export."""

    film: Path
    sheet: Path
    sha256: str
    bytes: int
    sealed: bool
    contents: Contents
    report: Report | None
    destroyed: tuple[DestroyedSpan, ...]
    origin: FilmPlace | None = None
    """Where it was filmed, and by which authorisation; None where nobody knows."""
