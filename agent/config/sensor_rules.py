"""What the sensors' keys of [nomad] must be beside one another."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.phrase import say
from agent.config.misfit import Misfit
from agent.config.nomadic import Nomad


def sensor_misfits(nomad: Nomad) -> Iterator[Misfit]:
    """Within the section."""
    yield from _low_before_critical(nomad)
    yield from _serial_line(nomad)
    yield from _device_is_used(nomad)
    yield from _line_is_counted(nomad)


def _low_before_critical(nomad: Nomad) -> Iterator[Misfit]:
    if nomad.critical_percent >= nomad.low_percent:
        yield Misfit(
            say("the battery would be critical before it is low"),
            at=("critical_percent",),
            beside=[("low_percent",)],
            remedy=say("critical_percent is less than low_percent; 12 and 30 are usual"),
            instead=round(nomad.low_percent / 2, 1),
        )


def _serial_line(nomad: Nomad) -> Iterator[Misfit]:
    if nomad.battery == "vedirect" and not nomad.battery_device.startswith("/dev/"):
        yield Misfit(
            say("the gauge's serial line is not named"),
            at=("battery_device",) if nomad.battery_device else ("battery",),
            remedy=say("name it in battery_device: one of /dev/serial/by-id"),
        )
    elif nomad.battery in ("sysfs", "upower") and "/" in nomad.battery_device:
        yield Misfit(
            say("this battery is named, not found in a file"),
            at=("battery_device",),
            remedy=say("write BAT0 for sysfs, battery_BAT0 for upower, or leave it out"),
        )


def _device_is_used(nomad: Nomad) -> Iterator[Misfit]:
    if nomad.battery == "off" and nomad.battery_device:
        yield Misfit(
            say("no battery is asked, so its device has no meaning"),
            at=("battery_device",),
            remedy=say("name the kind in battery: sysfs, upower or vedirect"),
        )


def _line_is_counted(nomad: Nomad) -> Iterator[Misfit]:
    if nomad.data_cap_mb is not None and not nomad.modem_interface:
        yield Misfit(
            say("nothing is counted against the data plan"),
            at=("data_cap_mb",),
            remedy=say("name the modem's interface in modem_interface: `ip link` lists them, wwan0 is usual"),
        )
