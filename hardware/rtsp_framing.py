"""What goes over an RTSP connection, taken apart: requests and answers, and the packets between them (RFC 2326, 10.12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

MOST_HEAD: Final = 64 * 1024
MOST_BODY: Final = 1024 * 1024
_INTERLEAVED: Final = 0x24


class Message(Struct):
    """A request or an answer: its first line, its headers in order, its body."""

    first: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of this header; `name` in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def status(self) -> int:
        """Of an answer; 0 for what is none."""
        words = self.first.split(maxsplit=2)
        return int(words[1]) if len(words) > 1 and words[0].startswith("RTSP/") and words[1].isdecimal() else 0

    def encode(self) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.first}\r\n{head}\r\n".encode() + self.body


class Framing:
    """One direction of a connection. Feed it what came; it gives what is whole: messages, and packets as they are."""

    def __init__(self, most_head: int = MOST_HEAD, most_body: int = MOST_BODY) -> None:
        self._buffer = bytearray()
        self._most_head, self._most_body = most_head, most_body

    @property
    def is_amid(self) -> bool:
        """True when something has begun to come and is not whole."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[Message | bytes]:
        """ValueError when this cannot be RTSP."""
        buffer = self._buffer
        buffer += data
        while buffer:
            if buffer[0] == _INTERLEAVED:
                length = 4 + int.from_bytes(buffer[2:4], "big")
                if len(buffer) < max(4, length):
                    return
                yield bytes(buffer[:length])
                del buffer[:length]
                continue
            if buffer[0] in b"\r\n":  # some cameras end a body with a line too many
                del buffer[0]
                continue
            end = buffer.find(b"\r\n\r\n")
            if (len(buffer) if end < 0 else end) > self._most_head:
                raise ValueError("no end of the headers")
            if end < 0:
                return
            message = _head(buffer[:end].decode(errors="replace"))
            length = _body_length(message, self._most_body)
            if len(buffer) < end + 4 + length:
                return
            message.body = bytes(buffer[end + 4 : end + 4 + length])
            del buffer[: end + 4 + length]
            yield message


def _head(text: str) -> Message:
    first, *lines = text.split("\r\n")
    if "RTSP/" not in first:
        raise ValueError("no RTSP")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name.strip(), value.strip()))
    return Message(first, headers)


def _body_length(message: Message, most: int) -> int:
    said = (message.all("content-length") or ["0"])[0]
    length = int(said) if said.isdecimal() else -1
    if not 0 <= length <= most:
        raise ValueError("no length of a body")
    return length
