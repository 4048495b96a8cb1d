"""Time, injected. Media time is monotonic; wall time comes with a quality."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

NS = 1_000_000_000


class ClockQuality(StrEnum):
    """How far the wall clock may be trusted; the values are those of the MQTT property `clock-quality`."""

    SYNCHRONISED = "synchronised"
    HOLDOVER = "holdover"
    UNSET = "unset"


class Clock(Protocol):
    """What every component is given instead of `time`."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step back; comparable within one boot only."""
        ...

    def wall_ns(self) -> int:
        """Unix time in nanoseconds; may step."""
        ...

    def quality(self) -> ClockQuality:
        """How far `wall_ns` may be trusted right now."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Block until `event` is set (True) or `timeout_s` have passed on this clock (False)."""
        ...


class SystemClock:
    """The machine's clock; its quality is what the kernel says of it. Any thread."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns()

    def quality(self) -> ClockQuality:
        return kernel_clock_quality()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)


def kernel_clock_quality() -> ClockQuality:
    """Ask the kernel (adjtimex): synchronised within a second, holding over since, or never set since boot."""
    if time.time_ns() < _EARLIEST_PLAUSIBLE_NS:
        return ClockQuality.UNSET
    return ClockQuality.SYNCHRONISED if _kernel_says_synchronised() else ClockQuality.HOLDOVER


# A node without a battery-backed clock boots in 1970, or at its image's build date; nothing here was built before this.
_EARLIEST_PLAUSIBLE_NS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * NS


def _kernel_says_synchronised() -> bool:
    # Imported when the kernel is first asked: ctypes is a megabyte that most commands never need.
    from agent.base.kernel_clock import read_kernel_clock

    try:
        return read_kernel_clock().synchronised
    except OSError:
        return False


def utc(wall_ns: int) -> datetime:
    """The wall time as an aware datetime in UTC (microseconds; nanoseconds are cut)."""
    return datetime.fromtimestamp(wall_ns // NS, UTC).replace(microsecond=wall_ns % NS // 1000)


def rfc3339(wall_ns: int) -> str:
    """`2026-11-23T10:25:57.123Z`: UTC, milliseconds."""
    return utc(wall_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{wall_ns % NS // 1_000_000:03d}Z"
