"""The technician's local page, served: read-only, and masked pictures only. Imported when the first visitor comes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.console.feed import EventTap
from agent.console.preview import Preview

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
MOST_VIEWERS = 4
HEALTH_EVERY_S = 1.0
POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'"


class Page:
    """Serves until `stopping` is set. One thread, with an event loop of its own."""

    def __init__(
        self, health: Callable[[], Mapping[str, Any]], preview: Preview, events: EventTap, stopping: threading.Event
    ) -> None:
        self._health = health
        self._preview = preview
        self._events = events
        self._stopping = stopping
        self._viewers = 0

    def serve(self, listener: socket.socket) -> None:
        """Answer every visitor of this listening socket, until stopped."""
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        app = web.Application(middlewares=[self._guarded()])
        app.router.add_get("/", lambda _: _file("index.html"))
        app.router.add_get("/page.js", lambda _: _file("page.js"))
        app.router.add_get("/page.css", lambda _: _file("page.css"))
        app.router.add_get("/health.json", self._health_once)
        app.router.add_get("/live", self._live)
        app.router.add_get("/preview.mjpeg", self._pictures)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            while not self._stopping.is_set():
                await asyncio.sleep(0.1)
        finally:
            await runner.cleanup()

    def _guarded(self) -> Any:
        """A page elsewhere must not read this one through a name of its own that points here (DNS rebinding)."""

        @web.middleware
        async def guarded(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
            if not _is_this_machine(request.url.host or ""):
                raise web.HTTPForbidden(text="open this page by the node's address, or by localhost")
            response: web.StreamResponse = await handler(request)
            if not response.prepared:
                response.headers["Content-Security-Policy"] = POLICY
                response.headers["Cache-Control"] = "no-store"
                response.headers["X-Content-Type-Options"] = "nosniff"
            return response

        return guarded

    async def _health_once(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self._health()))

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `health` every second, `event` as it is raised."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=200)
        loop = asyncio.get_running_loop()

        def arrived(event: dict[str, Any]) -> None:
            # Full: this page is too slow to matter; the outbox has the event all the same.
            loop.call_soon_threadsafe(lambda: None if queue.full() else queue.put_nowait(event))

        end = self._events.listen(arrived)
        try:
            for event in self._events.recent():
                await response.write(_sse("event", event))
            while not self._stopping.is_set():
                await response.write(_sse("health", dict(self._health())))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HEALTH_EVERY_S):
                        while True:
                            await response.write(_sse("event", await queue.get()))
        except ConnectionError:
            log.debug("a visitor left the local page")
        finally:
            end()
        return response

    async def _pictures(self, request: web.Request) -> web.StreamResponse:
        """Masked pictures as multipart JPEG, which every browser shows in an <img>."""
        if self._viewers >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_VIEWERS} people look already")
        boundary = "picture"
        response = web.StreamResponse(
            headers={"Content-Type": f"multipart/x-mixed-replace; boundary={boundary}", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        self._viewers += 1
        end = await asyncio.to_thread(self._preview.watch, f"local page from {request.remote}")
        try:
            async for picture in self._new_pictures():
                head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                await response.write(head.encode() + picture + b"\r\n")
        except ConnectionError:
            log.debug("a viewer left")
        finally:
            self._viewers -= 1
            await asyncio.to_thread(end)
        return response

    async def _new_pictures(self) -> AsyncIterator[bytes]:
        after = 0
        while not self._stopping.is_set():
            found = await asyncio.to_thread(self._preview.next, after, 0.5)
            if found is not None:
                after, picture = found
                yield picture


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _file(name: str) -> web.FileResponse:
    return web.FileResponse(STATIC / name)


def _sse(name: str, document: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
