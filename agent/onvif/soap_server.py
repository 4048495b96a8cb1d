"""The web server of ONVIF's services: requests in, answers or faults out. Imported when the first client comes."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict

from agent.base.clock import Clock
from agent.base.errors import VigieError
from agent.base.visitors import Visitors
from agent.console.door import ConsoleDoor
from agent.console.handler import ProtectedHandler, protect
from agent.console.protection import PROTECTION
from agent.onvif.fault import SoapFault
from agent.onvif.markup import NOTHING, Markup, envelope
from agent.onvif.proof import ProofOfRequest, RequestHead, Unproved
from agent.onvif.pull_points import PullPoints
from agent.onvif.request_pace import RequestPace
from agent.onvif.service import SNAPSHOT, SUBSCRIPTIONS, OnvifServices
from agent.onvif.snapshot_pace import SnapshotPace
from agent.onvif.soap_request import CameBy, SoapCall, SoapRequest, came_by, read_request
from agent.onvif.xml_reading import MOST_BYTES
from agent.ports.live import Gate, LookRefused, NoEntry, Transport
from agent.stream.snapshot import Still

MOST_CONNECTIONS: Final = 64
REQUEST_WITHIN_S: Final = 10.0
WRITE_WITHIN_S: Final = 5.0
_CONTENT: Final = "application/soap+xml"
_STATUS: Final = {NoEntry.UNKNOWN: 401, NoEntry.NOT_THIS_WAY: 403}
_BUSY: Final = 503


class OnvifHost(Protocol):
    """Whom it serves for: the door that opened it."""

    gate: Gate
    clock: Clock
    stopping: threading.Event
    services: OnvifServices
    points: PullPoints
    snapshots: bool
    since_ns: int

    def take_still(self) -> Still: ...

    def progressed(self) -> None: ...


class SoapHandler(ProtectedHandler):
    """One connection. What the node could not answer is a fault in SOAP's words as well."""

    __slots__ = ()

    def handle_error(self, *args: Any, **more: Any) -> web.StreamResponse:
        """The server's own answer; of an error of this node's, which the log has, a fault."""
        answer = super().handle_error(*args, **more)
        if answer.status < 500:
            return answer
        answer = _faulty(SoapFault("this node could not answer: its log says why", "ter:Action", code="Receiver"))
        answer.headers.update(PROTECTION)
        answer.force_close()
        return answer


class SoapServer:
    """One thread, with an event loop of its own; serves until the door is stopped."""

    def __init__(self, door: OnvifHost) -> None:
        self._door = door
        self._proof = ProofOfRequest(door.gate, door.clock, door.since_ns)
        self._pace = SnapshotPace(door.take_still)
        self._requests = RequestPace()
        self._visitors = Visitors(MOST_CONNECTIONS, REQUEST_WITHIN_S, door.clock)

    def serve(self, listener: socket.socket) -> None:
        """Answer every client of this listening socket, until stopped."""
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        app = web.Application(middlewares=[self._seen], client_max_size=MOST_BYTES)
        app.on_response_prepare.append(protect)
        app.router.add_get(SNAPSHOT, self._snapshot)
        app.router.add_post("/onvif/{service}", self._soap)
        app.router.add_post(SUBSCRIPTIONS + "{subscription}", self._soap)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        server, loop = runner.server, asyncio.get_running_loop()
        assert server is not None

        def handler() -> SoapHandler:
            # access_log None, "no log", is what AppRunner hands over as well. What is compressed stays so, and is no XML.
            return SoapHandler(
                server,
                loop=loop,
                access_log=None,  # type: ignore[arg-type]
                keepalive_timeout=REQUEST_WITHIN_S,
                auto_decompress=False,
            )

        self._counted = ConsoleDoor("ONVIF", self._visitors)
        listening = await loop.create_server(lambda: self._counted.connection(handler), sock=listener)
        try:
            while not self._door.stopping.is_set():
                await asyncio.sleep(0.1)
                self._counted.sweep()
                self._door.points.sweep()
                self._door.progressed()
        finally:
            self._door.points.close_all()
            listening.close()
            await runner.cleanup()

    @web.middleware
    async def _seen(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """A request has its place once it is here whole, until its answer is through. Who proves nothing is told how."""
        try:
            await request.read()  # kept for the handler; who drips is shown out meanwhile
        except (ConnectionError, HttpProcessingError, web.RequestPayloadError):
            raise web.HTTPBadRequest(text="this request did not come whole") from None
        except web.HTTPRequestEntityTooLarge:
            return _faulty(SoapFault(f"more than {MOST_BYTES} bytes are not read", "ter:WellFormed"), 413)
        with self._counted.serving(request.transport):
            await asyncio.sleep(self._requests.wait_s(asyncio.get_running_loop().time()))
            try:
                answer: web.StreamResponse = await handler(request)
            except Unproved as unproved:
                fault = SoapFault(unproved.what, "ter:NotAuthorized")
                answer = _faulty(fault, 401, [("WWW-Authenticate", each) for each in unproved.challenges])
            await _send(request, answer)
            return answer

    async def _soap(self, request: web.Request) -> web.Response:
        try:
            asked = read_request(await request.read())
        except SoapFault as fault:
            return _faulty(fault)
        try:
            return _response(200, envelope(await self._answered(request, asked), asked.header()))
        except SoapFault as fault:
            return _faulty(fault, header=asked.header(fault=True))

    async def _answered(self, request: web.Request, asked: SoapRequest) -> Markup:
        handler, is_free = self._door.services.of(asked.asked)
        lease = "" if is_free else self._proof.lease_of(_head(request), asked.token)

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        answer = handler(SoapCall(asked.asked, _came_by(request), lease, request.match_info.get("subscription", ""), gone))
        return await answer if inspect.isawaitable(answer) else answer

    async def _snapshot(self, request: web.Request) -> web.Response:
        """One masked picture, under the lease: in the register before its first byte."""
        if not self._door.snapshots:
            raise web.HTTPNotFound(text="no snapshots: this node shows its picture through TLS alone")
        lease = self._proof.lease_of(_head(request))
        enter = self._door.gate.enter
        try:
            look = await asyncio.to_thread(enter, lease, Transport.SNAPSHOT, request.remote or "unknown")
            with look:
                still = await self._pace.next()
                look.on_over(_hangs_up(request))
                if look.over:
                    raise LookRefused(NoEntry.UNKNOWN, f"the lease is over: {look.over}")
                answer = web.Response(body=still.jpeg, content_type="image/jpeg")
                await _send(request, answer)
                return answer
        except LookRefused as refused:
            return web.Response(status=_STATUS.get(refused.why, _BUSY), text=f"{refused}\n")
        except VigieError as error:  # no picture came in time
            return web.Response(status=_BUSY, text=f"{error}\n")


async def _send(request: web.Request, answer: web.StreamResponse) -> None:
    """All of it; once is enough. Who takes nothing for so long has lost the connection."""
    try:
        async with asyncio.timeout(WRITE_WITHIN_S):
            await answer.prepare(request)
            await answer.write_eof()
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()


def _hangs_up(request: web.Request) -> Callable[[], None]:
    """What ends this connection, from any thread."""
    loop, transport = asyncio.get_running_loop(), request.transport

    def hang_up() -> None:
        if transport is not None and not loop.is_closed():
            loop.call_soon_threadsafe(transport.abort)

    return hang_up


def _head(request: web.Request) -> RequestHead:
    return RequestHead(request.method, request.raw_path, request.headers.get("Authorization", ""), request.remote or "unknown")


def _came_by(request: web.Request) -> CameBy:
    local = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return came_by(request.headers.get("Host", ""), local[:2] if local else ("127.0.0.1", 80))


def _faulty(
    fault: SoapFault, status: int = 0, headers: list[tuple[str, str]] | None = None, *, header: Markup = NOTHING
) -> web.Response:
    return _response(status or fault.status, envelope(fault.body(), header), headers or [])


def _response(status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> web.Response:
    return web.Response(status=status, body=body, content_type=_CONTENT, charset="utf-8", headers=CIMultiDict(headers or []))
