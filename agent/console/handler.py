"""The local page's connections in the web server: each answer protected, and no scanner's noise in the log."""

from __future__ import annotations

import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.console.protection import PROTECTION

SERVER_LOG: Final = logging.getLogger("aiohttp.server")


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
