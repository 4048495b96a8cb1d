"""What a unit does without as its battery empties and its data plan fills: rungs, and what each of them switches.

The functions are pure. Invariants, each a property of the tests:

1. A rung is reached when its limit is passed, and left only by a margin more: what flutters at a limit changes nothing.
2. What cannot be told changes nothing: a gauge that is gone neither empties a battery nor fills it.
3. A lower rung never allows more than a higher one; of two ladders the stricter one holds.
4. No rung has a word to say on masks, guard, signing, register, retention or alarms: `Savings` knows none of them.
   (What closes the camera for want of power closes it as every shutter does, and opens nothing.)
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from msgspec import Struct

from agent.ports.battery import PowerMetrics


class BatteryRung(IntEnum):
    """From the mains downwards; a greater number is further down."""

    FULL = 0
    """Mains, or half a battery and more."""
    SAVING = 1
    LOW = 2
    CRITICAL = 3
    EMPTY = 4


class CapRung(IntEnum):
    """How much of the month's data is gone."""

    FREE = 0
    MOST = 1
    """80 %."""
    NEARLY_ALL = 2
    """90 %."""
    ALL = 3
    """100 %."""


class Stills(IntEnum):
    """Which events may take a picture along."""

    ALL = 0
    ALARMS = 1
    NONE = 2


class Looking(IntEnum):
    """Who may look live."""

    FREELY = 0
    BRIEFLY = 1
    """Leases of ten minutes, five pictures a second."""
    SPARSELY = 2
    """One picture a second."""
    BY_INCIDENT = 3
    """Police and supervisors, and whoever names an incident."""
    CLOSED = 4
    """Nobody."""


class Savings(Struct, frozen=True):
    """What a rung switches. `health_s` is the least time between two health messages that tell nothing new; 0: as configured."""

    health_s: float = 0.0
    stills: Stills = Stills.ALL
    looking: Looking = Looking.FREELY
    legal_fps: bool = False
    """No more pictures a second than the law asks for."""
    rests: bool = False
    """The camera is closed, where the configuration wants that of a battery that is nearly empty."""
    ends: bool = False
    """Last position, then a clean end: the battery is empty."""

    def and_also(self, other: Savings) -> Savings:
        """The stricter of both in everything."""
        return Savings(
            max(self.health_s, other.health_s),
            max(self.stills, other.stills),
            max(self.looking, other.looking),
            self.legal_fps or other.legal_fps,
            self.rests or other.rests,
            self.ends or other.ends,
        )


BATTERY: Final = {
    BatteryRung.FULL: Savings(),
    BatteryRung.SAVING: Savings(300.0, Stills.ALARMS, Looking.BRIEFLY),
    BatteryRung.LOW: Savings(300.0, Stills.ALARMS, Looking.BY_INCIDENT, legal_fps=True),
    BatteryRung.CRITICAL: Savings(3600.0, Stills.NONE, Looking.BY_INCIDENT, legal_fps=True, rests=True),
    BatteryRung.EMPTY: Savings(3600.0, Stills.NONE, Looking.BY_INCIDENT, legal_fps=True, rests=True, ends=True),
}
CAP: Final = {
    CapRung.FREE: Savings(),
    CapRung.MOST: Savings(60.0, Stills.NONE, Looking.SPARSELY),
    CapRung.NEARLY_ALL: Savings(300.0, Stills.NONE, Looking.BY_INCIDENT),
    CapRung.ALL: Savings(900.0, Stills.NONE, Looking.CLOSED),
}

SAVING_PERCENT: Final = 50.0
EMPTY_PERCENT: Final = 3.0
MARGIN_PERCENT: Final = 3.0
_HOURS: Final = (8.0, 4.0, 1.5, 0.25)
"""Hours left, from which on a rung holds, down to EMPTY: assumed from the radio loads of units on the market."""
_HOURS_MARGIN: Final = 1.25
_CAP_LEFT: Final = (20.0, 10.0, 0.0)
"""Percent of the plan that are left."""
_CAP_MARGIN: Final = 1.0


class BatteryLimits(Struct, frozen=True):
    """Where LOW and CRITICAL begin, in percent; EMPTY_PERCENT < critical < low < SAVING_PERCENT."""

    low_percent: float = 30.0
    critical_percent: float = 12.0


def battery_rung(power: PowerMetrics | None, before: BatteryRung, limits: BatteryLimits) -> BatteryRung:
    """Where the battery stands: the hours that its gauge tells go before its percentage, a percentage near nothing before both.

    A supply that gives less than the unit takes is no mains: the battery discharges.
    """
    if power is None:
        return before
    if power.state != "discharging" and (power.mains or power.state in ("charging", "full")):
        return BatteryRung.FULL
    at_percent = (SAVING_PERCENT, limits.low_percent, limits.critical_percent, EMPTY_PERCENT)
    if power.percent is not None and power.percent < EMPTY_PERCENT:
        return BatteryRung.EMPTY
    if power.hours_left is not None:
        return BatteryRung(_rung(power.hours_left, before, _HOURS, [_HOURS_MARGIN * limit for limit in _HOURS]))
    if power.percent is not None:
        return BatteryRung(_rung(power.percent, before, at_percent, [limit + MARGIN_PERCENT for limit in at_percent]))
    return before


def cap_rung(used_bytes: int, cap_bytes: int, before: CapRung) -> CapRung:
    """How far the month's data is gone; a new month, or a larger plan, brings it back."""
    left = 100.0 - 100.0 * used_bytes / cap_bytes
    return CapRung(_rung(left, before, _CAP_LEFT, [limit + _CAP_MARGIN for limit in _CAP_LEFT]))


def _rung(left: float, before: int, falls: Sequence[float], rises: Sequence[float]) -> int:
    """How many of the limits lie above `left`; one that was passed counts until `left` has risen above its `rises` again."""
    return sum(left < (rise if n < before else fall) for n, (fall, rise) in enumerate(zip(falls, rises, strict=True)))
