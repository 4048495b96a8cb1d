"""The ports that viewers come to, and the thread that serves all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.ports.live import Gate
from hardware.live_rtsp.audience import Audience
from hardware.live_rtsp.certificate import FollowedCertificate
from hardware.live_rtsp.connection import RtspConnection
from hardware.live_rtsp.datagrams import DatagramPorts, family_of
from hardware.live_rtsp.settings import RtspSettings

log = logging.getLogger(__name__)

_TICK_S: Final = 1.0
_WAITING_TO_BE_ACCEPTED: Final = 32


class RtspServer(Component):
    """Not critical: a node whose viewers cannot come records all the same. `ports` are known once it listens, by scheme."""

    critical = False

    def __init__(self, gate: Gate, settings: RtspSettings, clock: Clock) -> None:
        super().__init__("live rtsp", clock)
        self._gate, self._settings = gate, settings
        self._wake: Callable[[], None] | None = None
        self.ports: dict[str, int] = {}

    def work(self) -> None:
        with contextlib.ExitStack() as stack:
            encryption = self._encryption()
            listeners = {
                scheme: stack.enter_context(contextlib.closing(self._listen(scheme, port)))
                for scheme, port in (("rtsp", self._settings.rtsp_port), ("rtsps", self._settings.rtsps_port))
                if port is not None
            }
            datagrams = DatagramPorts(self._settings.host) if self._settings.udp else None
            if datagrams is not None:
                stack.enter_context(contextlib.closing(datagrams))
            self.ports = {scheme: listener.getsockname()[1] for scheme, listener in listeners.items()}
            for scheme, port in self.ports.items():
                log.info("live pictures under a lease: %s://%s:%d", scheme, _shown(self._settings.host), port)
            asyncio.run(self._serve(listeners, datagrams, encryption))

    def wake(self) -> None:
        if (wake := self._wake) is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
                wake()

    async def _serve(
        self,
        listeners: dict[str, socket.socket],
        datagrams: DatagramPorts | None,
        encryption: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(over.set)

        self._wake = wake
        audience = Audience(self._gate, self._settings, self.clock, datagrams)
        if datagrams is not None:
            loop.add_reader(datagrams.control, datagrams.take_reports, audience.hear)
            loop.add_reader(datagrams.data, datagrams.drain)
        servers = [
            await loop.create_server(
                lambda guard=encryption if scheme == "rtsps" else None: RtspConnection(audience, guard),  # type: ignore[misc]
                sock=listener,
                backlog=_WAITING_TO_BE_ACCEPTED,
            )
            for scheme, listener in listeners.items()
        ]
        try:
            while not self.stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), _TICK_S)
                audience.tick()
                self.progressed()
        finally:
            for server in servers:
                server.close()
            for port in _descriptors(datagrams):
                loop.remove_reader(port)
            audience.close()

    def _listen(self, scheme: str, port: int) -> socket.socket:
        host = self._settings.host
        try:
            return socket.create_server((host, port), family=family_of(host), dualstack_ipv6=host == "::")
        except OSError as error:
            raise DeviceError(
                say(
                    "live pictures cannot be offered at {host}:{port}: {why}",
                    host=_shown(host),
                    port=port,
                    why=system_words(error.strerror),
                ),
                remedy=say(
                    "Another program has the port, or the address is not this machine's: see [live] host and {scheme}_port",
                    scheme=scheme,
                ),
            ) from error

    def _encryption(self) -> Callable[[], ssl.SSLContext] | None:
        settings = self._settings
        if settings.rtsps_port is None or settings.chain is None or settings.key is None:
            return None
        certificate = FollowedCertificate(settings.chain, settings.key)
        try:
            certificate.context()
        except OSError as error:
            raise DeviceError(
                say(
                    "live pictures cannot be encrypted: {chain} and its key cannot be used ({why})",
                    chain=settings.chain,
                    why=system_words(error.strerror or error),
                ),
                remedy=say("`vigie identity show` says what is there, `vigie identity init` makes what is missing"),
            ) from error
        return certificate.context


def _descriptors(datagrams: DatagramPorts | None) -> Iterator[socket.socket]:
    if datagrams is not None:
        yield from (datagrams.data, datagrams.control)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
