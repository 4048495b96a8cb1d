"""The battery as UPower sees it, over the system's bus: all of them as one, or one by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.ports.battery import PowerMetrics, PowerState
from hardware.system_bus import SystemBus, number

_SERVICE: Final = "org.freedesktop.UPower"
_ROOT: Final = "/org/freedesktop/UPower"
_DEVICE: Final = "org.freedesktop.UPower.Device"
_STATES: Final[Mapping[float | None, PowerState]] = {
    1: "charging",
    2: "discharging",
    3: "discharging",
    4: "full",
    5: "idle",
    6: "idle",
}


class UPowerBattery:
    """`agent.ports.battery.Battery`. `device` is the last part of the device's path, battery_BAT0; empty for all as one."""

    def __init__(self, device: str = "") -> None:
        self._path = f"{_ROOT}/devices/{device or 'DisplayDevice'}"
        self._bus = SystemBus(_SERVICE, "upower")

    def read(self) -> PowerMetrics:
        """See the port."""
        device = self._bus.properties(self._path, _DEVICE)
        return metrics_of(device, self._bus.properties(_ROOT, _SERVICE))

    def close(self) -> None:
        """See the port."""
        self._bus.close()


def metrics_of(device: Mapping[str, object], daemon: Mapping[str, object]) -> PowerMetrics:
    """From UPower's properties. Raises DeviceError when there is no battery."""
    if device.get("IsPresent") is not True:
        raise DeviceError(say("UPower knows no battery"), remedy=say("`upower --dump` lists what it knows"))
    state = _STATES.get(number(device, "State"), "unknown")
    percent, seconds = number(device, "Percentage"), number(device, "TimeToEmpty")
    rate, on_battery = number(device, "EnergyRate"), daemon.get("OnBattery")
    return PowerMetrics(
        mains=not on_battery if isinstance(on_battery, bool) else None,
        percent=percent if percent is not None and 0 <= percent <= 100 else None,
        hours_left=seconds / 3600 if seconds is not None and seconds > 0 and state == "discharging" else None,
        state=state,
        volts=number(device, "Voltage") or None,
        watts=None if rate is None else -abs(rate) if state == "charging" else abs(rate),
    )
