"""The mobile modem as ModemManager sees it, over the system's bus.

One question gives all of it. Numbers of the subscriber, the SIM or the device are there as well, and are not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.ports.modem import LinkMetrics, SimState
from hardware.system_bus import OBJECTS, SystemBus, bare, number

_SERVICE: Final = "org.freedesktop.ModemManager1"
_ROOT: Final = "/org/freedesktop/ModemManager1"
_MODEM: Final = f"{_SERVICE}.Modem"
_STATES: Final[Mapping[float | None, str]] = {
    -1: "failed",
    1: "initializing",
    2: "locked",
    3: "disabled",
    4: "disabling",
    5: "enabling",
    6: "enabled",
    7: "searching",
    8: "registered",
    9: "disconnecting",
    10: "connecting",
    11: "connected",
}
_TECHNOLOGIES: Final = (
    (1 << 15, "5G"),
    (1 << 14, "LTE"),
    (1 << 16, "LTE-M"),
    (1 << 17, "NB-IoT"),
    (1 << 9 | 1 << 8 | 1 << 7 | 1 << 6, "HSPA"),
    (1 << 5, "UMTS"),
    (1 << 4, "EDGE"),
    (1 << 3, "GPRS"),
    (1 << 2 | 1 << 1, "GSM"),
)
"""Bits of ModemManager's access technologies, the newest first."""
_NO_LOCK: Final = 1
_SIM_MISSING: Final = 2
_HOME, _ROAMING = (1, 6, 9), (5, 7, 10)
_CELL: Final = 1
"""The location source that is a cell."""
_TEXT_MOST: Final = 64


class ModemManagerModem:
    """`agent.ports.modem.Modem`: the only one of the board, or the first that is not failed."""

    def __init__(self) -> None:
        self._bus = SystemBus(_SERVICE, "modemmanager")

    def read(self) -> LinkMetrics:
        """See the port."""
        found = modems_of(self._bus.ask(_ROOT, OBJECTS, "GetManagedObjects"))
        if not found:
            raise DeviceError(
                say("ModemManager knows no modem"), remedy=say("check its plug and its power; `mmcli --list-modems` shows it")
            )
        return next((modem for modem in found if modem.state != "failed"), found[0])

    def close(self) -> None:
        """See the port."""
        self._bus.close()


def modems_of(objects: object) -> list[LinkMetrics]:
    """From all that ModemManager manages: a modem for each object that is one, by path."""
    found = objects if isinstance(objects, Mapping) else {}
    interfaces = [found[path] for path in sorted(found, key=str)]
    return [metrics_of(each) for each in interfaces if isinstance(each, Mapping) and _MODEM in each]


def metrics_of(interfaces: Mapping[str, object]) -> LinkMetrics:
    """From the properties of one modem's interfaces."""
    modem = bare(interfaces.get(_MODEM))
    network = bare(interfaces.get(f"{_MODEM}.Modem3gpp"))
    signal, registered = bare(interfaces.get(f"{_MODEM}.Signal")), number(network, "RegistrationState")
    quality = modem.get("SignalQuality")
    percent = quality[0] if isinstance(quality, tuple | list) and quality else None
    cell = bare(signal.get("Nr5g")) or bare(signal.get("Lte"))
    return LinkMetrics(
        state=_STATES.get(number(modem, "State"), "unknown"),
        sim=_sim(modem),
        technology=_technology(modem.get("AccessTechnologies")),
        operator=_text(network.get("OperatorName")),
        roaming=True if registered in _ROAMING else False if registered in _HOME else None,
        signal_percent=percent if _is_number(percent) and isinstance(percent, int) and 0 <= percent <= 100 else None,
        rsrp_dbm=_between(cell.get("rsrp"), -200, 0),
        rsrq_db=_between(cell.get("rsrq"), -60, 60),
        cell=_cell(bare_numbered(bare(interfaces.get(f"{_MODEM}.Location")).get("Location"))),
    )


def bare_numbered(values: object) -> dict[object, object]:
    """`a{uv}` without the signatures."""
    if not isinstance(values, Mapping):
        return {}
    return {key: value[1] for key, value in values.items() if isinstance(value, tuple) and len(value) == 2}


def _sim(modem: Mapping[str, object]) -> SimState:
    if modem.get("StateFailedReason") == _SIM_MISSING:
        return "missing"
    lock = modem.get("UnlockRequired")
    if not isinstance(lock, int) or lock == 0:
        return "unknown"
    # Above "none" and "SIM PIN" come the network's own locks; 3 and 5, a second PIN, lock no data.
    return "ready" if lock in (_NO_LOCK, 3, 5) else "locked"


def _technology(bits: object) -> str:
    if not isinstance(bits, int):
        return ""
    return next((name for mask, name in _TECHNOLOGIES if bits & mask), "")


def _cell(location: Mapping[object, object]) -> str:
    """`MCC,MNC,LAC,CI,TAC` as operator, area and cell."""
    parts = _text(location.get(_CELL)).split(",")
    if len(parts) < 4 or not all(part.isalnum() for part in parts[:4]):
        return ""
    area = parts[4] if len(parts) > 4 and parts[4].strip("0") else parts[2]
    return f"{parts[0]}{parts[1]}/{area}/{parts[3]}"


def _text(value: object) -> str:
    return "".join(c for c in value if c.isprintable())[:_TEXT_MOST] if isinstance(value, str) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _between(value: object, least: float, most: float) -> float | None:
    return float(value) if isinstance(value, int | float) and _is_number(value) and least <= value <= most else None
