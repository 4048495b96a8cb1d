"""The technician's local page, served: read-only, and masked pictures only. Imported when the first visitor comes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.base.clock import Clock
from agent.base.errors import RegisterError
from agent.base.language import Language
from agent.base.phrase import instant, say
from agent.base.visitors import Visitors
from agent.console.door import ConsoleDoor
from agent.console.feed import EventTap
from agent.console.handler import SERVER_LOG, ProtectedHandler, protect
from agent.console.preview import Preview
from agent.console.reading import reading
from agent.console.words import script, told, wanted

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
MOST_VIEWERS = 4
MOST_CONNECTIONS = 32
REQUEST_WITHIN_S = 10.0
WRITE_WITHIN_S = 5.0
"""Whoever takes no more of an answer for so long has left, shut the lid, or holds a place that others want."""
HEALTH_EVERY_S = 1.0


class Page:
    """Serves until `stopping` is set. One thread, with an event loop of its own.

    In `language`; where that is None, in the language of each visitor's browser.
    """

    def __init__(
        self,
        health: Callable[[], Mapping[str, Any]],
        preview: Preview,
        events: EventTap,
        stopping: threading.Event,
        clock: Clock,
        language: Language | None,
    ) -> None:
        self._health = health
        self._language = language
        self._preview = preview
        self._events = events
        self._stopping = stopping
        self._viewers = 0
        self._visitors = Visitors(MOST_CONNECTIONS, REQUEST_WITHIN_S, clock)

    def serve(self, listener: socket.socket) -> None:
        """Answer every visitor of this listening socket, until stopped."""
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        app = web.Application(middlewares=[self._seen, _guarded])
        app.on_response_prepare.append(protect)
        app.router.add_get("/", _static("index.html"))
        for name in ("page.js", "picture.js", "page.css"):
            app.router.add_get(f"/{name}", _static(name))
        app.router.add_get("/words.js", self._words)
        app.router.add_get("/health.json", self._health_once)
        app.router.add_get("/live", self._live)
        app.router.add_get("/preview.mjpeg", self._pictures)
        runner = web.AppRunner(app, access_log=None, logger=SERVER_LOG, shutdown_timeout=1.0)
        await runner.setup()
        server = runner.server
        assert server is not None
        loop = asyncio.get_running_loop()

        def handler() -> ProtectedHandler:
            # access_log None, "no log", is what AppRunner hands over as well.
            return ProtectedHandler(
                server,
                loop=loop,
                access_log=None,  # type: ignore[arg-type]
                logger=SERVER_LOG,
                keepalive_timeout=REQUEST_WITHIN_S,
            )

        self._door = ConsoleDoor("the local page", self._visitors)
        listening = await loop.create_server(lambda: self._door.connection(handler), sock=listener)
        try:
            while not self._stopping.is_set():
                await asyncio.sleep(0.1)
                self._door.sweep()
        finally:
            listening.close()
            await runner.cleanup()

    @web.middleware
    async def _seen(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """A whole request is here: its connection keeps its place until the answer is through."""
        with self._door.serving(request.transport):
            answer: web.StreamResponse = await handler(request)
            return answer

    async def _words(self, request: web.Request) -> web.Response:
        return web.Response(text=script(STATIC, self._wanted_by(request)), content_type="text/javascript")

    def _tell(self, request: web.Request) -> Callable[[str], str]:
        """What puts a text into the language of whoever asks."""
        return functools.partial(told, language=self._wanted_by(request))

    def _wanted_by(self, request: web.Request) -> Language:
        return wanted(self._language, request.headers.get("Accept-Language", ""))

    async def _health_once(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self._health()))

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events in the visitor's words: `health` every second, `event` as it is raised."""
        tell = self._tell(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=200)
        loop = asyncio.get_running_loop()

        def arrived(event: dict[str, Any]) -> None:
            # Full: this page is too slow to matter; the outbox has the event all the same.
            with contextlib.suppress(RuntimeError):  # the loop is over: this runs on the thread that raised the event
                loop.call_soon_threadsafe(lambda: None if queue.full() else queue.put_nowait(event))

        end = self._events.listen(arrived)
        try:
            for event in self._events.recent():
                await _write(request, response, _sse("event", {**event, "at": tell(instant(event["at"]))}))
            while not self._stopping.is_set():
                await _write(request, response, _sse("health", reading(self._health(), tell)))
                due = loop.time() + HEALTH_EVERY_S
                with contextlib.suppress(TimeoutError):
                    while True:
                        event = await asyncio.wait_for(queue.get(), due - loop.time())
                        await _write(request, response, _sse("event", {**event, "at": tell(instant(event["at"]))}))
        except ConnectionError:
            log.debug("a visitor left the local page")
        finally:
            end()
        return response

    async def _pictures(self, request: web.Request) -> web.StreamResponse:
        """Masked pictures as multipart JPEG, which every browser shows in an <img>."""
        if self._viewers >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=self._tell(request)(say("{count} people look already", count=MOST_VIEWERS)))
        self._viewers += 1
        try:
            end = await self._begun(f"local page from {request.remote}", self._tell(request))
            try:
                return await self._stream(request)
            finally:
                await asyncio.to_thread(end)
        finally:
            self._viewers -= 1

    async def _begun(self, by: str, tell: Callable[[str], str]) -> Callable[[], None]:
        """What ends the look; one whose viewer is gone before it has begun ends here, so that each entry has its end."""
        begun = asyncio.ensure_future(asyncio.to_thread(self._begin_look, by, tell))
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            await asyncio.to_thread(await begun)
            raise

    def _begin_look(self, by: str, tell: Callable[[str], str]) -> Callable[[], None]:
        """What ends it. Nobody looks without an entry in the register; an end that cannot be entered is said in the log."""
        try:
            end = self._preview.watch(by)
        except RegisterError as error:
            why = say("no picture without an entry in the register: {why}", why=error.text(tell))
            raise web.HTTPServiceUnavailable(text=tell(why)) from None

        def enter_end() -> None:
            try:
                end()
            except RegisterError as error:
                log.error("the end of a look is not entered: %s", error)

        return enter_end

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        boundary = "picture"
        response = web.StreamResponse(headers={"Content-Type": f"multipart/x-mixed-replace; boundary={boundary}"})
        await response.prepare(request)
        try:
            async for picture in self._new_pictures():
                head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                await _write(request, response, head.encode() + picture + b"\r\n")
        except ConnectionError:
            log.debug("a viewer left")
        return response

    async def _new_pictures(self) -> AsyncIterator[bytes]:
        after = 0
        while not self._stopping.is_set():
            found = await asyncio.to_thread(self._preview.next, after, 0.5)
            if found is not None:
                after, picture = found
                yield picture


@web.middleware
async def _guarded(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Nobody else's page reads or shows this one: neither by a name that points here (DNS rebinding) nor embedded."""
    try:
        asked_for = request.url.host or ""
    except ValueError:
        asked_for = ""  # a Host that is none, such as [::1].example
    if not _is_this_machine(asked_for):
        raise web.HTTPForbidden(text="open this page by the node's address, or by localhost")
    # A link that leads here is no harm; what opens a view or reads health comes from this page itself.
    if request.path != "/" and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="this is for the node's own page only")
    answer: web.StreamResponse = await handler(request)
    return answer


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _static(name: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / name)

    return answer


async def _write(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Hand some of a stream to its reader. ConnectionError when it takes nothing any more: its place is free again."""
    try:
        async with asyncio.timeout(WRITE_WITHIN_S):
            await response.write(data)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader takes nothing any more") from None


def _sse(name: str, document: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
