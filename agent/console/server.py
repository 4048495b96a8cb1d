"""The technician's local page: its port, and a web server that is not in memory before the first visitor comes."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.language import Language
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.console.feed import EventTap
from agent.console.preview import Preview

log = logging.getLogger(__name__)


class Console(Component):
    """Listens from the start (so that a taken port is said at once) and imports the web server on the first visit:
    asyncio and aiohttp cost 15 MB that a pole nobody stands under need not spend."""

    critical = False

    def __init__(
        self,
        host: str,
        port: int,
        clock: Clock,
        *,
        health: Callable[[], Mapping[str, Any]],
        preview: Preview,
        events: EventTap,
        language: Language | None = None,
    ) -> None:
        super().__init__("console", clock)
        self._address = (host, port)
        self._health = health
        self._preview = preview
        self._events = events
        self._language = language
        self.url = ""

    def work(self) -> None:
        """Wait for the first visitor, then serve until stopped."""
        host, port = self._address
        try:
            listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise DeviceError(
                say(
                    "the local page cannot listen on {host}:{port}: {why}", host=host, port=port, why=system_words(error.strerror)
                ),
                remedy=say("Another program has the port: choose another one at [console] port, or 0 for any"),
            ) from error
        with listener:
            shown = f"[{host}]" if ":" in host else host
            self.url = f"http://{shown}:{listener.getsockname()[1]}/"
            log.info("the local page is at %s", self.url)
            self.progressed()
            while not self.stopping.is_set():
                if select.select([listener], [], [], 0.25)[0]:
                    self._serve(listener)

    def _serve(self, listener: socket.socket) -> None:
        """Until stopped, or until the web server gives up."""
        from agent.console.page import Page

        Page(self._health, self._preview, self._events, self.stopping, self.clock, self._language).serve(listener)
