"""The local page's door: counts connections in front of the web server, and shows out who asks for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from agent.base.visitors import Visit, Visitors
from agent.console.protection import plain_refusal

FULL: Final = plain_refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections to this page are open")
GONE_AFTER_MS: Final = 10_000
"""A peer that acknowledges nothing for so long is gone: a lid was shut, the radio is out of reach."""
SEND_BUFFER_BYTES: Final = 128 * 1024
"""So little of what a slow viewer has not taken may wait in the kernel: else it looks alive for minutes."""


class ConsoleDoor:
    """Makes the protocol of each new connection: the web server's own, or a refusal. Lives in the page's event loop."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._visits: dict[asyncio.BaseTransport, Visit] = {}

    def connection(self, server: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """What the event loop asks for, once a connection. `server` makes the protocol of one that is let in."""
        return _Counted(self, server)

    def enter(self, transport: asyncio.Transport) -> bool:
        """Let it in; False when every place is taken by somebody who is being served."""
        visit = self._visitors.enter(transport.abort)
        if visit is None:
            return False
        self._visits[transport] = visit
        if (peer := transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # it may be gone already
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """It is closed."""
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


class _Counted(asyncio.Protocol):
    """Stands between a connection and the web server's protocol, and hands everything on."""

    def __init__(self, door: ConsoleDoor, server: Callable[[], asyncio.Protocol]) -> None:
        self._door = door
        self._server = server
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._door.enter(transport):
            transport.write(FULL)
            transport.close()
            return
        self._inner = self._server()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._door.leave(self._transport)
        if self._inner is not None:
            self._inner.connection_lost(exc)
