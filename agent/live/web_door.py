"""The page for looking in from a browser, as a door: HTTPS with the node's own certificate, in a thread of its own."""

from __future__ import annotations

import logging
import select
import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.language import Language
from agent.base.own_address import reached_at
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.live.gate import LeaseGate
from agent.ports.live import Secret, Way

log = logging.getLogger(__name__)


class WebDoor(Component):
    """Implements LiveDoor. Listens from the start; the web server is imported when the first visitor comes.

    `chain`, `key`: the node's certificate; `authority`: who vouches for it, as the page is told.
    `language`: that of the page; None leaves it to each browser.
    """

    critical = False
    way: Final = Way.WEB

    def __init__(
        self,
        gate: LeaseGate,
        node: str,
        address: tuple[str, int],
        chain: Path,
        key: Path,
        authority: Path,
        clock: Clock,
        *,
        language: Language | None = None,
    ) -> None:
        super().__init__("live page", clock)
        self.gate = gate
        self.node = node
        self.language = language
        self._address = address
        self._chain = chain
        self._key = key
        self._authority = authority

    def components(self) -> Sequence[Component]:
        return (self,)

    def urls(self, secret: Secret) -> Mapping[str, str]:
        """The credentials stand behind the #: a browser sends them to nobody."""
        host, port = reached_at(self._address[0]), self._address[1]
        shown = f"[{host}]" if ":" in host else host
        return {"page": f"https://{shown}:{port}/#{quote(secret.lease, safe='')}:{quote(secret.password, safe='')}"}

    def opened(self, lease: str) -> None:
        """Viewers come by themselves."""

    def work(self) -> None:
        """Wait for the first visitor, then serve until stopped."""
        context, authority = self._certificate()
        host, port = self._address
        try:
            listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise DeviceError(
                say(
                    "the live page cannot listen on {host}:{port}: {why}", host=host, port=port, why=system_words(error.strerror)
                ),
                remedy=say("Another program has the port, or the address is not this node's: see [live] page_port and host"),
            ) from error
        with listener:
            log.info("live pictures under a lease, in a browser: https://%s:%d/", host, port)
            self.progressed()
            while not self.stopping.is_set():
                self.progressed()
                if select.select([listener], [], [], 0.25)[0]:
                    from agent.live.web_server import WebServer

                    WebServer(self, context, authority).serve(listener)

    def _certificate(self) -> tuple[ssl.SSLContext, str]:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(self._chain, self._key)
            return context, self._authority.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise DeviceError(
                say("the live page has no certificate: {chain}: {error}", chain=self._chain, error=error),
                remedy=say("`vigie identity show` tells what is wrong"),
            ) from error
