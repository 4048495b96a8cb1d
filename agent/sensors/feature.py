"""The sensors as a feature: their figures in health, what they notice as events, what they spare put in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.base.topic import Topic
from agent.config.model import Config
from agent.journal.entry import Journal
from agent.operations import payloads
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.ports.event import Event, EventSink
from agent.ports.nomad_health import LinkHealth, PositionHealth, PowerHealth
from agent.sensors import position_watch, power_watch, savings_watch, tilt_watch
from agent.sensors.data_used import DataUsed
from agent.sensors.ladder import BatteryLimits, BatteryRung, Savings
from agent.sensors.place import Place
from agent.sensors.position_watch import PositionWatch
from agent.sensors.power_watch import PowerWatch
from agent.sensors.reading import Reading
from agent.sensors.savings_watch import SavingsWatch
from agent.sensors.sensors import SensorDrivers, Sensors, Watches
from agent.sensors.tilt_watch import TiltWatch

_SAVERS: Final = {
    payloads.Saver.OFF: BatteryRung.FULL,
    payloads.Saver.SAVING: BatteryRung.SAVING,
    payloads.Saver.LOW: BatteryRung.LOW,
}
_AT_THE_FIRST_START: Final = 1
"""A fixed node has no commissioning of its own: its first readings count as right."""


class SensorsHealth(Struct, frozen=True):
    """What goes into health's `nomad`: None for the sensors that there are not."""

    position: PositionHealth | None
    power: PowerHealth | None
    link: LinkHealth | None
    rung: str


class SensorsFeature(Feature[Config]):
    """Without a sensor in the configuration there is no component, and nothing is told."""

    topics = (*position_watch.TOPICS, *tilt_watch.TOPICS, *power_watch.TOPICS, *savings_watch.TOPICS)
    keys = (
        "nomad.gps",
        "nomad.modem",
        "nomad.modem_interface",
        "nomad.battery",
        "nomad.battery_device",
        "nomad.tilt",
        "nomad.moved_m",
        "nomad.tilt_degrees",
        "nomad.low_percent",
        "nomad.critical_percent",
        "nomad.when_critical",
        "nomad.power_off",
        "nomad.least_fps",
        "nomad.data_cap_mb",
        "nomad.data_cap_day",
    )

    def __init__(
        self,
        config: Config,
        drivers: SensorDrivers,
        events: EventSink,
        journal: Journal,
        put_in_force: Callable[[Savings], object],
        clock: Clock,
        commissioned: Callable[[], int | None],
        stolen: Callable[[], bool] = lambda: False,
        *,
        boot: str,
    ) -> None:
        nomad, node = config.nomad, config.node
        self._clock = clock
        self._cap_mb = nomad.data_cap_mb
        self._interface = nomad.modem_interface
        limits = BatteryLimits(nomad.low_percent, nomad.critical_percent)
        self._watches = Watches(
            PositionWatch(node.id, nomad.moved_m, clock),
            TiltWatch(node.id, nomad.tilt_degrees, clock),
            PowerWatch(clock),
            SavingsWatch(node.id, limits, nomad.data_cap_mb, put_in_force, journal, clock),
            DataUsed(node.state_dir / "data-used.json", nomad.data_cap_day, clock, boot),
        )
        fixed = node.role == "fixed"
        if fixed and node.latitude is not None and node.longitude is not None:
            self._watches.position.home = Place(node.latitude, node.longitude)
        self._has_sensors = not drivers.is_empty
        tap = events if fixed else _WithoutAlarms(events)
        kept_in = node.state_dir / "posture.json"
        self.sensors = Sensors(
            drivers,
            self._watches,
            tap,
            kept_in,
            clock,
            (lambda: _AT_THE_FIRST_START) if fixed else commissioned,
            stolen,
            trusts_first=fixed,
        )

    def components(self) -> Sequence[Component]:
        return (self.sensors,) if self._has_sensors else ()

    def tells(self, topic: Topic, settings: Config) -> bool:
        nomad = settings.nomad
        if topic.name in (position_watch.MOVED, tilt_watch.TILTED) and settings.node.role == "nomadic":
            return True
        if topic in position_watch.TOPICS:
            return nomad.gps != "off"
        if topic in tilt_watch.TOPICS:
            return nomad.tilt != "off"
        if topic.name == savings_watch.DATA_CAP:
            return nomad.data_cap_mb is not None
        return nomad.battery != "off"

    def operations(self) -> Sequence[Operation]:
        return (Operation(VERBS["set-saver"], self._set_saver),)

    def _set_saver(self, asked: payloads.SetSaver, _by: object) -> payloads.Saving:
        """What is spared; it lasts until the next one, or a restart. It knows neither masks nor recording (N3)."""
        self._watches.savings.spare(_SAVERS[asked.rung])
        return payloads.Saving(rung=asked.rung, spares=self._watches.savings.words())

    def told(self) -> SensorsHealth | None:
        """The sensors' part in health's `nomad`; None where there is no sensor. Any thread."""
        if not self._has_sensors:
            return None
        return SensorsHealth(self._position(), self._power(), self._link(), self._watches.savings.words())

    def _position(self) -> PositionHealth | None:
        asked = self.sensors.fix
        if asked is None:
            return None
        place, fix = self._watches.position.place, asked.value
        return PositionHealth(
            latitude=None if place is None else round(place.latitude, 6),
            longitude=None if place is None else round(place.longitude, 6),
            error_m=None if fix is None else fix.error_m,
            age_s=None if fix is None else round((self._clock.monotonic_ns() - fix.heard_ns) / NS, 1),
            fault=asked.fault or ("" if place is not None or fix is not None else "no fix"),
            moved=self._watches.position.moved,
            tilted=self._watches.tilt.tilted,
        )

    def _power(self) -> PowerHealth | None:
        asked = self.sensors.power
        if asked is None:
            return None
        power = asked.value
        if power is None:
            return PowerHealth(fault=_fault(asked))
        return PowerHealth(
            mains=power.mains,
            percent=power.percent,
            hours_left=power.hours_left,
            state=power.state,
            volts=power.volts,
            watts=power.watts,
        )

    def _link(self) -> LinkHealth | None:
        asked, counted = self.sensors.link, self.sensors.bytes
        if asked is None and counted is None:
            return None
        link = None if asked is None else asked.value
        used = self._watches.data.used
        told = LinkHealth(
            interface=self._interface,
            month=used.begins.isoformat(),
            used_bytes=used.total,
            cap_bytes=None if self._cap_mb is None else self._cap_mb * 1_000_000,
            fault="" if asked is None else _fault(asked),
        )
        if link is None:
            return told
        return replace(
            told,
            state=link.state,
            sim=link.sim,
            technology=link.technology,
            operator=link.operator,
            roaming=link.roaming,
            signal_percent=link.signal_percent,
            rsrp_dbm=link.rsrp_dbm,
            cell=link.cell,
        )


def _fault(asked: Reading[Any]) -> str:
    return asked.fault or ("not asked yet" if asked.value is None else "")


class _WithoutAlarms:
    """On a nomadic unit the deployment tells of a move and a tilt, with what follows from them."""

    def __init__(self, events: EventSink) -> None:
        self._events = events

    def raise_event(self, event: Event) -> None:
        if event.topic not in (position_watch.MOVED, tilt_watch.TILTED):
            self._events.raise_event(event)
