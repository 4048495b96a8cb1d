"""What goes wrong with recording, as the recorder tells it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class RecorderFault(StrEnum):
    """What goes wrong with recording."""

    OVERFLOW = "overflow"
    STORAGE = "storage"
    JOURNAL = "journal"
    SIGNATURE = "signature"


class RecordingFault(Struct, frozen=True):
    """A fault that begins (`over` False) or has passed (`over` True), in words, at a wall time."""

    kind: RecorderFault
    what: str
    wall_ns: int
    over: bool = False
