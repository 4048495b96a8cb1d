"""The battery that the kernel knows: /sys/class/power_supply, with whatever else feeds the unit beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.base.errors import DeviceError
from agent.base.phrase import joined, say
from agent.ports.battery import PowerMetrics, PowerState

_SYSFS: Final = Path("/sys/class/power_supply")
_STATES: Final[Mapping[str, PowerState]] = {
    "charging": "charging",
    "discharging": "discharging",
    "full": "full",
    "not charging": "idle",
}
_SUPPLIES: Final = ("mains", "usb", "wireless")


class SysfsBattery:
    """`agent.ports.battery.Battery`. `device` is the battery's name there, BAT0; empty for the only one that feeds the unit."""

    def __init__(self, device: str = "", sysfs: Path = _SYSFS) -> None:
        self._device = device
        self._sysfs = sysfs

    def read(self) -> PowerMetrics:
        """See the port."""
        return metrics_of(self._attributes(self._found()), self._mains())

    def close(self) -> None:
        """Nothing is held open."""

    def _found(self) -> str:
        try:
            names = sorted(entry.name for entry in self._sysfs.iterdir())
        except OSError:
            names = []
        # A battery of scope Device is that of a mouse.
        batteries = [name for name in names if self._is_battery(name)]
        if self._device in batteries or (not self._device and len(batteries) == 1):
            return self._device or batteries[0]
        if not batteries:
            raise DeviceError(
                say("the kernel knows no battery"),
                remedy=say("load the gauge's driver, or set [nomad] battery to what the unit has"),
            )
        told = joined(", ", batteries)
        if not self._device:
            raise DeviceError(
                say("there are several batteries: {names}", names=told), remedy=say("name one in [nomad] battery_device")
            )
        raise DeviceError(
            say("there is no battery {name}", name=self._device),
            remedy=say("[nomad] battery_device is one of: {names}", names=told),
        )

    def _is_battery(self, name: str) -> bool:
        return self._word(name, "type") == "battery" and self._word(name, "scope") != "device"

    def _mains(self) -> bool | None:
        """Whether one of the supplies is on; None when the kernel knows of none."""
        try:
            names = [entry.name for entry in self._sysfs.iterdir()]
        except OSError:
            return None
        online = [self._word(name, "online") for name in names if self._word(name, "type") in _SUPPLIES]
        told = [word for word in online if word.isdigit()]
        return any(int(word) > 0 for word in told) if told else None

    def _attributes(self, name: str) -> dict[str, str]:
        read = (
            "capacity",
            "status",
            "present",
            "voltage_now",
            "current_now",
            "power_now",
            "energy_now",
            "charge_now",
            "time_to_empty_now",
        )
        return {key: word for key in read if (word := self._word(name, key))}

    def _word(self, name: str, key: str) -> str:
        try:
            return (self._sysfs / name / key).read_text(encoding="utf-8", errors="replace").strip().lower()
        except OSError:
            return ""


def metrics_of(attributes: Mapping[str, str], mains: bool | None) -> PowerMetrics:
    """What the kernel's attributes say, in its units: µV, µA, µW, µWh, µAh, s. Raises DeviceError when the battery is out."""
    if attributes.get("present") == "0":
        raise DeviceError(
            say("the battery is not in its place"),
            remedy=say("put it in and check its connector; `vigie status` tells when it is there"),
        )
    state = _STATES.get(attributes.get("status", ""), "unknown")
    volts = _scaled(attributes.get("voltage_now"), 1e-6)
    watts = _scaled(attributes.get("power_now"), 1e-6)
    amperes = _scaled(attributes.get("current_now"), 1e-6)
    if watts is None and amperes is not None and volts is not None:
        watts = amperes * volts
    if watts is not None:  # drivers differ about the sign; the state does not
        watts = -abs(watts) if state == "charging" else abs(watts)
    percent = _scaled(attributes.get("capacity"), 1.0)
    if percent is not None and not 0 <= percent <= 100:
        percent = None
    hours = _hours(attributes, volts, watts) if state == "discharging" else None
    return PowerMetrics(mains, percent, hours, state, volts, watts)


def _hours(attributes: Mapping[str, str], volts: float | None, watts: float | None) -> float | None:
    told = _scaled(attributes.get("time_to_empty_now"), 1 / 3600)
    if told is not None and told > 0:
        return told
    left_wh = _scaled(attributes.get("energy_now"), 1e-6)
    left_ah = _scaled(attributes.get("charge_now"), 1e-6)
    if left_wh is None and left_ah is not None and volts is not None:
        left_wh = left_ah * volts
    return left_wh / watts if left_wh is not None and left_wh >= 0 and watts else None


def _scaled(word: str | None, unit: float) -> float | None:
    try:
        number = float(word) * unit if word else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
