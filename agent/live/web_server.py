"""The page's web server: the page itself, and frames over a secure WebSocket. Imported when the first visitor comes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import json
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from agent.base.clock import Clock
from agent.base.language import Language
from agent.base.phrase import say
from agent.base.visitors import Visitors
from agent.console.door import ConsoleDoor
from agent.console.protection import PROTECTION
from agent.console.words import script, told, wanted
from agent.live.look import LeasedLook
from agent.ports.live import LiveFrame, LookRefused, NoEntry, Transport

if TYPE_CHECKING:
    from agent.live.gate import LeaseGate

log = logging.getLogger(__name__)

STATIC: Final = Path(__file__).parent / "static"
PARTS: Final = {
    "/": ("live.html", "text/html"),
    **{f"/{name}": (name, "text/javascript") for name in ("live.js", "pane.js", "seal.js")},
    "/live.css": ("live.css", "text/css"),
}
MOST_CONNECTIONS: Final = 48
BACKLOG: Final = 16
"""Taken at once before any of them is counted."""
REQUEST_WITHIN_S: Final = 10.0
WRITE_WITHIN_S: Final = 5.0
ENDS_WITHIN_S: Final = 1.0
LONGEST_WORDS: Final = 8 * 1024
"""A token of a few kilobytes fits."""
_HEAD: Final = struct.Struct("!BIdd")
_KEYFRAME, _CLOSING, _OPAQUE = 1, 2, 4
_STRANGER: Final = say("no such lease is in force, or the password is another")
_LINES: Final = logging.getLogger("vigie.live.page.lines")
"""What the library says of each connection: only a handler that fails is news, everything else is a visitor's own doing."""


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
        _LINES.setLevel(logging.ERROR)
        self._counted = ConsoleDoor("the live page", self._visitors, self._context, REQUEST_WITHIN_S)

        def counted(*parts: Any, **more: Any) -> asyncio.Protocol:
            return self._counted.connection(lambda: ServerConnection(*parts, **more))

        server: Server = await serve(
            self._stream,
            sock=listener,
            # The library asks for one of its own connections, and hands what it gets to the event loop as it is.
            create_connection=counted,  # type: ignore[arg-type]
            process_request=self._asked,
            process_response=_protected,
            compression=None,
            max_size=LONGEST_WORDS,
            open_timeout=REQUEST_WITHIN_S,
            close_timeout=ENDS_WITHIN_S / 2,
            backlog=BACKLOG,
            ping_interval=REQUEST_WITHIN_S,
            ping_timeout=REQUEST_WITHIN_S,
            server_header=None,
            logger=_LINES,
        )
        try:
            while not self._door.stopping.is_set():
                await asyncio.sleep(0.1)
                self._counted.sweep()
                self._door.progressed()
        finally:
            server.close()
            await asyncio.wait([asyncio.ensure_future(server.wait_closed())], timeout=ENDS_WITHIN_S)

    def _asked(self, line: ServerConnection, request: Request) -> Response | None:
        """A part of the page, at once and whole; None for the page's own way to the frames, which goes on as a WebSocket."""
        path = request.path.partition("?")[0]
        if request.method != "GET":
            return line.respond(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is answered here\n")
        if path == "/stream":
            origins = request.headers.get_all("Origin")
            if len(origins) != 1 or not _is_secure(origins[0]):
                return line.respond(HTTPStatus.FORBIDDEN, "this is for the page of a node, which comes by HTTPS\n")
            return None
        if path == "/words.js":
            return _whole(script(STATIC, self._wanted_by(request)).encode(), "text/javascript")
        if path not in PARTS:
            return line.respond(HTTPStatus.NOT_FOUND, "there is no such page\n")
        name, kind = PARTS[path]
        return _whole((STATIC / name).read_bytes(), kind)

    def _wanted_by(self, request: Request | None) -> Language:
        return wanted(self._door.language, _said(request, "Accept-Language"))

    async def _stream(self, line: ServerConnection) -> None:
        """Who they are comes first, in one message; then frames, until the lease is over or the viewer goes."""
        try:
            # Who proves nothing is in nobody's way: only a look has its place.
            with await self._let_in(line, _address(line)) as look, self._counted.serving(line.transport):
                await self._show(line, look)
        except LookRefused as refused:
            if self._counted.unsent(line.transport):
                line.transport.abort()  # frames wait there that nobody may see any more
                return
            words = refused.text(functools.partial(told, language=self._wanted_by(line.request)))
            await self._tell(line, {"kind": "over", "why": refused.why, "text": words})
        except ConnectionClosed:
            log.debug("a viewer of the live page left")
        except TimeoutError:
            line.transport.abort()  # nothing that is said to it would come through
            log.debug("a viewer of the live page takes nothing")

    async def _let_in(self, line: ServerConnection, address: str) -> LeasedLook:
        """Entered in the register; LookRefused for whoever proves nothing."""
        gate = self._door.gate
        async with asyncio.timeout(REQUEST_WITHIN_S):
            proof = _proof(await line.recv())
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

    async def _show(self, line: ServerConnection, look: LeasedLook) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)

        look.on_frame(tell)
        look.on_over(tell)
        begun = {"kind": "begun", "node": self._door.node, "by": look.by, "authority": self._authority}
        await self._send(line, json.dumps(begun))
        look.request_keyframe()
        gone = asyncio.ensure_future(line.wait_closed())
        gone.add_done_callback(lambda _: news.set())
        try:
            while not self._door.stopping.is_set() and not gone.done():
                news.clear()
                while (frame := look.get(0)) is not None:
                    await self._send(line, packed(frame))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await news.wait()
        finally:
            gone.cancel()

    async def _tell(self, line: ServerConnection, words: Mapping[str, str]) -> None:
        """A last word, if it can be said at once: whoever takes nothing is hung up on."""
        try:
            async with asyncio.timeout(ENDS_WITHIN_S / 2):
                await line.send(json.dumps(words))
        except ConnectionClosed:
            pass
        except TimeoutError:
            line.transport.abort()

    async def _send(self, line: ServerConnection, message: str | bytes) -> None:
        """ConnectionClosed and TimeoutError for a viewer that is gone, or takes nothing."""
        async with asyncio.timeout(WRITE_WITHIN_S):
            await line.send(message)


def packed(frame: LiveFrame) -> bytes:
    """Flags, frames missed, media time in µs, wall time in ms, and the access unit as it was signed."""
    unit = frame.unit
    flags = _KEYFRAME * unit.keyframe | _CLOSING * frame.closing | _OPAQUE * unit.opaque
    return _HEAD.pack(flags, min(frame.missed, 0xFFFFFFFF), unit.pts_ns / 1000, unit.wall_ns / 1e6) + unit.data


def _proof(message: str | bytes) -> dict[str, str]:
    """`lease` and `password`, or `token`; empty where the message is none."""
    if not isinstance(message, str):
        return {}
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return {name: said for name, said in found.items() if isinstance(said, str)} if isinstance(found, dict) else {}


def _address(line: ServerConnection) -> str:
    address = line.remote_address
    return str(address[0]) if address else "unknown"


def _is_secure(origin: str) -> bool:
    try:
        return urlsplit(origin).scheme == "https"
    except ValueError:  # `https://[`
        return False


def _said(request: Request | None, name: str) -> str:
    """All values of a header, as one; empty without any."""
    return ",".join(request.headers.get_all(name)) if request is not None else ""


def _whole(body: bytes, kind: str) -> Response:
    headers = Headers({"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(HTTPStatus.OK.value, HTTPStatus.OK.phrase, headers, body)


def _protected(_: ServerConnection, request: Request, response: Response) -> None:
    """A page may show further nodes: each has a lease of its own, which the page proves to it."""
    for name, value in PROTECTION.items():
        response.headers[name] = value
    if request.path.partition("?")[0] == "/":
        del response.headers["Content-Security-Policy"]
        own = PROTECTION["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = own.replace("connect-src 'self'", "connect-src 'self' wss:")
