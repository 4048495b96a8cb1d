"""What every answer of the local page carries: nobody else's page shows it, it runs nobody else's code, and nobody keeps it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

SERVER_LOG: Final = logging.getLogger("aiohttp.server")

PROTECTION: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_of_the_node(record: logging.LogRecord) -> bool:
    """False for a request that was none: who sent it is told so, and it is no error of the node."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


SERVER_LOG.addFilter(is_of_the_node)


async def protect(_: web.Request, response: web.StreamResponse) -> None:
    """Streams and refusals as well."""
    response.headers.update(PROTECTION)


class ProtectedHandler(web.RequestHandler):
    """One connection. What was no request the server answers by itself, past all that the page has a say in."""

    __slots__ = ()

    def handle_error(self, *args: Any, **more: Any) -> web.StreamResponse:
        """The server's own answer, protected."""
        answer = super().handle_error(*args, **more)
        answer.headers.update(PROTECTION)
        return answer


def plain_refusal(status: HTTPStatus, words: str) -> bytes:
    """A whole answer for who gets no further than the door."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Content-Type: text/plain; charset=utf-8", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in PROTECTION.items()]
    return ("\r\n".join(lines) + f"\r\n\r\n{words}\n").encode()
