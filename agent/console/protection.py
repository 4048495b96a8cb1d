"""What every answer of a page carries: nobody else's page shows it, it runs nobody else's code, and nobody keeps it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

PROTECTION: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def plain_refusal(status: HTTPStatus, words: str) -> bytes:
    """A whole answer for who gets no further than the door."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Content-Type: text/plain; charset=utf-8", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in PROTECTION.items()]
    return ("\r\n".join(lines) + f"\r\n\r\n{words}\n").encode()
