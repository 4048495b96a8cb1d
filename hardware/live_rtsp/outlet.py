"""Where a viewer's packets go: into its connection, or to its two UDP ports."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from typing import Final, Protocol

from hardware.live_rtsp.carriage import Datagrams, Interleaved
from hardware.live_rtsp.packets import Packets

_FOUR: Final = bytes(4)
_CONTROL: Final = struct.Struct(">BBH")


class Outlet(Protocol):
    """Of one viewer; the event loop's thread. Nothing here waits."""

    def send(self, packets: Packets, number: int) -> None:
        """One access unit, its packets numbered from `number` on."""
        ...

    def report(self, rtcp: bytes) -> None:
        """One compound RTCP packet."""
        ...

    def waiting(self) -> int:
        """Bytes that the far end has not acknowledged; 0 where nobody can tell."""
        ...


class InterleavedOutlet:
    """In the connection itself. `raw` is the socket under it, whose kernel knows what is on its way."""

    def __init__(self, transport: asyncio.Transport, raw: socket.socket, carriage: Interleaved) -> None:
        self._transport, self._raw, self._carriage = transport, raw, carriage

    def send(self, packets: Packets, number: int) -> None:
        self._transport.write(packets.numbered(number, self._carriage.data))

    def report(self, rtcp: bytes) -> None:
        self._transport.write(_CONTROL.pack(0x24, self._carriage.control, len(rtcp)) + rtcp)

    def waiting(self) -> int:
        return self._transport.get_write_buffer_size() + unacknowledged(self._raw)


class DatagramOutlet:
    """From the server's two UDP sockets to one viewer's. What finds no room in the kernel is lost, as on any such line."""

    def __init__(self, data: socket.socket, control: socket.socket, host: str, carriage: Datagrams) -> None:
        self._data, self._control = data, control
        self._to, self._control_to = (host, carriage.data), (host, carriage.control)

    def send(self, packets: Packets, number: int) -> None:
        made = memoryview(packets.numbered(number, 0))
        for start, end in zip(packets.starts, (*packets.starts[1:], len(made)), strict=True):
            _send(self._data, made[start + 4 : end], self._to)

    def report(self, rtcp: bytes) -> None:
        _send(self._control, rtcp, self._control_to)

    def waiting(self) -> int:
        return 0


def unacknowledged(raw: socket.socket) -> int:
    """Bytes that the kernel holds for the far end of a connection; 0 once it is closed."""
    try:
        return int.from_bytes(fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, _FOUR), sys.byteorder)
    except (OSError, ValueError):
        return 0


def _send(port: socket.socket, data: memoryview | bytes, to: tuple[str, int]) -> None:
    try:
        port.sendto(data, to)
    except OSError:  # no room, or nobody there: UDP promises nothing
        return
