"""Times as ONVIF writes them: durations such as PT1M, or an instant, and what a subscription is told in return."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from agent.base.clock import NS
from agent.onvif.fault import wrong_value

_PATTERN: Final = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12})(\.\d{1,12})?S)?)?"
)
_DAYS_S: Final = (365 * 86400, 30 * 86400, 86400, 3600, 60, 1)


def seconds_of(duration: str) -> float:
    """Of an xs:duration that is not negative; a year has 365 days, a month 30. SoapFault for anything else."""
    found = _PATTERN.fullmatch(duration.strip())
    if found is None:
        raise wrong_value("a duration is written as PT60S or PT1M")
    *whole, part = found.groups()
    return sum(int(number or 0) * worth for number, worth in zip(whole, _DAYS_S, strict=True)) + float(part or 0)


def seconds_until(told: str, now_ns: int) -> float:
    """From now on until a duration is over, or until an instant, which may be past. SoapFault for anything else."""
    if told.strip().startswith("P"):
        return seconds_of(told)
    try:
        read = datetime.fromisoformat(told.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() - now_ns / NS
    except (ValueError, OverflowError):
        raise wrong_value("a time is written as PT1M, or as 2026-11-30T12:00:00Z") from None
