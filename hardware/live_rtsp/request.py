"""What a viewer asks for: one request, judged before anything is done for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from agent.ports.live import STREAM_PATH
from hardware.live_rtsp.answer import ProtocolFault
from hardware.rtsp_framing import Message

TRACK: Final = "track1"
MOST_HEAD: Final = 16 * 1024
"""A token of a few kilobytes fits; a URL has at most so many characters too."""
MOST_BODY: Final = 4 * 1024
_MOST_HEADERS: Final = 64
_FIRST: Final = re.compile(r"([A-Z_]{1,32}) ([\x21-\x7e]{1,2048}) RTSP/(\d{1,3}\.\d{1,3})")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,10}")


class RtspRequest(Struct, frozen=True):
    """`headers` by their names in lower case; where one came twice, the first."""

    verb: str
    uri: str
    cseq: str
    headers: Mapping[str, str]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Empty when it is missing."""
        return self.headers.get(name, "")

    @property
    def session(self) -> str:
        """The session it belongs to, without the parameters; empty for none."""
        return self.header("session").partition(";")[0].strip()

    @property
    def place(self) -> str:
        """The path, without slashes at the end; `*` for the whole server."""
        return place_of(self.uri)

    @property
    def is_of_the_stream(self) -> bool:
        """Whether its address names the stream, or its one track."""
        return self.place in (STREAM_PATH, f"{STREAM_PATH}/{TRACK}")


def read_request(message: Message) -> RtspRequest:
    """The request in a message. ProtocolFault with the status that says what is wrong with it."""
    headers: dict[str, str] = {}
    for name, value in message.headers:
        if _NAME.fullmatch(name) and value.isprintable():
            headers.setdefault(name.lower(), value)
        else:
            raise ProtocolFault(400, cseq=_cseq(headers))
    cseq = _cseq(headers)
    first = _FIRST.fullmatch(message.first)
    if first is None or len(message.headers) > _MOST_HEADERS or not cseq:
        raise ProtocolFault(400, cseq=cseq)
    verb, uri, version = first.groups()
    if version != "1.0":
        raise ProtocolFault(505, cseq=cseq)
    try:
        place_of(uri)
    except ValueError:
        raise ProtocolFault(400, cseq=cseq) from None
    return RtspRequest(verb, uri, cseq, headers, message.body)


def place_of(uri: str) -> str:
    """The path that an address names, without slashes at the end. ValueError for what is no address."""
    return uri if uri == "*" else urlsplit(uri).path.rstrip("/")


def _cseq(headers: Mapping[str, str]) -> str:
    said = headers.get("cseq", "")
    return said if _NUMBER.fullmatch(said) else ""
