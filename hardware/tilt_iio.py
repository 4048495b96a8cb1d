"""An accelerometer of the kernel's industrial I/O: the attributes of /sys/bus/iio, a few readings at a time.

A jolt between two bursts is not seen here; what it leaves behind, a unit that hangs otherwise, is.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.base.clock import Clock
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.ports.accelerometer import STANDARD_GRAVITY, Acceleration

_SYSFS: Final = Path("/sys/bus/iio/devices")
_AXES: Final = ("x", "y", "z")
_READINGS: Final = 5
_APART_S: Final = 0.02


class IioAccelerometer:
    """`agent.ports.accelerometer.Accelerometer`: the first one that the kernel lists."""

    def __init__(self, clock: Clock, sysfs: Path = _SYSFS) -> None:
        self._clock = clock
        self._sysfs = sysfs
        self._never = threading.Event()

    def read(self) -> Acceleration:
        """See the port."""
        device = self._device()
        readings = []
        for n in range(_READINGS):
            if n:
                self._clock.wait(self._never, _APART_S)
            readings.append(_reading(device))
        return burst(readings)

    def close(self) -> None:
        """Nothing is held open."""

    def _device(self) -> Path:
        try:
            found = sorted(path for path in self._sysfs.iterdir() if (path / "in_accel_x_raw").exists())
        except OSError:
            found = []
        if not found:
            raise DeviceError(
                say("the kernel knows no accelerometer"),
                remedy=say('switch its overlay on (config.txt: dtoverlay), or set [nomad] tilt = "off"'),
            )
        return found[0]


def burst(readings: Sequence[tuple[float, float, float]]) -> Acceleration:
    """The mean of some readings in m/s², and the strongest jolt among them."""
    x, y, z = (sum(axis) / len(readings) for axis in zip(*readings, strict=True))
    shock = max(abs(math.hypot(*reading) - STANDARD_GRAVITY) for reading in readings)
    return Acceleration(x, y, z, shock)


def _reading(device: Path) -> tuple[float, float, float]:
    x, y, z = (_axis(device, axis) for axis in _AXES)
    return x, y, z


def _axis(device: Path, axis: str) -> float:
    """m/s²: (raw + offset) * scale, each its own or common to the axes."""
    raw = _number(device / f"in_accel_{axis}_raw")
    scale = _number(device / f"in_accel_{axis}_scale", device / "in_accel_scale", otherwise=1.0)
    return (raw + _number(device / f"in_accel_{axis}_offset", device / "in_accel_offset", otherwise=0.0)) * scale


def _number(*places: Path, otherwise: float | None = None) -> float:
    for place in places:
        try:
            value = float(place.read_text(encoding="ascii"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise _unreadable(place, error) from error
        if not math.isfinite(value):
            raise _unreadable(place, value)
        return value
    if otherwise is None:
        raise _unreadable(places[0], "it is not there")
    return otherwise


def _unreadable(place: Path, why: object) -> DeviceError:
    return DeviceError(
        say("the accelerometer cannot be read at {place}: {why}", place=place, why=why),
        remedy=say("look for its driver in `dmesg`"),
    )
