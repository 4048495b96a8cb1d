"""ModemManager and UPower, played by dbusmock on a bus of the test's own: what the drivers make of it, and of its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.base.errors import DeviceError
from hardware.battery_upower import UPowerBattery
from hardware.modem_modemmanager import ModemManagerModem
from tests.support.parts import missing, program

pytestmark = pytest.mark.lane("sensors")

MOCK = Path(__file__).parent / "sensors" / "mock_bus.py"
PYTHON = "/usr/bin/python3"  # Debian's: dbusmock is packaged for it alone
MM, UP = "org.freedesktop.ModemManager1", "org.freedesktop.UPower"
MM_ROOT, UP_ROOT = "/org/freedesktop/ModemManager1", "/org/freedesktop/UPower"
MODEM = f"{MM_ROOT}/Modem/0"
DISPLAY = f"{UP_ROOT}/devices/DisplayDevice"
ONLINE = {
    f"{MM}.Modem": {
        "State": ["i", 11],
        "UnlockRequired": ["u", 1],
        "StateFailedReason": ["u", 0],
        "SignalQuality": ["(ub)", [72, True]],
        "AccessTechnologies": ["u", 1 << 14],
    },
    f"{MM}.Modem.Modem3gpp": {"RegistrationState": ["u", 1], "OperatorName": ["s", "Orange F"], "Imei": ["s", "356938035643809"]},
    f"{MM}.Modem.Signal": {"Lte": ["a{sv}", {"rsrp": -95.0, "rsrq": -11.0}]},
    f"{MM}.Modem.Location": {"Location": ["a{uv}", {"1": "208,01,FFFE,00A81B03,0F2A"}]},
}


class Service:
    """One of dbusmock's, in Debian's own Python."""

    def __init__(self, name: str, root: str, kind: str) -> None:
        command = [PYTHON, str(MOCK), name, root, kind]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ok\n":
            assert self._process.stderr is not None
            missing("dbusmock", f"`make setup` installs tests/lanes/sensors/packages.txt ({self._process.stderr.read()[-300:]})")

    def ask(self, *words: object) -> None:
        """Change what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        while (line := self._process.stdout.readline()) != "ok\n":
            assert line, "it ended"  # dbusmock logs every question it is asked

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], Service]]:
    """Starts services on a bus that is gone when the test is."""
    daemon = program("dbus-daemon", "dbus")
    if shutil.which(PYTHON) is None:
        missing(PYTHON, "apt-get install python3-dbusmock")
    bus = subprocess.Popen([daemon, "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    assert bus.stdout is not None
    address = bus.stdout.readline().strip()
    monkeypatch.setitem(os.environ, "DBUS_SYSTEM_BUS_ADDRESS", address)
    made: list[Service] = []

    def start(name: str, root: str, kind: str) -> Service:
        made.append(Service(name, root, kind))
        return made[-1]

    yield start
    for service in made:
        service.end()
    bus.kill()
    bus.communicate()


def test_a_modem_tells_its_line_and_no_number_of_anybody(serve: Callable[[str, str, str], Service]) -> None:
    """State, signal, operator, cell; roaming and a locked SIM as they come."""
    service = serve(MM, MM_ROOT, "manager")
    modem = ModemManagerModem()
    with pytest.raises(DeviceError, match="knows no modem"):
        modem.read()
    service.ask("add", MODEM, ONLINE)
    found = modem.read()
    assert (found.state, found.sim, found.technology, found.operator) == ("connected", "ready", "LTE", "Orange F")
    assert (found.signal_percent, found.rsrp_dbm, found.rsrq_db) == (72, -95.0, -11.0)
    assert (found.cell, found.roaming, found.is_connected) == ("20801/0F2A/00A81B03", False, True)
    assert "356938035643809" not in repr(found)
    service.ask("set", MODEM, f"{MM}.Modem.Modem3gpp", {"RegistrationState": ["u", 5]})
    assert modem.read().roaming is True
    service.ask("set", MODEM, f"{MM}.Modem", {"State": ["i", 2], "UnlockRequired": ["u", 2]})
    assert (modem.read().state, modem.read().sim) == ("locked", "locked")
    service.ask("set", MODEM, f"{MM}.Modem", {"State": ["i", -1], "StateFailedReason": ["u", 2]})
    assert (modem.read().state, modem.read().sim) == ("failed", "missing")
    service.ask("remove", MODEM)
    with pytest.raises(DeviceError, match="knows no modem"):
        modem.read()
    modem.close()


def test_a_modem_manager_that_is_gone_is_told_and_asked_again(serve: Callable[[str, str, str], Service]) -> None:
    """Killed: in words, within its second. Back: the modem again, on the same connection to the bus."""
    service = serve(MM, MM_ROOT, "manager")
    service.ask("add", MODEM, ONLINE)
    modem = ModemManagerModem()
    assert modem.read().is_connected
    service.end()
    with pytest.raises(DeviceError) as caught:
        modem.read()
    assert "modemmanager" in caught.value.remedy
    serve(MM, MM_ROOT, "manager").ask("add", MODEM, ONLINE)
    assert modem.read().is_connected
    modem.close()


def test_a_battery_goes_down_and_is_fed_again(serve: Callable[[str, str, str], Service]) -> None:
    """As UPower tells it: charge, hours, what flows, and whether the mains are there."""
    service = serve(UP, UP_ROOT, "plain")
    service.ask("set", UP_ROOT, UP, {"OnBattery": ["b", True]})
    device = {"IsPresent": ["b", True], "State": ["u", 2], "EnergyRate": ["d", 6.0]}
    service.ask("add", DISPLAY, {f"{UP}.Device": {**device, "Percentage": ["d", 80.0], "TimeToEmpty": ["x", 36000]}})
    battery = UPowerBattery()
    for percent in (80.0, 49.0, 29.0, 11.0, 2.0):
        service.ask("set", DISPLAY, f"{UP}.Device", {"Percentage": ["d", percent], "TimeToEmpty": ["x", int(450 * percent)]})
        found = battery.read()
        assert (found.percent, found.hours_left, found.state) == (percent, int(450 * percent) / 3600, "discharging")
        assert (found.mains, found.watts) == (False, 6.0)
    service.ask("set", UP_ROOT, UP, {"OnBattery": ["b", False]})
    service.ask("set", DISPLAY, f"{UP}.Device", {"State": ["u", 1]})
    assert (battery.read().mains, battery.read().state, battery.read().watts) == (True, "charging", -6.0)
    service.ask("set", DISPLAY, f"{UP}.Device", {"IsPresent": ["b", False]})
    with pytest.raises(DeviceError, match="knows no battery"):
        battery.read()
    battery.close()


def test_without_a_bus_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A board without D-Bus, or a service that may not reach it."""
    monkeypatch.setitem(os.environ, "DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(DeviceError, match="does not answer on the system's bus"):
        ModemManagerModem().read()
