"""A viewer that says exactly what a test wants said, and shows every answer: digests by RFC 7616, written anew."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from agent.ports.live import Secret

DEADLINE_S = 30.0


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


@dataclass
class Caller:
    """One connection. `packets` are those that came between the answers, with their channel."""

    port: int
    encrypted: bool = False
    host: str = "127.0.0.1"
    secret: Secret | None = None
    algorithm: str = "SHA-256"
    cseq: int = 0
    session: str = ""
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    nonce: str = ""
    buffer: bytes = b""

    def __post_init__(self) -> None:
        self.line: socket.socket = socket.create_connection((self.host, self.port), timeout=DEADLINE_S)
        if self.encrypted:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.line = context.wrap_socket(self.line)
        self.base = f"rtsp{'s' if self.encrypted else ''}://{self.host}:{self.port}/live"

    def ask(self, verb: str, uri: str = "", headers: dict[str, str] | None = None, body: bytes = b"") -> Said:
        """One request and its answer; challenged, once more with a digest."""
        said = self.say(verb, uri, headers, body)
        if said.status == 401 and self.secret is not None and said.all("www-authenticate"):
            offers = [line for line in said.all("www-authenticate") if f"algorithm={self.algorithm}" in line]
            self.nonce = re.search(r'nonce="([^"]+)"', offers[0])[1]  # type: ignore[index]
            said = self.say(verb, uri, {**(headers or {}), "Authorization": self.digest(verb, uri or self.base)}, body)
        if said.all("session"):
            self.session = said.one("session").partition(";")[0]
        return said

    def digest(self, verb: str, uri: str) -> str:
        """For the nonce that was heard last."""
        assert self.secret is not None
        name = {"SHA-256": "sha256", "MD5": "md5"}[self.algorithm]

        def hashed(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        user = hashed(f"{self.secret.lease}:Vigie:{self.secret.password}")
        response = hashed(f"{user}:{self.nonce}:{hashed(f'{verb}:{uri}')}")
        return (
            f'Digest username="{self.secret.lease}", realm="Vigie", nonce="{self.nonce}", uri="{uri}", '
            f'response="{response}", algorithm={self.algorithm}'
        )

    def say(self, verb: str, uri: str = "", headers: dict[str, str] | None = None, body: bytes = b"") -> Said:
        """One request and its answer."""
        self.cseq += 1
        lines = {"CSeq": str(self.cseq), **({"Session": self.session} if self.session else {}), **(headers or {})}
        if body:
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.line.sendall(f"{verb} {uri or self.base} RTSP/1.0\r\n{head}\r\n".encode() + body)
        return self.hear()

    def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Said:
        """The one track."""
        return self.ask("SETUP", self.base + "/track1", {"Transport": transport})

    def play(self) -> Said:
        """Set up and playing."""
        assert self.set_up().status == 200
        return self.ask("PLAY")

    def hear(self) -> Said:
        """The next answer; packets before it are put aside. ConnectionError when the node hangs up."""
        while True:
            piece = self._next()
            if isinstance(piece, Said):
                return piece
            self.packets.append(piece)

    def packet(self) -> tuple[int, bytes]:
        """The next packet."""
        while not self.packets:
            piece = self._next()
            assert not isinstance(piece, Said), piece
            self.packets.append(piece)
        return self.packets.pop(0)

    def until_closed(self) -> bytes:
        """Everything up to the end of the connection."""
        rest = self.buffer
        try:
            while more := self.line.recv(65536):
                rest += more
        except ConnectionError:
            pass
        return rest

    def _next(self) -> Said | tuple[int, bytes]:
        self._need(4)
        if self.buffer[:1] == b"$":
            length = 4 + int.from_bytes(self.buffer[2:4], "big")
            self._need(length)
            made, self.buffer = (self.buffer[1], self.buffer[4:length]), self.buffer[length:]
            return made
        while b"\r\n\r\n" not in self.buffer:
            self._need(len(self.buffer) + 1)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int({name.lower(): value for name, value in headers}.get("content-length", 0))
        self._need(length)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Said(int(first.split()[1]), headers, body)

    def _need(self, count: int) -> None:
        while len(self.buffer) < count:
            more = self.line.recv(65536)
            if not more:
                raise ConnectionError("the node has hung up")
            self.buffer += more

    def close(self) -> None:
        self.line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
