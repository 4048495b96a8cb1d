"""What a viewer is answered: a status in the protocol's own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent.ports.live import NoEntry
from hardware.rtsp_framing import Message

OFFERED: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_WORDS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    457: "Invalid Range",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option not supported",
}
_OF_NO_ENTRY: Final = {
    NoEntry.UNKNOWN: 401,
    NoEntry.NOT_THIS_WAY: 403,
    NoEntry.FULL: 453,
    NoEntry.NO_REGISTER: 503,
    NoEntry.NO_STREAM: 503,
}

Headers = list[tuple[str, str]]


class ProtocolFault(Exception):
    """A request that gets a refusal: its status, what stands beside it, and the number of the request where that is known.

    `last`: the connection ends with it.
    """

    def __init__(self, status: int, headers: Iterable[tuple[str, str]] = (), *, cseq: str = "", last: bool = False) -> None:
        super().__init__(f"{status} {_WORDS[status]}")
        self.status = status
        self.headers = list(headers)
        self.cseq = cseq
        self.last = last


def status_of(why: NoEntry) -> int:
    """What a viewer who may not look is told."""
    return _OF_NO_ENTRY[why]


def answer(status: int, cseq: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """One answer, as it goes over the line."""
    known: Headers = [("CSeq", cseq)] if cseq else []
    length: Headers = [("Content-Length", str(len(body)))] if body else []
    return Message(f"RTSP/1.0 {status} {_WORDS[status]}", [*known, *headers, *length], body).encode()
