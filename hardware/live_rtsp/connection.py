"""One connection of a viewer: bytes in, requests one after the other, answers and packets out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from agent.base.visitors import Visit
from hardware.live_rtsp.answer import ProtocolFault, answer
from hardware.live_rtsp.audience import Audience
from hardware.live_rtsp.carriage import Interleaved
from hardware.live_rtsp.datagrams import plain_address
from hardware.live_rtsp.outlet import InterleavedOutlet, Outlet
from hardware.live_rtsp.request import MOST_BODY, MOST_HEAD, read_request
from hardware.live_rtsp.session import RtspSession
from hardware.rtsp_framing import Framing, Message

log = logging.getLogger(__name__)

SEND_BUFFER_BYTES: Final = 64 * 1024
"""Asked of the kernel, which takes twice as much: what it holds back is delay."""
GONE_AFTER_MS: Final = 10_000
_HANDSHAKE_S: Final = 5.0
_PARTING_S: Final = 0.5
"""What is written last has so long to leave."""
_MOST_WAITING: Final = 8
"""Requests that wait for an answer: nobody in earnest sends more at once."""


class RtspConnection(asyncio.Protocol):
    """Lives in the event loop. `encryption` is None on a plain port."""

    def __init__(self, audience: Audience, encryption: Callable[[], ssl.SSLContext] | None) -> None:
        self._audience, self._encryption = audience, encryption
        self.encrypted = encryption is not None
        self.address = self.here = ""
        self._framing = Framing(MOST_HEAD, MOST_BODY)
        self._waiting: deque[Message] = deque()
        self._transport: asyncio.Transport | None = None
        self._raw: socket.socket | None = None
        self._ready = False
        self._visit: Visit | None = None
        self._session: RtspSession | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._visit = self._audience.visitors.enter(transport.abort, str((transport.get_extra_info("peername") or ("",))[0]))
        if self._visit is None:
            transport.write(b"" if self.encrypted else answer(503, ""))
            transport.close()
            return
        self._raw = transport.get_extra_info("socket")
        peer, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if self._raw is None or not peer or not here or not _bounded(self._raw):
            transport.abort()
            return
        self.address, self.here = plain_address(peer[0]), plain_address(here[0])
        self._session = RtspSession(self, self._audience)
        if self._encryption is None:
            self._ready = True
        else:
            transport.pause_reading()
            self._run(self._encrypt(transport, self._encryption))

    def data_received(self, data: bytes) -> None:
        if self._session is None or self._transport is None or self._transport.is_closing():
            return
        try:
            for piece in self._framing.feed(data):
                if isinstance(piece, bytes):
                    self._session.hear(piece[1], piece[4:])
                else:
                    self._waiting.append(piece)
                    if len(self._waiting) > _MOST_WAITING:
                        raise ValueError("too many at once")
        except ValueError:
            self.write(answer(400, ""))
            self.hang_up()
            return
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it broke is all one
        if self._session is not None:
            self._session.end("the connection broke")
        if self._task is not None:
            self._task.cancel()
        if self._visit is not None:
            self._audience.visitors.leave(self._visit)

    def write(self, data: bytes) -> None:
        """Nothing once it is closing."""
        if self._ready and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def outlet(self, carriage: Interleaved) -> Outlet:
        assert self._transport is not None
        assert self._raw is not None
        return InterleavedOutlet(self._transport, self._raw, carriage)

    def rest(self) -> None:
        if self._visit is not None:
            self._audience.visitors.done(self._visit)

    def hang_up(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            asyncio.get_running_loop().call_later(_PARTING_S, self._transport.abort)

    async def _encrypt(self, plain: asyncio.Transport, encryption: Callable[[], ssl.SSLContext]) -> None:
        try:
            self._transport = await asyncio.get_running_loop().start_tls(
                plain,
                self,
                encryption(),
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_S,
                ssl_shutdown_timeout=_PARTING_S,
            )
        except OSError:  # no TLS, another version, gone: ssl.SSLError and timeouts are among them
            plain.abort()
            self.connection_lost(None)
            return
        if self._transport is None:  # gone meanwhile
            plain.abort()
            return
        self._ready = True
        await self._answer_all()

    def _go_on(self) -> None:
        is_open = self._ready and self._transport is not None and not self._transport.is_closing()
        if is_open and self._waiting and (self._task is None or self._task.done()):
            self._run(self._answer_all())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a viewer's connection fails and is closed", exc_info=error)
            if self._transport is not None:
                self._transport.abort()
        else:
            self._go_on()

    async def _answer_all(self) -> None:
        session, visit, visitors = self._session, self._visit, self._audience.visitors
        assert session is not None
        assert visit is not None
        while self._waiting and self._transport is not None and not self._transport.is_closing():
            message = self._waiting.popleft()
            visitors.serve(visit)
            await self._answer(session, message)
            if not session.is_playing:
                visitors.done(visit)

    async def _answer(self, session: RtspSession, message: Message) -> None:
        """In the protocol's own words, whatever was asked."""
        cseq = ""
        try:
            request = read_request(message)
            cseq = request.cseq
            self.write(await session.do(request))
        except ProtocolFault as fault:
            self.write(answer(fault.status, cseq or fault.cseq, fault.headers))
            if fault.last:
                self.hang_up()


def _bounded(raw: socket.socket) -> bool:
    """Little waits in the kernel, and a peer that acknowledges nothing is gone soon. False when it is gone already."""
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
        return True
    return False
