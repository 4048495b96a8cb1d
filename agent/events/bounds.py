"""How much of each class the outbox keeps while nobody takes it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from agent.base.clock import NS
from agent.ports.event import Priority

DAY_NS = 24 * 3600 * NS


class ClassBounds(Struct, frozen=True):
    """Bounds of one class."""

    rows: int
    body_bytes: int
    age_ns: int


MEGABYTE = 1 << 20


def default_classes() -> dict[Priority, ClassBounds]:
    """Sized for a month's silence in alarms, two weeks' in states, a day's in telemetry, on a 16 GB card."""
    return {
        Priority.ALARM: ClassBounds(200_000, 96 * MEGABYTE, 60 * DAY_NS),
        Priority.PROPERTY: ClassBounds(200_000, 64 * MEGABYTE, 14 * DAY_NS),
        Priority.REGISTER: ClassBounds(100_000, 48 * MEGABYTE, 31 * DAY_NS),
        Priority.TELEMETRY: ClassBounds(10_000, 32 * MEGABYTE, DAY_NS),
    }


class Bounds(Struct, frozen=True):
    """Bounds of all classes, and of all bodies together: past that, the oldest of the lowest class goes first."""

    classes: Mapping[Priority, ClassBounds] = field(default_factory=default_classes)
    body_bytes: int = 160 * MEGABYTE
