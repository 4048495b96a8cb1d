"""Which rungs hold now: each told to the hub and entered in the register, none for a moment only."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import RegisterError
from agent.base.topic import COUNT, NUMBER, TRUTH, WORDS, Topic
from agent.journal.entry import Act, Fact, Journal
from agent.ports.battery import PowerMetrics
from agent.ports.event import Event, Priority, PropertyOperation, Value
from agent.sensors.ladder import BATTERY, CAP, BatteryLimits, BatteryRung, CapRung, Savings, battery_rung, cap_rung

log = logging.getLogger(__name__)

POWER_RUNG: Final = "vigie:Power/Rung"
DATA_CAP: Final = "vigie:Link/DataCap"
TOPICS: Final = (
    Topic(
        POWER_RUNG,
        "How far the battery is gone, and so what the unit does without.",
        {"Low": TRUTH, "Rung": WORDS, "Percent": NUMBER, "HoursLeft": NUMBER},
        at_times=frozenset({"Percent", "HoursLeft"}),
    ),
    Topic(
        DATA_CAP,
        "How far the month's data is gone, and so what the unit does without.",
        {"Reached": TRUTH, "Rung": WORDS, "UsedMegabytes": NUMBER, "CapMegabytes": COUNT},
    ),
)
_DOWN_NS: Final = 20 * NS
_UP_NS: Final = 60 * NS
_OWED_MOST: Final = 100
_MB: Final = 1_000_000


class SavingsWatch:
    """One thread, but for `savings` and the rungs. `put_in_force` is told at the first look and whenever something changes.

    A rung must last, down for 20 s and up for a minute, before it is taken; after a start the first reading counts at once, down
    to LOW: what costs the camera or the unit itself is believed of no gauge that has just woken. An entry that the register
    refuses is owed, and made with a later look: no battery waits for a disk.
    """

    def __init__(
        self,
        node_id: str,
        limits: BatteryLimits,
        cap_mb: int | None,
        put_in_force: Callable[[Savings], object],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.battery = BatteryRung.FULL
        self.cap = CapRung.FREE
        self.saver = BatteryRung.FULL
        self.savings = Savings()
        self._source: dict[str, Value] = {"Token": node_id}
        self._limits = limits
        self._cap_mb = cap_mb
        self._put_in_force = put_in_force
        self._journal = journal
        self._clock = clock
        self._wish: tuple[BatteryRung, int] | None = None
        self._told_battery: BatteryRung | None = None
        self._told_cap: CapRung | None = None
        self._owed: deque[dict[str, Fact]] = deque(maxlen=_OWED_MOST)

    def observe(self, power: PowerMetrics | None, used_bytes: int | None) -> list[Event]:
        """Take the gauge's reading and the month's bytes, None where there is none; what is to be told."""
        told = [*self._power(power), *self._data(used_bytes)]
        self._refresh()
        self._enter()
        return told

    def spare(self, rung: BatteryRung) -> None:
        """By command: do without what this rung does without, whatever the gauge says; FULL ends it. Any thread."""
        self.saver = rung
        self._refresh()

    def _refresh(self) -> None:
        savings = BATTERY[max(self.battery, self.saver)].and_also(CAP[self.cap])
        if savings != self.savings:
            self.savings = savings
            self._put_in_force(savings)

    def words(self) -> str:
        """The rungs that are not the uppermost, for health; empty when nothing is done without."""
        found = [f"battery {self.battery.name.lower()}"] if self.battery else []
        found += [f"data {self.cap.name.lower()}"] if self.cap else []
        return ", ".join([*found, f"by command {self.saver.name.lower()}"] if self.saver else found)

    def _power(self, power: PowerMetrics | None) -> Iterator[Event]:
        if power is None:
            return
        self._climb(battery_rung(power, self.battery, self._limits))
        if self._told_battery is self.battery:
            return
        first, self._told_battery = self._told_battery is None, self.battery
        rung = self.battery.name.lower()
        data: dict[str, Value] = {"Low": self.battery >= BatteryRung.LOW, "Rung": rung}
        data |= {} if power.percent is None else {"Percent": round(power.percent, 1)}
        data |= {} if power.hours_left is None else {"HoursLeft": round(power.hours_left, 1)}
        yield self._event(POWER_RUNG, data, first=first)
        if not first or self.battery:
            log.warning("%s", _battery_line(self.battery, power))
            self._owed.append({"of": "battery", "rung": rung, "percent": power.percent, "hours_left": power.hours_left})

    def _climb(self, wished: BatteryRung) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._told_battery is None:
            self.battery = min(wished, BatteryRung.LOW)
        if wished is self.battery:
            self._wish = None
            return
        down = wished > self.battery
        if self._wish is None or (self._wish[0] > self.battery) is not down:
            self._wish = wished, now_ns
        since_ns = self._wish[1]
        self._wish = wished, since_ns
        if now_ns - since_ns >= (_DOWN_NS if down else _UP_NS):
            self.battery, self._wish = wished, None

    def _data(self, used_bytes: int | None) -> Iterator[Event]:
        if used_bytes is None or self._cap_mb is None:
            return
        self.cap = cap_rung(used_bytes, self._cap_mb * _MB, self.cap)
        if self._told_cap is self.cap:
            return
        first, self._told_cap = self._told_cap is None, self.cap
        rung, used_mb = self.cap.name.lower(), round(used_bytes / _MB, 1)
        data: dict[str, Value] = {"Reached": self.cap > CapRung.FREE, "Rung": rung}
        data |= {"UsedMegabytes": used_mb, "CapMegabytes": self._cap_mb}
        yield self._event(DATA_CAP, data, first=first)
        if not first or self.cap:
            log.warning("%s of the month's %d MB are used: data rung %s", f"{used_mb:g} MB", self._cap_mb, rung)
            self._owed.append({"of": "data", "rung": rung, "used_mb": used_mb, "cap_mb": self._cap_mb})

    def _enter(self) -> None:
        while self._owed:
            try:
                self._journal.enter(Act.SAVINGS_CHANGED, "node", self._owed[0])
            except RegisterError as error:
                log.error("what the unit does without could not be entered, and will be: %s", error)
                return
            self._owed.popleft()

    def _event(self, topic: str, data: dict[str, Value], *, first: bool) -> Event:
        operation = PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED
        return Event(topic, self._clock.wall_ns(), self._source, data, operation, Priority.ALARM)


def _battery_line(rung: BatteryRung, power: PowerMetrics) -> str:
    left = [] if power.percent is None else [f"{power.percent:.0f} %"]
    left += [] if power.hours_left is None else [f"{power.hours_left:.1f} h"]
    return f"the battery is at {' and '.join(left) or 'an unknown charge'}: battery rung {rung.name.lower()}"
