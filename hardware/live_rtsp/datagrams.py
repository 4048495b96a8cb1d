"""The server's two UDP ports, which all viewers by UDP share: an even one for pictures, the next for reports."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from agent.base.errors import DeviceError
from agent.base.phrase import say

_TRIES: Final = 50
_SEND_BUFFER: Final = 1024 * 1024
"""A keyframe leaves at once."""
_MOST_AT_ONCE: Final = 64


class DatagramPorts:
    """Nothing here waits. DeviceError when no pair of ports is free."""

    def __init__(self, host: str) -> None:
        self.data, self.control = _pair(host)
        self.data.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        for port in (self.data, self.control):
            port.setblocking(False)

    @property
    def numbers(self) -> tuple[int, int]:
        return self.data.getsockname()[1], self.control.getsockname()[1]

    def take_reports(self, hear: Callable[[str, int, bytes], None]) -> None:
        """Hand on what came: who sent it, from which port, what."""
        for _ in range(_MOST_AT_ONCE):
            try:
                said, sender = self.control.recvfrom(2048)
            except OSError:
                return
            hear(plain_address(sender[0]), sender[1], said)

    def drain(self) -> None:
        """What viewers send to the port of the pictures is nothing: it opens their firewall."""
        for _ in range(_MOST_AT_ONCE):
            try:
                self.data.recv(1)
            except OSError:
                return

    def close(self) -> None:
        self.data.close()
        self.control.close()


def family_of(host: str) -> socket.AddressFamily:
    """By the look of an address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def plain_address(host: str) -> str:
    """An IPv4 address as such, also where it came by a socket of IPv6."""
    return host.removeprefix("::ffff:") if "." in host else host.partition("%")[0]


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(_TRIES):
        first = _bound(host, 0)
        number = first.getsockname()[1]
        if number % 2 == 0:
            try:
                return first, _bound(host, number + 1)
            except OSError:
                pass  # taken: another pair
        first.close()
    raise DeviceError(say("no two UDP ports in a row are free for live pictures"), remedy=say("Set [live] udp = false"))


def _bound(host: str, number: int) -> socket.socket:
    port = socket.socket(family_of(host), socket.SOCK_DGRAM)
    try:
        port.bind((host, number))
    except OSError:
        port.close()
        raise
    return port
