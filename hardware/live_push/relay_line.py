"""One connection to the relay: the stream announced, then packets one way. Every wait has an end.

The kernel holds back little, so that what is late is dropped here and not delivered late; a relay that acknowledges nothing for
five seconds is given up.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from agent.base.errors import CameraError, DeviceError
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.picture.access_unit import VideoFormat
from hardware.live_rtsp.outlet import unacknowledged
from hardware.live_rtsp.packets import Packets
from hardware.live_rtsp.request import TRACK
from hardware.live_rtsp.sdp import describe
from hardware.rtsp_framing import Framing, Message
from hardware.rtsp_login import Login

OPEN_S: Final = 3.0
"""Names, TCP, TLS and each answer: short, so that a line that comes back is found soon."""
STALL_S: Final = 5.0
SEND_BUFFER_BYTES: Final = 32 * 1024
_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_CONTROL: Final = struct.Struct(">BBH")


class RelayLine:
    """One thread; `cut` may come from any. DeviceError whenever the relay is not there, refuses, or is gone."""

    def __init__(self, url: str, encryption: Callable[[], ssl.SSLContext]) -> None:
        parts = urlsplit(url)
        self._encrypted = parts.scheme == "rtsps"
        self.shown = parts.hostname or ""
        self._place = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        clear = self._encrypted
        self._login = Login(self.shown, unquote(parts.username or ""), unquote(parts.password or ""), clear=clear)
        self._asked = 0
        self._session = ""
        self._framing = Framing()
        self._line = self._connect(parts.hostname or "", parts.port or _PORTS[parts.scheme])
        if self._encrypted:
            try:
                self._line = encryption().wrap_socket(self._line, server_hostname=parts.hostname)
            except (OSError, ValueError) as error:
                self._line.close()
                raise DeviceError(
                    say("the relay {relay} cannot prove who it is, or speaks no TLS: {error}", relay=self.shown, error=error),
                    remedy=say(
                        "Its certificate must bear the name in [live] push_url, and come from the town's CA or a public one"
                    ),
                ) from error

    def record(self, video: VideoFormat, session: int) -> None:
        """Announce the stream and begin to send it."""
        here = str(self._line.getsockname()[0])
        sdp = describe(video, here, session).replace(b"a=recvonly\r\n", b"")
        self._ask("ANNOUNCE", self._place, [("Content-Type", "application/sdp")], sdp)
        carried = ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record")
        said = self._ask("SETUP", f"{self._place.rstrip('/')}/{TRACK}", [carried])
        self._session = next(iter(said.all("session")), "").partition(";")[0].strip()
        self._ask("RECORD", self._place, [("Range", "npt=0.000-")])
        self._line.settimeout(STALL_S)

    def send(self, packets: Packets, number: int) -> None:
        self._write(packets.numbered(number, 0))

    def report(self, rtcp: bytes) -> None:
        self._write(_CONTROL.pack(0x24, 1, len(rtcp)) + rtcp)

    def keep_alive(self) -> None:
        """Some relays want to be asked something now and then; what they answer is all one."""
        self._write(self._request("GET_PARAMETER", self._place, []).encode())

    def waiting(self) -> int:
        """Bytes on their way."""
        return unacknowledged(self._line)

    def drain(self) -> None:
        """Take what the relay says, without a wait: reports and answers."""
        waits = select.poll()
        waits.register(self._line, select.POLLIN)
        while waits.poll(0) or (isinstance(self._line, ssl.SSLSocket) and self._line.pending()):
            try:
                if not self._line.recv(65_536):
                    raise DeviceError(say("the relay {relay} has hung up", relay=self.shown))
            except (ssl.SSLWantReadError, TimeoutError):
                return
            except OSError as error:
                raise self._gone(error) from error

    def say_goodbye(self) -> None:
        """The stream is over; nobody waits for the answer."""
        with contextlib.suppress(OSError):
            self._line.settimeout(0.5)
            self._line.sendall(self._request("TEARDOWN", self._place, []).encode())

    def cut(self) -> None:
        """End every wait on this line at once."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # not TLS's own, which would first forget that there is TLS

    def close(self) -> None:
        self._line.close()

    def _connect(self, host: str, port: int) -> socket.socket:
        try:
            line = socket.create_connection((host, port), OPEN_S)
        except OSError as error:
            raise DeviceError(
                say(
                    "the relay {relay}:{port} cannot be reached: {why}",
                    relay=self.shown,
                    port=port,
                    why=system_words(error.strerror or error),
                )
            ) from error
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(STALL_S * 1000))
        return line

    def _ask(self, verb: str, place: str, headers: list[tuple[str, str]], body: bytes = b"") -> Message:
        for _ in range(3):
            self._write(self._request(verb, place, headers, body).encode())
            said = self._answer()
            if said.status != 401:
                break
            try:
                self._login.hear(said.all("www-authenticate"))
            except CameraError as error:
                raise DeviceError(
                    say(
                        "the relay {relay} refuses this node's user or password, or asks in a way it does not speak",
                        relay=self.shown,
                    ),
                    remedy=say("Check user and password in [live] push_url"),
                ) from error
        if said.status != 200:
            raise DeviceError(
                say("the relay {relay} answers {verb} with {first!r}", relay=self.shown, verb=verb, first=said.first[:80])
            )
        return said

    def _request(self, verb: str, place: str, headers: list[tuple[str, str]], body: bytes = b"") -> Message:
        self._asked += 1
        known = [("CSeq", str(self._asked)), *([("Session", self._session)] if self._session else [])]
        login = self._login.answer(verb, place)
        proof = [("Authorization", login)] if login else []
        length = [("Content-Length", str(len(body)))] if body else []
        return Message(f"{verb} {place} RTSP/1.0", [*known, *proof, *headers, *length], body)

    def _answer(self) -> Message:
        try:
            while data := self._line.recv(65_536):
                for piece in self._framing.feed(data):
                    if isinstance(piece, Message):
                        return piece
        except (OSError, ValueError) as error:
            raise self._gone(error) from error
        raise DeviceError(say("the relay {relay} has hung up", relay=self.shown))

    def _write(self, data: bytes | bytearray) -> None:
        try:
            self._line.sendall(data)
        except OSError as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(say("the line to the relay {relay} broke: {error}", relay=self.shown, error=error))
