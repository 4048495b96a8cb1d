"""What goes wrong with recording, as the recorder tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
