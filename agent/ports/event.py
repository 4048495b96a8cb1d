"""What happened, in ONVIF's terms: the one type every detector raises and the outbox keeps."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Protocol

from msgspec import Struct, field

Value = str | int | float | bool


class Priority(IntEnum):
    """Outbox classes; when space runs out the oldest of the lowest goes first."""

    TELEMETRY = 0
    REGISTER = 1
    PROPERTY = 2
    ALARM = 3


class PropertyOperation(StrEnum):
    """ONVIF property events: a state came to be, changed, or is gone. None on an event: a mere occurrence."""

    INITIALIZED = "Initialized"
    CHANGED = "Changed"
    DELETED = "Deleted"


class Event(Struct, frozen=True):
    """One event.

    `topic` is the ONVIF topic without a leading `tns1:` (own topics carry `vigie:`), e.g. `VideoSource/MotionAlarm`.
    `source` names what it is about, `data` says what is so; names as in the ONVIF standard (`Source`, `State`...).
    """

    topic: str
    wall_ns: int
    source: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Value] = field(default_factory=dict)
    operation: PropertyOperation | None = None
    priority: Priority = Priority.PROPERTY


class EventSink(Protocol):
    """Where detectors put what they see: the outbox. Returns once the event is on its way to disk; never blocks long."""

    def raise_event(self, event: Event) -> None: ...


class StillSink(EventSink, Protocol):
    """A sink that also takes the small masked JPEG of what an event tells of."""

    def raise_with_still(self, event: Event, still: bytes) -> None: ...
