"""Time, injected. Media time is monotonic; wall time comes with a quality."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
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
    """The machine's clock. `quality` is asked of `synchronised`, a cheap callable the composition root supplies."""

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


_TIME_ERROR = 5  # of adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # more than struct timex has anywhere; all zeroes asks and changes nothing


def _kernel_says_synchronised() -> bool:
    ask, buffer = _adjtimex()
    return ask(buffer()) not in (-1, _TIME_ERROR)


@functools.cache
def _adjtimex() -> tuple[Callable[[object], int], Callable[[], object]]:
    """The call and what it is called with; looked up once, since every event asks for the clock's quality."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True).adjtimex, functools.partial(ctypes.create_string_buffer, _TIMEX_BYTES)


def utc(wall_ns: int) -> datetime:
    """The wall time as an aware datetime in UTC (microseconds; nanoseconds are cut)."""
    return datetime.fromtimestamp(wall_ns // NS, UTC).replace(microsecond=wall_ns % NS // 1000)


def rfc3339(wall_ns: int) -> str:
    """`2026-11-23T10:25:57.123Z`: UTC, milliseconds."""
    return utc(wall_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{wall_ns % NS // 1_000_000:03d}Z"
