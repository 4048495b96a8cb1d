"""From the gauge to events: the charge that is left, and a supply that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.base.clock import Clock
from agent.base.topic import NUMBER, TRUTH, Topic
from agent.board.hysteresis import Hysteresis
from agent.ports.battery import PowerMetrics
from agent.ports.event import Event, Priority, PropertyOperation

BATTERY_CAPACITY: Final = "Monitoring/BatteryCapacity"
POWER_SUPPLY: Final = "Device/HardwareFailure/PowerSupplyFailure"
_SUPPLY: Final = "supply"
TOPICS: Final = (
    Topic(BATTERY_CAPACITY, "What is left of the battery.", {"PercentageRemainingCapacity": NUMBER}, {}, grade="property"),
    Topic(POWER_SUPPLY, "Nothing but the battery feeds the unit.", {"Failed": TRUTH}, {"Token": _SUPPLY}),
)
_STEP_PERCENT: Final = 2.0
"""As ONVIF asks for: less would flood whoever listens."""


class PowerWatch:
    """One thread. What a gauge does not say is no event."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: float | None = None
        self._failed = Hysteresis(on_after_s=20, off_after_s=60)

    def observe(self, power: PowerMetrics) -> list[Event]:
        """Take a reading; what is to be told."""
        return [*self._capacity(power.percent), *self._supply(power.mains)]

    def _capacity(self, percent: float | None) -> Iterator[Event]:
        if percent is None or (self._told is not None and abs(percent - self._told) < _STEP_PERCENT):
            return
        operation = PropertyOperation.INITIALIZED if self._told is None else PropertyOperation.CHANGED
        self._told = percent
        data = {"PercentageRemainingCapacity": round(percent, 1)}
        yield Event(BATTERY_CAPACITY, self._clock.wall_ns(), {}, data, operation, Priority.PROPERTY)

    def _supply(self, mains: bool | None) -> Iterator[Event]:
        first = self._failed.state is None
        if self._failed.observe(None if mains is None else not mains, self._clock.monotonic_ns()):
            operation = PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED
            data = {"Failed": bool(self._failed.state)}
            yield Event(POWER_SUPPLY, self._clock.wall_ns(), {"Token": _SUPPLY}, data, operation, Priority.ALARM)
