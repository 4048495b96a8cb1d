"""What gpsd, ModemManager, UPower and the kernel may say, and what they may not: no traceback, no impossible figure."""

from __future__ import annotations

import json
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import SystemClock
from agent.base.errors import DeviceError
from agent.ports.accelerometer import STANDARD_GRAVITY
from hardware import battery_sysfs, battery_upower, modem_modemmanager
from hardware.gps_gpsd import GpsdPositions
from hardware.link_counters import KernelLinkCounters
from hardware.tilt_iio import IioAccelerometer, burst
from tests.support.manual_clock import ManualClock

VERSION = b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}\n'
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=4,
)


def report(**fields: Any) -> bytes:
    """A line of gpsd."""
    return json.dumps({"class": "TPV", "device": "/dev/pts/1", **fields}, separators=(",", ":")).encode() + b"\n"


HERE = report(mode=3, time="2026-06-01T12:00:00.000Z", lat=46.78, lon=4.85, altMSL=178.0, eph=17.1, speed=0.1)


@contextmanager
def saying(*answers: bytes) -> Iterator[tuple[str, int]]:
    """Somebody at gpsd's place who says this to each caller in turn, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                caller, _ = server.accept()
                with caller:
                    caller.recv(100)
                    caller.sendall(answer)

        speaker = threading.Thread(target=serve)
        speaker.start()
        try:
            yield server.getsockname()
        finally:
            speaker.join(30)


def fix_from(answer: bytes) -> Any:
    """What the driver makes of it, until there is something: a fix, None or a DeviceError."""
    with saying(answer) as address:
        driver = GpsdPositions(SystemClock(), address)
        try:
            return driver.read()
        except DeviceError as error:
            return error
        finally:
            driver.close()


def test_of_a_second_that_comes_three_times_the_last_word_counts() -> None:
    """Each has more in it than the one before."""
    early = report(mode=2, lat=1.0, lon=2.0)
    found = fix_from(VERSION + early + early + HERE)
    assert (found.latitude, found.longitude, found.error_m, found.altitude_m) == (46.78, 4.85, 17.1, 178.0)
    assert found.at == "2026-06-01T12:00:00.000Z"


@pytest.mark.parametrize(
    "answer",
    [
        report(mode=1),
        report(mode=0),
        report(mode=3),
        report(mode=3, lat=91, lon=0),
        report(mode=2, lat=0, lon=181),
        HERE + report(mode=1),
        report(mode=99, lat=46.78, lon=4.85),
        report(mode=3, lat=46.78, lon=4.85, eph=-1),
        report(mode=3, lat=46.78, lon=4.85, eph=5000),
    ],
)
def test_no_fix_is_none(answer: bytes) -> None:
    """Also where the receiver had one a moment ago, or names a place that is none."""
    assert fix_from(VERSION + answer) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not gpsd"),
        (VERSION + b'{"class":"TPV","mode":"three"}\n', "no position"),
        (VERSION + b'{"class":"TPV","mode":3,\n', "no position"),
        (VERSION + b'{"class":"TPV","x":' + b"[" * 5000 + b"\n", "no position"),
        (b"x" * 70_000, "is not gpsd"),
        (VERSION, "has ended"),
        (b"", "has ended"),
    ],
)
def test_what_is_not_gpsd_is_told_in_words(answer: bytes, told: str) -> None:
    """And the line is given up, so that the next look begins anew."""
    found = fix_from(answer)
    assert isinstance(found, DeviceError)
    assert told in found.what
    assert found.remedy


@settings(max_examples=60)
@given(fields=st.dictionaries(st.sampled_from(["mode", "lat", "lon", "eph", "epx", "epy", "altMSL", "time", "speed"]), ODD))
def test_whatever_a_report_says_a_fix_is_on_earth(fields: dict[str, Any]) -> None:
    """Or there is none."""
    found = fix_from(VERSION + json.dumps({"class": "TPV", **fields}, separators=(",", ":"), default=str).encode() + b"\n")
    if found is not None and not isinstance(found, DeviceError):
        assert abs(found.latitude) <= 90
        assert abs(found.longitude) <= 180


@settings(max_examples=60)
@given(noise=st.binary(max_size=2000))
def test_noise_is_no_position(noise: bytes) -> None:
    """None, or a failure in words."""
    found = fix_from(noise)
    assert found is None or isinstance(found, DeviceError)


def test_nobody_there_is_told_with_the_remedy() -> None:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with pytest.raises(DeviceError, match="does not answer") as caught:
        GpsdPositions(SystemClock(), address).read()
    assert "systemctl" in caught.value.remedy


@given(
    st.dictionaries(
        st.sampled_from(
            ["State", "SignalQuality", "AccessTechnologies", "UnlockRequired", "StateFailedReason", "Lte", "rsrp", "Location"]
        ),
        st.tuples(st.text(max_size=3), ODD) | ODD,
    ),
    ODD,
)
def test_whatever_modemmanager_says_there_is_an_answer(properties: dict[str, Any], other: object) -> None:
    """Figures within their range, words that print, and no object that is none."""
    names = ["", ".Modem3gpp", ".Signal", ".Location"]
    objects = {"/org/freedesktop/ModemManager1/Modem/0": {f"org.freedesktop.ModemManager1.Modem{n}": properties for n in names}}
    for found in (*modem_modemmanager.modems_of(objects), *modem_modemmanager.modems_of({"/x": other})):
        assert found.signal_percent is None or 0 <= found.signal_percent <= 100
        assert found.rsrp_dbm is None or -200 <= found.rsrp_dbm <= 0
        assert found.operator.isprintable()
    assert modem_modemmanager.modems_of(other) is not None


@given(
    st.dictionaries(
        st.sampled_from(["IsPresent", "State", "Percentage", "TimeToEmpty", "EnergyRate", "Voltage", "OnBattery"]), ODD
    )
)
def test_whatever_upower_says_the_figures_are_possible(properties: dict[str, Any]) -> None:
    """A battery that lies about its charge says nothing."""
    found = battery_upower.metrics_of({**properties, "IsPresent": True}, properties)
    assert found.percent is None or 0 <= found.percent <= 100
    assert found.hours_left is None or found.hours_left > 0


@given(
    st.dictionaries(
        st.sampled_from(
            ["capacity", "status", "voltage_now", "current_now", "power_now", "energy_now", "charge_now", "time_to_empty_now"]
        ),
        st.text(max_size=12) | st.floats().map(str),
    )
)
def test_whatever_the_kernel_says_the_figures_are_possible(attributes: dict[str, str]) -> None:
    """Of a battery that has just been put in, or is made of a driver's mistakes."""
    found = battery_sysfs.metrics_of(attributes, None)
    assert found.percent is None or 0 <= found.percent <= 100
    assert found.hours_left is None or (found.hours_left >= 0 and math.isfinite(found.hours_left))


@given(st.lists(st.tuples(*[st.floats(-200, 200)] * 3), min_size=1, max_size=9))
def test_a_burst_is_its_mean_and_its_worst(readings: list[tuple[float, float, float]]) -> None:
    """No single jolt is lost in the mean."""
    found = burst(readings)
    worst = max(abs(math.hypot(*reading) - STANDARD_GRAVITY) for reading in readings)
    assert found.shock == worst
    assert min(r[0] for r in readings) - 1e-9 <= found.x <= max(r[0] for r in readings) + 1e-9


@pytest.mark.parametrize("content", ["", "many", "1 2", "nan", "-5"])
def test_an_accelerometer_or_a_counter_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    """In words, or as a count that is not there: a number is never made up."""
    device = tmp_path / "iio:device0"
    device.mkdir()
    (device / "in_accel_x_raw").write_text(content)
    with pytest.raises(DeviceError, match="cannot be read"):
        IioAccelerometer(ManualClock(), tmp_path).read()
    statistics = tmp_path / "wwan0" / "statistics"
    statistics.mkdir(parents=True)
    for name in ("rx_bytes", "tx_bytes"):
        (statistics / name).write_text(content)
    assert KernelLinkCounters("wwan0", tmp_path).read() is None
    assert KernelLinkCounters("none", tmp_path).read() is None
