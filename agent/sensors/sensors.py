"""The loop that asks the sensors: position and tilt each second, modem, battery and counters every ten."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.system_words import system_words
from agent.ports.accelerometer import Acceleration, Accelerometer
from agent.ports.battery import Battery, PowerMetrics
from agent.ports.event import Event, EventSink
from agent.ports.modem import LinkBytes, LinkCounters, LinkMetrics, Modem
from agent.ports.position import Fix, Positions
from agent.sensors.data_used import DataUsed
from agent.sensors.position_watch import PositionWatch
from agent.sensors.posture import UNKNOWN_POSTURE, UNREAD, Posture, keep_posture, read_posture
from agent.sensors.power_watch import PowerWatch
from agent.sensors.reading import Reading
from agent.sensors.savings_watch import SavingsWatch
from agent.sensors.sensed import Sensed
from agent.sensors.tilt_watch import TiltWatch

log = logging.getLogger(__name__)

SOON_S: Final = 1.0
EVERY_S: Final = 10.0


class SensorDrivers(Struct, frozen=True):
    """What the unit has; None for what it has not."""

    positions: Positions | None = None
    modem: Modem | None = None
    counters: LinkCounters | None = None
    battery: Battery | None = None
    accelerometer: Accelerometer | None = None

    @property
    def is_empty(self) -> bool:
        """There is nothing to ask."""
        return all(each is None for each in (self.positions, self.modem, self.counters, self.battery, self.accelerometer))


class Watches(Struct, frozen=True):
    """What is made of the readings."""

    position: PositionWatch
    tilt: TiltWatch
    power: PowerWatch
    savings: SavingsWatch
    data: DataUsed


class Sensors(Component):
    """Component `sensors`. `posture_path` keeps how the unit hung and stood when it was commissioned.

    `commissioned` tells when that was, in Unix ns, 0 while nobody has: with a new answer the next readings count as right, and
    whatever was askew is so no more. None while that is not known, after a start or on a damaged disk: then nothing is new.
    A commissioning that was there at the start already, and of which the disk has no posture, tells nobody how it hung: it counts
    as tilted until the next one, but with `trusts_first`, on a node that nobody commissions.
    `stolen`: whether the unit is taken for that. One driver that fails costs its own reading; none of them ends the node.
    """

    critical = False

    def __init__(
        self,
        drivers: SensorDrivers,
        watches: Watches,
        events: EventSink,
        posture_path: Path,
        clock: Clock,
        commissioned: Callable[[], int | None],
        stolen: Callable[[], bool] = lambda: False,
        *,
        trusts_first: bool = False,
    ) -> None:
        super().__init__("sensors", clock)
        self._trusts_first = trusts_first
        self._has_heard = False  # since the start, of the commissioning
        self._refused = ""
        self._stolen = stolen
        self._said_farewell = False
        self._drivers = drivers
        self._watches = watches
        self._events = events
        self._posture_path = posture_path
        self._commissioned = commissioned
        self._posture = self._kept = read_posture(posture_path)
        watches.tilt.level(self._posture.upright, self._posture.tilted)
        self._home = watches.position.home
        watches.position.home = self._home or self._posture.home
        self.fix: Reading[Fix | None] | None = None
        self.link: Reading[LinkMetrics] | None = None
        self.bytes: Reading[LinkBytes | None] | None = None
        self.power: Reading[PowerMetrics] | None = None
        self.hang: Reading[Acceleration] | None = None
        self._ask(drivers)

    def _ask(self, drivers: SensorDrivers) -> None:
        if drivers.positions is not None:
            self.fix = Reading("the position", drivers.positions.read, SOON_S, self.clock)
        if drivers.accelerometer is not None:
            self.hang = Reading("the accelerometer", drivers.accelerometer.read, SOON_S, self.clock)
        if drivers.modem is not None:
            self.link = Reading("the modem", drivers.modem.read, EVERY_S, self.clock)
        if drivers.counters is not None:
            self.bytes = Reading("the line's counters", drivers.counters.read, EVERY_S, self.clock)
        if drivers.battery is not None:
            self.power = Reading("the battery", drivers.battery.read, EVERY_S, self.clock)

    # -- any thread ------------------------------------------------------------------------------------------------

    def sensed(self) -> Sensed:
        """As of now; any thread."""
        place, tilt = self._watches.position.place, self._watches.tilt
        return Sensed(
            None if place is None else place.latitude,
            None if place is None else place.longitude,
            self._watches.position.moved,
            tilt.tilted,
        )

    # -- the loop --------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Until stopped."""
        try:
            while not self.stopping.is_set():
                self.turn()
                self.progressed()
                self.clock.wait(self.stopping, SOON_S)
        finally:
            self._close()

    def turn(self) -> None:
        """Ask whoever is due, and tell what follows."""
        self._look_around()
        self._look_at_supplies()

    def _look_around(self) -> None:
        position, tilt = self._watches.position, self._watches.tilt
        if (of := self._commissioned()) is not None:
            self._note_commissioning(of)
        known = self._posture
        if self.fix is not None:
            self.fix.turn()
            position.chase(self._stolen())
            self._raise(position.observe(self.fix.value))
            if known.of and position.home is None:
                position.home = position.place
        if self.hang is not None and self.hang.turn() and self.hang.value is not None:
            if known.of and tilt.upright is None:
                tilt.level(self.hang.value, tilt.tilted)
            self._raise(tilt.observe(self.hang.value))
        self._posture = Posture(known.of, tilt.upright, position.home, str(tilt.tilted))
        if self._posture != self._kept:
            self._keep(self._posture)

    def _note_commissioning(self, of: int) -> None:
        """When it was commissioned: with another answer than before what was known of how it hung and stood is void."""
        known, is_first, self._has_heard = self._posture.of, not self._has_heard, True
        if known == UNREAD:
            self._posture = replace(self._posture, of=of)
        elif of != known:
            # There at the start, and not with what the disk kept: nobody knows any more how it hung when a person looked.
            is_lost = bool(of) and is_first and not self._trusts_first and self.hang is not None
            self._posture = Posture(of, tilted=str(UNKNOWN_POSTURE) if is_lost else "")
            self._watches.tilt.level(None, self._posture.tilted)
            self._watches.position.home = self._home

    def _look_at_supplies(self) -> None:
        for reading in (self.link, self.bytes):
            if reading is not None and reading.turn() and reading is self.bytes:
                self._watches.data.look(self.bytes.value)
        if self.power is not None and self.power.turn() and self.power.value is not None:
            self._raise(self._watches.power.observe(self.power.value))
        power = None if self.power is None else self.power.value
        used = None if self.bytes is None else self._watches.data.used.total
        self._raise(self._watches.savings.observe(power, used))
        ends = self._watches.savings.savings.ends
        if ends and not self._said_farewell:
            self._raise(self._watches.position.last_words())
        self._said_farewell = ends

    def _keep(self, posture: Posture) -> None:
        """What is found lasts in memory in any case; while a disk refuses it is tried again with each turn, and told once."""
        try:
            keep_posture(self._posture_path, posture)
        except OSError as error:
            why = str(system_words((error.strerror or str(error)).lower()))
            if why != self._refused:
                log.error("how the unit hangs cannot be kept in %s: %s", self._posture_path, why)
            self._refused = why
        else:
            self._kept, self._refused = posture, ""

    def _raise(self, events: list[Event]) -> None:
        for event in events:
            self._events.raise_event(event)

    def _close(self) -> None:
        if self.bytes is not None:
            self._watches.data.keep()
        drivers = self._drivers
        for driver in (drivers.positions, drivers.modem, drivers.battery, drivers.accelerometer):
            if driver is not None:
                driver.close()
