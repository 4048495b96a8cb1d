"""A battery and an accelerometer of the kernel's, made up by umockdev: down every rung and back, tilted, knocked, pulled out."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.ports.accelerometer import STANDARD_GRAVITY, Acceleration
from agent.ports.battery import PowerMetrics
from agent.sensors.ladder import BatteryLimits, BatteryRung, battery_rung
from tests.support.footage import REPOSITORY
from tests.support.parts import program

pytestmark = pytest.mark.lane("sensors")

ASK = Path(__file__).parent / "sensors" / "ask_kernel.py"
SCALE = 0.000598
"""m/s² a count, as a common sensor has it."""
DEVICES = """\
P: /devices/platform/bat/power_supply/BAT0
E: SUBSYSTEM=power_supply
A: type=Battery\\n
A: present=1\\n
A: status=Discharging\\n
A: capacity=80\\n
A: voltage_now=12800000\\n
A: power_now=6000000\\n
A: energy_now=57600000\\n

P: /devices/platform/ac/power_supply/AC
E: SUBSYSTEM=power_supply
A: type=Mains\\n
A: online=0\\n

P: /devices/platform/i2c/iio:device0
E: SUBSYSTEM=iio
A: in_accel_x_raw=0\\n
A: in_accel_y_raw=0\\n
A: in_accel_z_raw=16399\\n
A: in_accel_scale=0.000598\\n
"""


class Kernel:
    """The drivers of a process that sees the made up devices, and their files."""

    def __init__(self, directory: Path) -> None:
        program("umockdev-run", "umockdev")
        devices, told = directory / "devices.umockdev", directory / "root"
        devices.write_text(DEVICES)
        inside = f'echo "$UMOCKDEV_DIR" > {told}; exec "$0" "$@"'
        command = ["umockdev-run", "--device", str(devices), "--", "sh", "-c", inside, sys.executable, str(ASK)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        self.ask("battery")
        self._sys = Path(told.read_text().strip()) / "sys" / "devices" / "platform"
        self.battery, self.mains = self._sys / "bat/power_supply/BAT0", self._sys / "ac/power_supply/AC"
        self.sensor = self._sys / "i2c/iio:device0"

    def ask(self, what: str) -> dict[str, Any]:
        """What the driver says, or its error in words."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert isinstance(found, dict)
        return found

    def power(self) -> PowerMetrics:
        return PowerMetrics(**self.ask("battery"))

    def hang(self) -> Acceleration:
        return Acceleration(**self.ask("tilt"))

    def lean(self, degrees: float, length: float = STANDARD_GRAVITY) -> None:
        """So far about the y axis; `length` in m/s²."""
        x, z = (round(part * length / SCALE) for part in (math.sin(math.radians(degrees)), math.cos(math.radians(degrees))))
        (self.sensor / "in_accel_x_raw").write_text(f"{x}\n")
        (self.sensor / "in_accel_z_raw").write_text(f"{z}\n")

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """With a battery that discharges and a sensor that stands upright."""
    made = Kernel(tmp_path)
    yield made
    made.end()


def test_a_battery_goes_down_every_rung_and_back(kernel: Kernel) -> None:
    """By its percentage, then by what is left of its energy, and up again when the mains return."""
    (kernel.battery / "energy_now").unlink()
    rung, seen = BatteryRung.FULL, []
    for percent in (80, 49, 29, 11, 2):
        (kernel.battery / "capacity").write_text(f"{percent}\n")
        power = kernel.power()
        assert (power.percent, power.state, power.mains, power.watts) == (percent, "discharging", False, 6.0)
        rung = battery_rung(power, rung, BatteryLimits())
        seen.append(rung)
    assert seen == list(BatteryRung)
    (kernel.mains / "online").write_text("1\n")
    (kernel.battery / "status").write_text("Charging\n")
    power = kernel.power()
    assert (power.mains, power.state, power.watts) == (True, "charging", -6.0)
    assert battery_rung(power, rung, BatteryLimits()) is BatteryRung.FULL


def test_what_is_left_of_its_energy_makes_hours(kernel: Kernel) -> None:
    """57.6 Wh at 6 W; a charge of 200 % is no charge, a battery that is out is told."""
    assert kernel.power().hours_left == pytest.approx(9.6)
    (kernel.battery / "capacity").write_text("200\n")
    assert kernel.power().percent is None
    (kernel.battery / "present").write_text("0\n")
    assert "not in its place" in kernel.ask("battery")["error"]
    shutil.rmtree(kernel.battery)
    assert "knows no battery" in kernel.ask("battery")["error"]


def test_tilt_and_shock_are_what_the_sensor_feels(kernel: Kernel) -> None:
    """Degrees to a tenth, a jolt in m/s², and a sensor that is gone in words."""
    upright = kernel.hang()
    assert upright.length == pytest.approx(STANDARD_GRAVITY, rel=0.01)
    for degrees in (2.0, 5.5, 30.0, 90.0):
        kernel.lean(degrees)
        assert kernel.hang().tilt_from(upright) == pytest.approx(degrees, abs=0.1)
    kernel.lean(0, length=4 * STANDARD_GRAVITY)
    assert kernel.hang().shock == pytest.approx(3 * STANDARD_GRAVITY, rel=0.01)
    (kernel.sensor / "in_accel_z_raw").write_text("broken\n")
    assert "cannot be read" in kernel.ask("tilt")["error"]
    (kernel.sensor / "in_accel_x_raw").unlink()
    assert "no accelerometer" in kernel.ask("tilt")["error"]
