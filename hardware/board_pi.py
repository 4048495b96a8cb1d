"""The board's health from sysfs and procfs: a Raspberry Pi's firmware flags, and what any Linux board tells.

Every path is read below `root`, so that tests can lay out a board of their own. A figure that a board does not have
is None; a file that cannot be read is a figure it does not have.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.ports.host import BoardMetrics

# Bits of the firmware's get_throttled: what is so now; the same 16 bits higher, what has been so since boot.
UNDERVOLTAGE = 1 << 0
FREQUENCY_CAPPED = 1 << 1
THROTTLED = 1 << 2
SOFT_TEMPERATURE_LIMIT = 1 << 3
SINCE_BOOT = 16

_FIRMWARE_FLAGS = "sys/devices/platform/soc*/soc*firmware/get_throttled"
_PRE_EOL = {1: "normal", 2: "warning", 3: "urgent"}
"""JEDEC eMMC EXT_CSD PRE_EOL_INFO: 80 % of the spare blocks used, 90 % used."""


class PiBoard:
    """Implements agent.ports.Board. Any thread; a read costs some file reads, and one short program on an old kernel."""

    def __init__(self, root: Path = Path("/"), flags_by_program: Callable[[], str | None] | None = None) -> None:
        self._root = root
        self._flags_by_program = flags_by_program or (_vcgencmd if root == Path("/") else lambda: None)

    def read(self) -> BoardMetrics:
        """What the board says now."""
        flags = self._flags()
        return BoardMetrics(
            temperature_c=self._temperature_c(),
            throttled=None if flags is None else bool(flags & (THROTTLED | FREQUENCY_CAPPED | SOFT_TEMPERATURE_LIMIT)),
            undervoltage=self._undervoltage(flags),
            load_1m=_first_number(self._text("proc/loadavg")),
            rss_bytes=self._rss_bytes(),
            uptime_s=_first_number(self._text("proc/uptime")),
            more=dict(self._more(flags)),
        )

    def _text(self, path: str) -> str | None:
        return _read(self._root / path)

    def _temperature_c(self) -> float | None:
        zones = {}
        for zone in sorted(self._root.glob("sys/class/thermal/thermal_zone*")):
            millidegrees = _first_number(_read(zone / "temp"))
            if millidegrees is not None:
                zones[(_read(zone / "type") or zone.name).strip()] = millidegrees / 1000
        cpu = next((zones[name] for name in zones if "cpu" in name or name == "x86_pkg_temp"), None)
        return cpu if cpu is not None else max(zones.values(), default=None)

    def _flags(self) -> int | None:
        found = next(iter(self._root.glob(_FIRMWARE_FLAGS)), None)
        text = _read(found) if found else self._flags_by_program()
        match = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]+)\s*", text or "")
        return int(match[1], 16) if match else None

    def _undervoltage(self, flags: int | None) -> bool | None:
        if flags is not None:
            return bool(flags & UNDERVOLTAGE)
        for monitor in self._root.glob("sys/class/hwmon/hwmon*"):
            if (_read(monitor / "name") or "").strip() == "rpi_volt":
                alarm = _first_number(_read(monitor / "in0_lcrit_alarm"))
                return None if alarm is None else bool(alarm)
        return None

    def _rss_bytes(self) -> int | None:
        pages = (self._text("proc/self/statm") or "").split()
        with contextlib.suppress(IndexError, ValueError):
            return int(pages[1]) * os.sysconf("SC_PAGE_SIZE")
        return None

    def _more(self, flags: int | None) -> Iterator[tuple[str, float | str]]:
        model = (self._text("proc/device-tree/model") or "").rstrip("\0\n ")
        if model:
            yield "model", model
        if flags is not None:
            since = flags >> SINCE_BOOT
            yield "undervoltage_since_boot", float(bool(since & UNDERVOLTAGE))
            yield "throttled_since_boot", float(bool(since & (THROTTLED | FREQUENCY_CAPPED | SOFT_TEMPERATURE_LIMIT)))
        for name, key in (("MemTotal", "memory_total_bytes"), ("MemAvailable", "memory_available_bytes")):
            match = re.search(rf"^{name}:\s+(\d+) kB", self._text("proc/meminfo") or "", re.MULTILINE)
            if match:
                yield key, float(int(match[1]) * 1024)
        yield from self._power()
        yield from self._wear()

    def _power(self) -> Iterator[tuple[str, float | str]]:
        """The source that feeds the board, where the kernel knows of one."""
        for supply in sorted(self._root.glob("sys/class/power_supply/*")):
            kind = (_read(supply / "type") or "").strip().lower()
            if kind in ("mains", "usb", "wireless") and _first_number(_read(supply / "online")) == 1:
                yield "power", kind
                return
            if kind == "battery" and (_read(supply / "status") or "").strip() == "Discharging":
                yield "power", "battery"
                return

    def _wear(self) -> Iterator[tuple[str, float | str]]:
        """The most worn eMMC; SD cards keep their wear to themselves."""
        worn: list[float] = []
        ends: list[int] = []
        for device in self._root.glob("sys/block/mmcblk*/device"):
            # Two halves of the storage, each in steps of ten percent of its rated life; 0x0b is beyond.
            halves = [int(part, 16) for part in re.findall(r"0x[0-9a-fA-F]+", _read(device / "life_time") or "")]
            worn += [half * 10.0 for half in halves if half]
            end = re.search(r"0x([0-9a-fA-F]+)", _read(device / "pre_eol_info") or "")
            ends += [int(end[1], 16)] if end else []
        if worn:
            yield "storage_worn_percent", max(worn)
        if ends and max(ends) in _PRE_EOL:
            yield "storage_pre_eol", _PRE_EOL[max(ends)]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _first_number(text: str | None) -> float | None:
    try:
        return float((text or "").split()[0])
    except (IndexError, ValueError):
        return None


def _vcgencmd() -> str | None:
    """`throttled=0x50000`, where the firmware's tool is installed and answers at once."""
    try:
        done = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, timeout=0.5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
