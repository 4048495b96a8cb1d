"""The local page's door: counts connections in front of the web server, and shows out who asks for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from agent.base.visitors import Visit, Visitors
from agent.console.protection import plain_refusal

log = logging.getLogger(__name__)

FULL: Final = plain_refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections to this page are open")
GONE_AFTER_MS: Final = 10_000
"""A peer that acknowledges nothing for so long is gone: a lid was shut, the radio is out of reach."""
_MOST_EARLY: Final = 64 * 1024
SEND_BUFFER_BYTES: Final = 128 * 1024
"""So little of what a slow viewer has not taken may wait in the kernel: else it looks alive for minutes."""


class ConsoleDoor:
    """Makes the protocol of each new connection: the web server's own, or a refusal. Lives in the page's event loop.

    With `encryption` a connection is counted before it speaks TLS: who only connects takes a place, and no more.
    """

    def __init__(
        self, name: str, visitors: Visitors, encryption: ssl.SSLContext | None = None, handshake_s: float = 10.0
    ) -> None:
        self._name = name
        self._visitors = visitors
        self.encryption = encryption
        self.handshake_s = handshake_s
        self._visits: dict[asyncio.BaseTransport, Visit] = {}
        self._plain: dict[asyncio.BaseTransport, asyncio.WriteTransport] = {}

    def connection(self, server: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """What the event loop asks for, once a connection. `server` makes the protocol of one that is let in."""
        return _Counted(self, server)

    def enter(self, transport: asyncio.Transport) -> bool:
        """Let it in; False when every place is taken by somebody who is being served."""
        peer_name = transport.get_extra_info("peername")
        visit = self._visitors.enter(transport.abort, str(peer_name[0]) if peer_name else "")
        if visit is None:
            return False
        self._visits[transport] = visit
        if (peer := transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # it may be gone already
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
        return True

    def encrypted(self, plain: asyncio.WriteTransport, transport: asyncio.BaseTransport) -> None:
        """The connection goes on as `transport`."""
        if (visit := self._visits.pop(plain, None)) is not None:
            self._visits[transport] = visit
            self._plain[transport] = plain

    def unsent(self, transport: asyncio.WriteTransport) -> int:
        """How many bytes of it wait in this process for a peer that takes none."""
        plain = self._plain.get(transport)
        return transport.get_write_buffer_size() + (plain.get_write_buffer_size() if plain is not None else 0)

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """It is closed."""
        self._plain.pop(transport, None)
        if (visit := self._visits.pop(transport, None)) is not None:
            self._visitors.leave(visit)

    @contextlib.contextmanager
    def serving(self, transport: asyncio.BaseTransport | None) -> Any:
        """While a request of this connection is answered."""
        visit = self._visits.get(transport) if transport is not None else None
        if visit is None:
            yield
            return
        self._visitors.serve(visit)
        try:
            yield
        finally:
            self._visitors.done(visit)

    def sweep(self) -> None:
        """Show out who has not brought a whole request in time."""
        self._visitors.show_out_the_idle()
        if count := self._visitors.news():
            log.warning(
                "the door of %s was crowded: %d connections that asked for nothing were closed since the start", self._name, count
            )


class _Counted(asyncio.Protocol):
    """Stands between a connection and the web server's protocol, and hands everything on."""

    def __init__(self, door: ConsoleDoor, server: Callable[[], asyncio.Protocol]) -> None:
        self._door = door
        self._server = server
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._door.enter(transport):
            transport.write(FULL if self._door.encryption is None else b"")
            transport.close()
        elif self._door.encryption is None:
            self._begin(transport)
        else:
            transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._encrypt(transport, self._door.encryption))

    async def _encrypt(self, plain: asyncio.Transport, encryption: ssl.SSLContext) -> None:
        try:
            transport = await asyncio.get_running_loop().start_tls(
                plain, self, encryption, server_side=True, ssl_handshake_timeout=self._door.handshake_s, ssl_shutdown_timeout=1.0
            )
        except OSError:  # no TLS, another version, gone: ssl.SSLError and timeouts are among them
            plain.abort()
            self._door.leave(plain)
            return
        if transport is None or self._transport is None:  # gone meanwhile
            plain.abort()
            self._door.leave(plain)
            return
        self._door.encrypted(plain, transport)
        self._transport = transport
        self._begin(transport)

    def _begin(self, transport: asyncio.Transport) -> None:
        self._inner = self._server()
        self._inner.connection_made(transport)
        early, self._early = self._early, b""
        if early:
            self._inner.data_received(early)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
        elif self._task is not None:  # it came with the end of the handshake, before anybody was told of that
            self._early += data
            if len(self._early) > _MOST_EARLY and self._transport is not None:
                self._transport.abort()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            self._door.leave(transport)
        if self._inner is not None:
            self._inner.connection_lost(exc)
