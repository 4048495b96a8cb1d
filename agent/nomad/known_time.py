"""Does anybody vouch for the clock? A board without a battery-backed clock wakes up in the past, and would film past its day.

A time server vouches for it, in this boot; so does a person who begins, commissions or extends a deployment; so does a
battery-backed clock that says the same. Otherwise it is not known, and the camera stays closed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock, ClockQuality
from agent.base.errors import StorageError
from agent.nomad.deployment import Deployment
from agent.nomad.judgement import KnownTime

_AGREES_WITHIN_NS: Final = 300 * NS
"""A battery-backed clock and the kernel's part by a few seconds a week."""
RTC: Final = Path("/sys/class/rtc/rtc0/since_epoch")


class TimeKeeper:
    """One thread. `trusted` is the recordings' trusted time, which never goes back; it may raise StorageError."""

    def __init__(self, clock: Clock, boot: str, trusted: Callable[[], int], rtc: Path = RTC) -> None:
        self._clock = clock
        self._boot = boot
        self._trusted = trusted
        self._rtc = rtc
        self._highest_ns = 0
        self._at_ns = clock.monotonic_ns()
        self._has_been_set = False

    def __call__(self, present: Deployment | None) -> KnownTime:
        """As of now."""
        wall_ns, mono_ns, quality = self._clock.wall_ns(), self._clock.monotonic_ns(), self._clock.quality()
        synchronised = quality is ClockQuality.SYNCHRONISED
        self._has_been_set |= synchronised
        vouched = self._has_been_set or (present is not None and present.boot == self._boot) or self._rtc_agrees(wall_ns)
        known = quality is not ClockQuality.UNSET and vouched
        if self._highest_ns:
            # What was seen stays seen, and time has gone on since: a clock that is put back wins nothing.
            self._highest_ns += max(0, mono_ns - self._at_ns)
        self._at_ns = mono_ns
        try:
            trusted_ns = self._trusted()
        except StorageError:  # the recorder tells of it; without trusted time there is what was seen here
            trusted_ns = 0
        if known:
            self._highest_ns = max(self._highest_ns, wall_ns)
        return KnownTime(wall_ns, max(self._highest_ns, trusted_ns), known, synchronised)

    def _rtc_agrees(self, wall_ns: int) -> bool:
        try:
            return abs(int(self._rtc.read_text("ascii")) * NS - wall_ns) < _AGREES_WITHIN_NS
        except (OSError, ValueError):
            return False
