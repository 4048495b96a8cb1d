"""How much of the month's data plan the line has carried: counted over reboots, by the day on which the plan begins anew.

The kernel counts from zero after every boot, and after the modem was away. What was counted between the last look before a
power cut and the cut itself is lost: a minute's worth at most.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from agent.base.clock import NS, Clock, ClockQuality
from agent.base.durable_file import replace_durably
from agent.ports.modem import LinkBytes

log = logging.getLogger(__name__)

_KEEP_EVERY_NS: Final = 60 * NS
_KEEP_BYTES: Final = 1_000_000
_Count = Annotated[int, Meta(ge=0)]


class Used(Struct, frozen=True, forbid_unknown_fields=True):
    """As it is kept on disk: since the day `begins`, and where the kernel's counters of `boot` stood."""

    begins: date
    sent: _Count = 0
    received: _Count = 0
    boot: str = ""
    seen_sent: _Count = 0
    seen_received: _Count = 0

    @property
    def total(self) -> int:
        """Both directions: that is what a plan counts."""
        return self.sent + self.received


def month_of(day: date, begins_on: int) -> date:
    """The day on which the billing month of `day` began, for a plan that begins on the `begins_on`th, 1 to 28."""
    if day.day >= begins_on:
        return day.replace(day=begins_on)
    year, month = (day.year - 1, 12) if day.month == 1 else (day.year, day.month - 1)
    return date(year, month, begins_on)


def counted(used: Used, now: LinkBytes, boot: str) -> Used:
    """With what passed since the last look. Counters of another boot, or that went back, began from zero."""
    anew = boot != used.boot or now.sent < used.seen_sent or now.received < used.seen_received
    sent = now.sent - (0 if anew else used.seen_sent)
    received = now.received - (0 if anew else used.seen_received)
    return replace(
        used,
        sent=used.sent + sent,
        received=used.received + received,
        boot=boot,
        seen_sent=now.sent,
        seen_received=now.received,
    )


class DataUsed:
    """One thread. A file that cannot be read begins a new count, one that cannot be written is tried again; both are logged."""

    def __init__(self, path: Path, begins_on: int, clock: Clock, boot: str) -> None:
        self._path = path
        self._begins_on = begins_on
        self._clock = clock
        self._boot = boot
        self.used = self._read()
        self._kept = self.used
        self._kept_ns = clock.monotonic_ns()
        self._is_refused = False

    def look(self, now: LinkBytes | None) -> None:
        """Count what passed; None: the interface is not there."""
        self._turn_month()
        if now is not None:
            self.used = counted(self.used, now, self._boot)
        grown = self.used.total - self._kept.total
        due = self._clock.monotonic_ns() - self._kept_ns >= _KEEP_EVERY_NS
        if self.used != self._kept and (due or grown >= _KEEP_BYTES or self.used.begins != self._kept.begins):
            self.keep()

    def keep(self) -> None:
        """On disk on return, unless the disk refuses."""
        self._kept_ns = self._clock.monotonic_ns()
        try:
            replace_durably(self._path, msgspec.json.encode(self.used), mode=0o640)
        except OSError as error:
            if not self._is_refused:
                log.warning("the count of the month's data cannot be kept in %s: %s", self._path, error)
            self._is_refused = True
            return
        self._kept, self._is_refused = self.used, False

    def _turn_month(self) -> None:
        """A new month begins by a clock that is set. One that leapt ahead and came back keeps what was counted."""
        if self._clock.quality() is ClockQuality.UNSET:
            return
        begins = self._month()
        if begins > self.used.begins:
            self.used = replace(self.used, begins=begins, sent=0, received=0)
        elif begins < self.used.begins and self._clock.quality() is ClockQuality.SYNCHRONISED:
            self.used = replace(self.used, begins=begins)

    def _month(self) -> date:
        return month_of(datetime.fromtimestamp(self._clock.wall_ns() / NS, UTC).date(), self._begins_on)

    def _read(self) -> Used:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Used)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, RecursionError) as error:
            log.warning("the count of the month's data in %s cannot be read, and begins anew: %s", self._path, error)
        return Used(self._month())
