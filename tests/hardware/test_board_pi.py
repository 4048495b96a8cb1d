"""The board's figures, read from boards laid out in a folder, and from the one the tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.board_pi import PiBoard


def lay_out(root: Path, **files: str) -> PiBoard:
    """A board whose sysfs holds these files; `__` in a name stands for a slash."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return PiBoard(root)


def test_a_raspberry_pi_tells_everything(tmp_path: Path) -> None:
    """Temperature, throttling now and since boot, voltage, load, memory, wear, model and power source."""
    board = lay_out(
        tmp_path,
        sys__class__thermal__thermal_zone0__type="cpu-thermal\n",
        sys__class__thermal__thermal_zone0__temp="61322\n",
        sys__block__mmcblk0__device__life_time="0x01 0x03\n",
        sys__block__mmcblk0__device__pre_eol_info="0x02\n",
        sys__class__power_supply__usb__type="USB\n",
        sys__class__power_supply__usb__online="1\n",
        proc__loadavg="0.52 0.58 0.59 1/189 4242\n",
        proc__uptime="3600.25 7000.11\n",
        proc__meminfo="MemTotal:        3884400 kB\nMemAvailable:    3100000 kB\n",
    )
    (tmp_path / "sys/devices/platform/soc/soc:firmware").mkdir(parents=True)
    (tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled").write_text("50005\n")
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    metrics = board.read()
    assert (metrics.temperature_c, metrics.throttled, metrics.undervoltage) == (61.322, True, True)
    assert (metrics.load_1m, metrics.uptime_s) == (0.52, 3600.25)
    assert metrics.more == {
        "model": "Raspberry Pi 4 Model B Rev 1.4",
        "undervoltage_since_boot": 1.0,
        "throttled_since_boot": 1.0,
        "memory_total_bytes": 3884400 * 1024.0,
        "memory_available_bytes": 3100000 * 1024.0,
        "power": "usb",
        "storage_worn_percent": 30.0,
        "storage_pre_eol": "warning",
    }


@pytest.mark.parametrize(
    ("answer", "throttled", "undervoltage"),
    [("throttled=0x0\n", False, False), ("throttled=0x50000\n", False, False), ("throttled=0x1", False, True),
     ("throttled=0x8", True, False), ("", None, None), (None, None, None), ("error=1 error_msg=\"x\"", None, None)],
)  # fmt: skip
def test_the_firmwares_tool_serves_where_the_kernel_has_no_file(
    tmp_path: Path, answer: str | None, throttled: bool | None, undervoltage: bool | None
) -> None:
    """What has been so since boot is not what is so now; an answer that is none is not taken for `all is well`."""
    metrics = PiBoard(tmp_path, flags_by_program=lambda: answer).read()
    assert (metrics.throttled, metrics.undervoltage) == (throttled, undervoltage)


def test_the_kernels_voltage_monitor_serves_without_the_firmware(tmp_path: Path) -> None:
    """Hwmon `rpi_volt` raises its alarm below 4.63 V."""
    board = lay_out(tmp_path, sys__class__hwmon__hwmon3__name="rpi_volt\n", sys__class__hwmon__hwmon3__in0_lcrit_alarm="1\n")
    assert board.read().undervoltage is True


def test_garbage_in_every_file_is_no_figure(tmp_path: Path) -> None:
    """A broken sensor gives None, never an exception on the health thread."""
    board = lay_out(
        tmp_path,
        sys__class__thermal__thermal_zone0__temp="\n",
        sys__block__mmcblk0__device__life_time="??",
        proc__loadavg="",
        proc__uptime="x y",
        proc__meminfo="MemTotal: lots",
    )
    metrics = board.read()
    assert (metrics.temperature_c, metrics.load_1m, metrics.uptime_s, dict(metrics.more)) == (None, None, None, {})


def test_the_machine_at_hand_tells_what_every_linux_tells() -> None:
    """On a real procfs: load, uptime, the process's memory."""
    metrics = PiBoard().read()
    assert metrics.load_1m is not None
    assert metrics.uptime_s is not None
    assert metrics.uptime_s > 0
    assert metrics.rss_bytes is not None
    assert metrics.rss_bytes > 1_000_000
    assert metrics.more["memory_total_bytes"]
