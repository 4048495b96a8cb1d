"""A battery behind a Victron gauge or solar charger: VE.Direct on a serial line, 19,200 baud."""

from __future__ import annotations

import os
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import DeviceError
from agent.base.phrase import Phrase, say
from agent.base.system_words import system_words
from agent.ports.battery import PowerMetrics, PowerState
from hardware.vedirect_block import VeDirectBlocks

_SILENT_NS: Final = 30 * NS
_READ_MOST: Final = 256 * 1024
_IDLE_A: Final = 0.05
"""Below this a battery neither charges nor discharges to speak of."""
_ENDLESS: Final = -1
"""Minutes to go of a battery that is not being emptied."""


class VeDirectBattery:
    """`agent.ports.battery.Battery`. Opens the line with the first read, and anew after every failure.

    A gauge sends a block a second; the line keeps what comes between two reads, and the last whole block counts.
    """

    def __init__(self, device: str, clock: Clock) -> None:
        self._device = device
        self._clock = clock
        self._line = -1
        self._blocks = VeDirectBlocks()
        self._fields: dict[str, str] = {}
        self._heard_ns = 0

    def read(self) -> PowerMetrics:
        """See the port."""
        if self._line < 0:
            self._open()
        now_ns = self._clock.monotonic_ns()
        for block in self._blocks.feed(self._received()):
            self._fields.update(block)
            if "V" in block:
                self._heard_ns = now_ns
        if now_ns - self._heard_ns > _SILENT_NS:
            self._fields.clear()
            raise self._mute()
        return metrics_of(self._fields)

    def close(self) -> None:
        """See the port."""
        line, self._line = self._line, -1
        if line >= 0:
            os.close(line)

    def _open(self) -> None:
        try:
            line = os.open(self._device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(
                say("the battery's line {device} cannot be opened: {why}", device=self._device, why=system_words(error.strerror)),
                remedy=say("name the serial device in [nomad] battery_device; the service's user needs the group dialout"),
            ) from error
        try:
            _set_up(line)
        except (OSError, termios.error) as error:
            os.close(line)
            raise DeviceError(
                say("the battery's line {device} is no serial line", device=self._device),
                remedy=say("[nomad] battery_device is one of /dev/serial/by-id"),
            ) from error
        self._line, self._heard_ns = line, self._clock.monotonic_ns()
        self._blocks, self._fields = VeDirectBlocks(), {}

    def _received(self) -> bytes:
        """All that came since, up to a bound."""
        found = bytearray()
        try:
            while len(found) < _READ_MOST and (chunk := os.read(self._line, 4096)):
                found += chunk
        except BlockingIOError:
            pass
        except OSError as error:
            self.close()
            raise self._gone(error) from error
        if not found and not Path(self._device).exists():
            self.close()
            raise self._gone(say("it was unplugged"))
        return bytes(found)

    def _gone(self, why: object) -> DeviceError:
        return DeviceError(
            say("the battery's line {device} broke: {why}", device=self._device, why=why),
            remedy=say("check the plug; `vigie status` tells when the battery answers again"),
        )

    def _mute(self) -> DeviceError:
        what: Phrase = (
            say("every message of the battery at {device} is garbled", device=self._device)
            if self._blocks.broken
            else say("the battery at {device} says nothing", device=self._device)
        )
        return DeviceError(what, remedy=say("check the VE.Direct cable, and that [nomad] battery_device is its line"))


def metrics_of(fields: Mapping[str, str]) -> PowerMetrics:
    """What a block says. A gauge tells charge and minutes left, a charger the panel's power; what neither tells is None."""
    volts, amperes = _number(fields, "V", 1e-3), _number(fields, "I", 1e-3)
    power = _number(fields, "P", 1.0)
    watts = -power if power is not None else -amperes * volts if amperes is not None and volts is not None else None
    percent = _number(fields, "SOC", 0.1)
    minutes, panel = _number(fields, "TTG", 1.0), _number(fields, "PPV", 1.0)
    state: PowerState = "unknown"
    if amperes is not None:
        state = "idle" if abs(amperes) < _IDLE_A else "charging" if amperes > 0 else "discharging"
    return PowerMetrics(
        mains=None if panel is None else panel > 0 and state != "discharging",
        percent=percent if percent is not None and 0 <= percent <= 100 else None,
        hours_left=None if minutes is None or minutes <= _ENDLESS else minutes / 60,
        state=state,
        volts=volts,
        watts=watts,
    )


def _number(fields: Mapping[str, str], label: str, unit: float) -> float | None:
    """A decimal whole number, as the protocol has them; `---` where a sensor is missing."""
    word = fields.get(label, "")
    digits = word.removeprefix("-")
    return int(word) * unit if digits.isascii() and digits.isdigit() and len(digits) < 12 else None


def _set_up(line: int) -> None:
    """Raw, 19,200 baud, 8N1, no handshake."""
    iflag = oflag = lflag = 0
    cflag = termios.CS8 | termios.CREAD | termios.CLOCAL
    controls = termios.tcgetattr(line)[6]
    termios.tcsetattr(line, termios.TCSANOW, [iflag, oflag, cflag, lflag, termios.B19200, termios.B19200, controls])
