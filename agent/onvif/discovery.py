"""WS-Discovery: this node says where it is to whoever asks the network for cameras. Only where it is switched on.

1. It hears what is sent to the group alone, by IPv4, on the addresses that [onvif] host listens on.
2. It answers ten probes a second at most: what is spoofed in another's name brings that one no flood.
3. It says no more than GetScopes does, and leads to services that ask for a lease.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
from typing import Final

import psutil

from agent.base.clock import NS, Clock
from agent.base.component import Component, ComponentState
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.onvif.device_service import NodeWords
from agent.onvif.door import OnvifDoor
from agent.onvif.probe import DiscoveryWords
from agent.onvif.service import PATHS

log = logging.getLogger(__name__)

GROUP, PORT = "239.255.255.250", 3702
MOST_A_SECOND: Final = 10
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared
_LOOKS_EVERY_S: Final = 0.5
_NEW_ADDRESSES_EVERY_NS: Final = 15 * NS
_MOST_BYTES: Final = 8192


class OnvifDiscovery(Component):
    """Not critical. `door` knows the port that it listens on."""

    critical = False

    def __init__(self, node: NodeWords, host: str, door: OnvifDoor, clock: Clock) -> None:
        super().__init__("onvif discovery", clock)
        self._host = host
        self._door = door
        self._words = DiscoveryWords(node, clock.wall_ns() // NS)
        self._joined: set[str] = set()
        self._second_ns = 0
        self._answered = 0

    def work(self) -> None:
        """Until stopped. It leads nowhere before the door listens."""
        while self._door.state is not ComponentState.RUNNING:
            self.progressed()
            if self.clock.wait(self.stopping, _LOOKS_EVERY_S):
                return
        self._joined = set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            self._open(line)
            joined_ns = self.clock.monotonic_ns()
            while not self.stopping.is_set():
                self.progressed()
                if self.clock.monotonic_ns() - joined_ns > _NEW_ADDRESSES_EVERY_NS:
                    joined_ns = self.clock.monotonic_ns()
                    self._join(line)
                if select.select([line], [], [], _LOOKS_EVERY_S)[0]:
                    self._hear(line)
            for address in self._joined:
                self._tell_all(line, self._words.bye(), address)

    def _open(self, line: socket.socket) -> None:
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            line.bind((GROUP, PORT))
            self._join(line)
        except OSError as error:
            raise DeviceError(
                say("cameras cannot be discovered here: UDP port {port}: {why}", port=PORT, why=system_words(error.strerror)),
                remedy=say("Another program may hold the port; [onvif] discovery = false goes without"),
            ) from error
        if not self._joined:
            raise DeviceError(
                say("cameras cannot be discovered here: no network carries the group {group}", group=GROUP),
                remedy=say("The network may not be up yet; see [onvif] host"),
            )
        log.info("whoever asks the network for cameras finds this node (WS-Discovery)")

    def _join(self, line: socket.socket) -> None:
        """The group, on every address that came to be since."""
        for address in self._addresses() - self._joined:
            member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(address))
            try:
                line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            except OSError as error:
                log.debug("no discovery on %s: %s", address, error)
                continue
            self._joined.add(address)
            self._tell_all(line, self._words.hello(self._xaddr(address)), address)

    def _addresses(self) -> set[str]:
        if self._host not in _ANYWHERE:
            return {"127.0.0.1" if self._host == "localhost" else self._host}
        found = (each for addresses in psutil.net_if_addrs().values() for each in addresses)
        return {each.address for each in found if each.family is socket.AF_INET}

    def _hear(self, line: socket.socket) -> None:
        try:
            datagram, asked_by = line.recvfrom(_MOST_BYTES)
        except OSError as error:  # what came back of an answer that nobody took
            log.debug("discovery: %s", error)
            return
        now_ns = self.clock.monotonic_ns()
        if now_ns - self._second_ns >= NS:
            self._second_ns, self._answered = now_ns, 0
        if self._answered >= MOST_A_SECOND:
            return
        answer = self._words.answer(datagram, self._xaddr(self._towards(asked_by[0])))
        if answer is not None:
            self._answered += 1
            with contextlib.suppress(OSError):
                line.sendto(answer, asked_by)

    def _towards(self, other: str) -> str:
        """The address of this machine's by which that one reaches it. Sends nothing."""
        if self._host not in _ANYWHERE:
            return self._host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((other, 9))
            except OSError:
                return next(iter(self._joined))
            return str(probe.getsockname()[0])

    def _xaddr(self, address: str) -> str:
        return f"http://{address}:{self._door.port}{PATHS['tds']}"

    def _tell_all(self, line: socket.socket, message: bytes, address: str) -> None:
        with contextlib.suppress(OSError):  # who does not hear it asks
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            line.sendto(message, (GROUP, PORT))
