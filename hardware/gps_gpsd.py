"""Positions from gpsd, over its JSON socket: a handful of lines a second, of which the last position counts.

gpsd sends the same second up to three times, each with more in it, and positions without a time before the receiver knows the
date: both are right. A receiver that was unplugged leaves gpsd silent, which is told apart from one that has no fix.
"""

from __future__ import annotations

import math
import select
import socket
from typing import Final

import msgspec

from agent.base.clock import NS, Clock
from agent.base.errors import DeviceError
from agent.base.phrase import Phrase, say
from agent.ports.position import Fix

ADDRESS: Final = ("127.0.0.1", 2947)
_WATCH: Final = b'?WATCH={"enable":true,"json":true};\n'
_CONNECT_S: Final = 1.0
_FIRST_S: Final = 1.5
"""How long the first read waits for a position: the receiver speaks once a second."""
_SILENT_NS: Final = 30 * NS
_FRESH_NS: Final = 3 * NS
"""A look may fall between two words of a receiver that speaks once a second: its last one holds so long."""
_FIXES: Final = (2, 3)
_WORST_M: Final = 1000.0
_LINE_MOST: Final = 64 * 1024
_READ_MOST: Final = 1024 * 1024


class _Report(msgspec.Struct, frozen=True):
    """What is read of a TPV report; the rest is skipped."""

    mode: int = 0
    lat: float | None = None
    lon: float | None = None
    time: str = ""
    eph: float | None = None
    epx: float | None = None
    epy: float | None = None
    altMSL: float | None = None  # noqa: N815 - gpsd's names
    alt: float | None = None
    speed: float | None = None


_decode = msgspec.json.Decoder(_Report).decode


class GpsdPositions:
    """`agent.ports.position.Positions`. Connects with the first read, and anew after every failure."""

    def __init__(self, clock: Clock, address: tuple[str, int] = ADDRESS) -> None:
        self._clock = clock
        self._address = address
        self._socket: socket.socket | None = None
        self._rest = b""
        self._greeted = False
        self._heard_ns = 0
        self._last: Fix | None = None

    def read(self) -> Fix | None:
        """See the port."""
        fresh = self._socket is None
        line = self._socket or self._connect()
        deadline_ns = self._clock.monotonic_ns() + round(_FIRST_S * NS) if fresh else 0
        newest: _Report | None = None
        taken = 0
        while taken < _READ_MOST:
            wait_s = max(0.0, (deadline_ns - self._clock.monotonic_ns()) / NS) if newest is None else 0.0
            if not select.select([line], [], [], wait_s)[0]:
                break
            try:
                chunk = self._receive(line)
                newest = self._newest(chunk) or newest
            except DeviceError:
                if newest is None:
                    raise
                break  # what was said before the line broke holds; the next call begins anew
            taken += len(chunk)
        now_ns = self._clock.monotonic_ns()
        if newest is not None:
            self._heard_ns, self._last = now_ns, fix_of(newest, now_ns)
            return self._last
        if now_ns - self._heard_ns < _FRESH_NS:
            return self._last
        if now_ns - self._heard_ns > _SILENT_NS:
            raise DeviceError(
                say("gpsd runs, and hears no receiver"),
                remedy=say("plug the receiver in, and name it in /etc/default/gpsd; `gpsmon` shows what it sends"),
            )
        return None

    def close(self) -> None:
        """See the port."""
        line, self._socket = self._socket, None
        if line is not None:
            line.close()

    def _connect(self) -> socket.socket:
        try:
            line = socket.create_connection(self._address, _CONNECT_S)
            line.sendall(_WATCH)
        except OSError as error:
            raise DeviceError(
                say("gpsd does not answer at {host}:{port}: {why}", host=self._address[0], port=self._address[1], why=error),
                remedy=say("`systemctl enable --now gpsd.socket`"),
            ) from error
        line.setblocking(False)
        self._socket, self._rest, self._greeted, self._last = line, b"", False, None
        self._heard_ns = self._clock.monotonic_ns()
        return line

    def _receive(self, line: socket.socket) -> bytes:
        try:
            chunk = line.recv(65536)
        except OSError as error:
            raise self._broken(say("the line to gpsd broke: {why}", why=error)) from error
        if not chunk:
            raise self._broken(say("gpsd has ended"))
        return chunk

    def _newest(self, chunk: bytes) -> _Report | None:
        """The last position report that is whole now."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE_MOST:
            raise self._broken(say("what answers in gpsd's place is not gpsd"))
        if lines and not self._greeted:
            if b'"VERSION"' not in lines[0]:
                raise self._broken(say("what answers in gpsd's place is not gpsd"))
            self._greeted = True
        for line in reversed(lines):
            if b'"class":"TPV"' in line:
                try:
                    return _decode(line)
                except (msgspec.DecodeError, RecursionError) as error:
                    raise self._broken(say("gpsd sends what is no position: {why}", why=error)) from error
        return None

    def _broken(self, why: Phrase) -> DeviceError:
        self.close()
        return DeviceError(why, remedy=say("`systemctl restart gpsd`, then look at `journalctl -u gpsd`"))


def fix_of(report: _Report, heard_ns: int) -> Fix | None:
    """What a report says; None without a fix, or with a place that is none on earth."""
    if report.mode not in _FIXES or report.lat is None or report.lon is None or abs(report.lat) > 90 or abs(report.lon) > 180:
        return None
    error_m = report.eph
    if error_m is None and report.epx is not None and report.epy is not None:
        error_m = math.hypot(report.epx, report.epy)
    if error_m is not None and not 0 <= error_m <= _WORST_M:
        return None  # it does not know itself where it is
    altitude_m = report.altMSL if report.altMSL is not None else report.alt
    return Fix(report.lat, report.lon, heard_ns, error_m, altitude_m if report.mode >= 3 else None, report.speed, report.time)
