"""A node's process with its sensors: what asking them adds. Started by `bench.sensors`, with what to ask as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil

import agent.node.wiring  # noqa: F401 - what a node has loaded anyway is no cost of the sensors
from agent.base.clock import SystemClock
from agent.config.load import load
from agent.ports.event import Event
from agent.sensors.feature import SensorsFeature
from agent.sensors.sensors import SensorDrivers


class _Nobody:
    """Takes what is told."""

    def raise_event(self, event: Event) -> None: ...

    def enter(self, *_: Any) -> None: ...


def main() -> None:
    """Prints what asking for so many seconds added."""
    asked, clock, me = json.loads(sys.argv[1]), SystemClock(), psutil.Process()
    path = Path(asked["state"]) / "config.toml"
    path.write_text('[node]\nid = "bench"\nstate_dir = "."\n[camera]\ndriver = "synthetic"\n', encoding="utf-8")
    config, before = load(path), me.memory_info().rss

    from hardware.battery_vedirect import VeDirectBattery
    from hardware.gps_gpsd import GpsdPositions
    from hardware.modem_modemmanager import ModemManagerModem
    from hardware.tilt_iio import IioAccelerometer

    drivers = SensorDrivers(
        positions=GpsdPositions(clock, ("127.0.0.1", asked["port"])),
        modem=ModemManagerModem(),
        battery=VeDirectBattery(asked["gauge"], clock),
        accelerometer=IioAccelerometer(clock, Path(asked["iio"])),
    )
    feature = SensorsFeature(config, drivers, _Nobody(), _Nobody(), lambda _: None, clock, lambda: 0, boot="bench")
    sensors = feature.sensors
    sensors.start()
    time.sleep(5)  # the first questions load what they need, once
    cpu, began = time.process_time(), time.monotonic()
    time.sleep(asked["seconds"])
    spent = (time.process_time() - cpu) / (time.monotonic() - began)
    readings = (sensors.fix, sensors.link, sensors.power, sensors.hang)
    answered = sum(1 for reading in readings if reading is not None and reading.value is not None)
    grown = me.memory_info().rss - before
    sensors.stop()
    sensors.join(10)
    found = {"rss_mb": grown / 1e6, "cpu_percent": 100 * spent, "answered": float(answered)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
