"""The page's web server: the page itself, and frames over a secure WebSocket. Imported when the first visitor comes."""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from agent.base.clock import Clock
from agent.base.language import Language
from agent.base.phrase import say
from agent.base.visitors import Visitors
from agent.console.door import ConsoleDoor
from agent.console.protection import ProtectedHandler, protect
from agent.console.words import answer_with, told, wanted_by
from agent.live.look import LeasedLook
from agent.ports.live import LiveFrame, LookRefused, NoEntry, Transport

if TYPE_CHECKING:
    from agent.live.gate import LeaseGate

log = logging.getLogger(__name__)

STATIC: Final = Path(__file__).parent / "static"
MOST_CONNECTIONS: Final = 48
REQUEST_WITHIN_S: Final = 10.0
WRITE_WITHIN_S: Final = 5.0
LONGEST_WORDS: Final = 8 * 1024
"""A token of a few kilobytes fits."""
_HEAD: Final = struct.Struct("!BIdd")
_KEYFRAME, _CLOSING, _OPAQUE = 1, 2, 4
_STRANGER: Final = say("no such lease is in force, or the password is another")


class PageHost(Protocol):
    """Whom it serves for: the door that opened it."""

    gate: LeaseGate
    node: str
    language: Language | None
    clock: Clock
    stopping: threading.Event

    def progressed(self) -> None: ...


class WebServer:
    """One thread, with an event loop of its own; serves until the door is stopped."""

    def __init__(self, door: PageHost, context: ssl.SSLContext, authority: str) -> None:
        self._door = door
        self._context = context
        self._authority = authority
        self._visitors = Visitors(MOST_CONNECTIONS, REQUEST_WITHIN_S, door.clock)

    def serve(self, listener: socket.socket) -> None:
        """Answer every visitor of this listening socket, until stopped."""
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        app = web.Application(middlewares=[self._seen])
        app.on_response_prepare.append(protect)
        app.on_response_prepare.append(_let_it_ask_other_nodes)
        app.router.add_get("/", _static("live.html"))
        for name in ("live.js", "pane.js", "seal.js", "live.css"):
            app.router.add_get(f"/{name}", _static(name))
        app.router.add_get("/words.js", self._words)
        app.router.add_get("/stream", self._stream)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        server, loop = runner.server, asyncio.get_running_loop()
        assert server is not None

        def handler() -> ProtectedHandler:
            # access_log None, "no log", is what AppRunner hands over as well.
            return ProtectedHandler(server, loop=loop, access_log=None, keepalive_timeout=REQUEST_WITHIN_S)  # type: ignore[arg-type]

        self._counted = ConsoleDoor(handler, self._visitors)
        listening = await loop.create_server(
            self._counted.connection, sock=listener, ssl=self._context, ssl_handshake_timeout=REQUEST_WITHIN_S
        )
        try:
            while not self._door.stopping.is_set():
                await asyncio.sleep(0.1)
                self._counted.sweep()
                self._door.progressed()
        finally:
            listening.close()
            await runner.cleanup()

    @web.middleware
    async def _seen(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """A whole request is here: its connection keeps its place until the answer is through."""
        with self._counted.serving(request.transport):
            answer: web.StreamResponse = await handler(request)
            return answer

    async def _words(self, request: web.Request) -> web.Response:
        return answer_with(STATIC, wanted_by(self._door.language, request))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Who they are comes first, in one message; then frames, until the lease is over or the viewer goes."""
        if urlsplit(request.headers.get("Origin", "")).scheme != "https":
            raise web.HTTPForbidden(text="this is for the page of a node, which comes by HTTPS")
        line = web.WebSocketResponse(max_msg_size=LONGEST_WORDS, heartbeat=10.0, compress=False)
        await line.prepare(request)
        try:
            with await self._let_in(line, request.remote or "unknown") as look:
                await self._show(line, look)
        except LookRefused as refused:
            words = refused.text(functools.partial(told, language=wanted_by(self._door.language, request)))
            await self._say(line, {"kind": "over", "why": refused.why, "text": words})
        except (ConnectionError, TimeoutError):
            log.debug("a viewer of the live page left")
        await line.close()
        return line

    async def _let_in(self, line: web.WebSocketResponse, address: str) -> LeasedLook:
        """Entered in the register; LookRefused for whoever proves nothing."""
        gate = self._door.gate
        proof = _proof(await line.receive(REQUEST_WITHIN_S))
        lease, password = proof.get("lease", ""), proof.get("password", "")
        if token := proof.get("token"):
            opened = await asyncio.to_thread(gate.bearer, token)
            if opened is not None:
                return await asyncio.to_thread(gate.enter, opened, Transport.WEB, address)
        secret = gate.challenge(lease)
        known, given = (
            each.encode("utf-8", "surrogatepass") for each in (secret.password if secret is not None else "", password)
        )
        if not hmac.compare_digest(known, given) or secret is None or not given:
            gate.refused(Transport.WEB, address, lease)
            raise LookRefused(NoEntry.UNKNOWN, _STRANGER)
        return await asyncio.to_thread(gate.enter, secret.lease, Transport.WEB, address)

    async def _show(self, line: web.WebSocketResponse, look: LeasedLook) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)

        look.on_frame(tell)
        look.on_over(tell)
        begun = {"kind": "begun", "node": self._door.node, "by": look.by, "authority": self._authority}
        await self._say(line, begun)
        look.request_keyframe()
        listening = asyncio.ensure_future(line.receive())  # answers pings, and hears when the viewer goes
        try:
            while not self._door.stopping.is_set() and not listening.done():
                news.clear()
                while (frame := look.get(0)) is not None:
                    async with asyncio.timeout(WRITE_WITHIN_S):
                        await line.send_bytes(packed(frame))
                waiting = asyncio.ensure_future(news.wait())
                await asyncio.wait({waiting, listening}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            listening.cancel()

    async def _say(self, line: web.WebSocketResponse, words: dict[str, str]) -> None:
        async with asyncio.timeout(WRITE_WITHIN_S):
            await line.send_str(json.dumps(words))


def packed(frame: LiveFrame) -> bytes:
    """Flags, frames missed, media time in µs, wall time in ms, and the access unit as it was signed."""
    unit = frame.unit
    flags = _KEYFRAME * unit.keyframe | _CLOSING * frame.closing | _OPAQUE * unit.opaque
    return _HEAD.pack(flags, min(frame.missed, 0xFFFFFFFF), unit.pts_ns / 1000, unit.wall_ns / 1e6) + unit.data


def _proof(message: Any) -> dict[str, str]:
    """`lease` and `password`, or `token`; empty where the message is none."""
    if message.type is not WSMsgType.TEXT:
        return {}
    try:
        found = json.loads(message.data)
    except (ValueError, RecursionError):
        return {}
    return {name: said for name, said in found.items() if isinstance(said, str)} if isinstance(found, dict) else {}


async def _let_it_ask_other_nodes(request: web.Request, response: web.StreamResponse) -> None:
    """A page may show further nodes: each has a lease of its own, which the page proves to it."""
    if request.path == "/":
        own = response.headers["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = own.replace("connect-src 'self'", "connect-src 'self' wss:")


def _static(name: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / name)

    return answer
