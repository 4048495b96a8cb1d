"""One line of the doctor's sheet: what was looked at, how it is, what was measured, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from msgspec import Struct, field

Metric = str | int | float | bool | None


class Grade(IntEnum):
    """Worse is greater. `OPEN` is no judgement: it could not be measured here, or it waits for another line."""

    OPEN = -1
    OK = 0
    WARN = 1
    FAIL = 2

    @property
    def word(self) -> str:
        """`open`, `ok`, `warn` or `fail`: on the terminal and in JSON."""
        return self.name.lower()


class Line(Struct, frozen=True):
    """`measured` says what was found, `remedy` what to do, `metrics` the same for machines.

    A remedy names a command between backticks or a key of the configuration, and only a line that warns or fails must have one.
    """

    check: str
    grade: Grade
    measured: str
    remedy: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)


def ok(check: str, measured: str, **metrics: Metric) -> Line:
    """It was measured, and all is well."""
    return Line(check, Grade.OK, measured, "", metrics)


def warn(check: str, measured: str, remedy: str, **metrics: Metric) -> Line:
    """The node works, and this deserves a hand before it does not."""
    return Line(check, Grade.WARN, measured, remedy, metrics)


def fail(check: str, measured: str, remedy: str, **metrics: Metric) -> Line:
    """The node does not do its job, or breaks a rule, as long as this stands."""
    return Line(check, Grade.FAIL, measured, remedy, metrics)


def left_open(check: str, why: str, remedy: str = "", **metrics: Metric) -> Line:
    """Not judged: nothing measures it here, or another line must be mended first; `why` says which. It fails nothing."""
    return Line(check, Grade.OPEN, why, remedy, metrics)


def worst(lines: Sequence[Line]) -> Grade:
    """The grade of the whole sheet; what was left open is no part of it."""
    return max((line.grade for line in lines if line.grade is not Grade.OPEN), default=Grade.OK)
