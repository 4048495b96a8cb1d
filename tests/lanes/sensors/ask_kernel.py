"""Asks the kernel's drivers, under umockdev's testbed, whenever a line comes: `battery` or `tilt`. Answers with JSON."""

import json
import sys
from pathlib import Path

from msgspec import structs

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from agent.base.clock import SystemClock
from agent.base.errors import DeviceError
from agent.ports.accelerometer import Accelerometer
from agent.ports.battery import Battery
from hardware.battery_sysfs import SysfsBattery
from hardware.tilt_iio import IioAccelerometer

ASKED: dict[str, Battery | Accelerometer] = {"battery": SysfsBattery(), "tilt": IioAccelerometer(SystemClock())}

for line in sys.stdin:
    try:
        answer = structs.asdict(ASKED[line.strip()].read())
    except DeviceError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
