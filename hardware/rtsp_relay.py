"""Between FFmpeg and an IP camera: the login, and the proof of who the camera is, are ours; FFmpeg gets the packets alone.

FFmpeg sends the password to any `rtsps://` camera, speaks MD5 alone, and takes a digest it does not know for a wrong password.
So it calls a port of this process instead, by an address that nobody else can know, and never sees a password.
"""

from __future__ import annotations

import secrets
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from agent.base.errors import CameraError
from agent.base.phrase import say
from hardware.live_input import OPEN_TIMEOUT_S, STALL_S
from hardware.rtsp_framing import Framing, Message
from hardware.rtsp_login import Login
from hardware.rtsp_trust import RtspTrust, wrap

_MOST_REDIRECTS = 3
_CHUNK = 64 * 1024
_BUSY_S = 30.0
"""How long FFmpeg may leave what came lying."""
_PORTS = {"rtsp": 554, "rtsps": 322}


class Relay:
    """One connection, on a thread of its own that ends with it. `failure` says why there was none, or what ended it.

    `address` is the camera's, with user and password: they go to the host of that address, and to no other.
    """

    def __init__(self, address: str, trust: RtspTrust, shown_as: str) -> None:
        self._address, self._trust, self._shown_as = address, trust, shown_as
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._secret = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{secrets.token_urlsafe(24)}"
        self._place = _bare(address)
        self._login: Login | None = None
        self._asked: Message | None = None
        self._redirects = 0
        self.failure: CameraError | OSError | None = None

    def start(self) -> str:
        """Where FFmpeg finds it. Whoever calls there by another address is sent away."""
        threading.Thread(target=self._run, name="rtsp relay", daemon=True).start()
        return self._secret

    def _run(self) -> None:
        viewer = None
        try:
            viewer, first = self._accept()
            self._serve(viewer, first)
        except (CameraError, OSError) as error:
            self.failure = error
        except ValueError:
            self.failure = CameraError(
                say("camera {camera} does not speak RTSP", camera=self._shown_as), remedy=say("Check camera.source")
            )
        finally:
            if viewer is not None:  # not before it can be told why
                viewer.close()

    def _accept(self) -> tuple[socket.socket, bytes]:
        """The one caller that knows the address, and what it said first."""
        with self._listener:
            until = time.monotonic() + OPEN_TIMEOUT_S
            while (left := until - time.monotonic()) > 0:
                self._listener.settimeout(left)
                caller, _ = self._listener.accept()
                caller.settimeout(STALL_S)
                said = caller.recv(_CHUNK)
                if self._secret.encode() in said.split(b"\r\n", 1)[0]:
                    caller.settimeout(_BUSY_S)
                    return caller, said
                caller.close()
        raise TimeoutError

    def _serve(self, viewer: socket.socket, first: bytes) -> None:
        camera = self._connect()
        try:
            asked, answered = Framing(), Framing()
            self._from_viewer(asked.feed(first), camera)
            while True:
                ready = _ready(viewer, camera)
                if viewer in ready:
                    if not (said := viewer.recv(_CHUNK)):
                        return
                    self._from_viewer(asked.feed(said), camera)
                if camera in ready:
                    said = _all_of(camera)
                    for piece in answered.feed(said):
                        if isinstance(piece, bytes):
                            viewer.sendall(piece)
                        elif (moved := self._from_camera(piece, camera, viewer)) is not None:
                            camera.close()
                            camera, answered = moved, Framing()
                            break
                    if not said:
                        return
        finally:
            camera.close()

    def _from_viewer(self, pieces: Iterator[Message | bytes], camera: socket.socket) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                camera.sendall(piece)
            else:
                self._asked = piece
                self._ask(camera)

    def _ask(self, camera: socket.socket) -> None:
        """Send what FFmpeg asked for last, at the camera's own address and with its login."""
        assert self._asked is not None
        verb, address, version = self._asked.first.split(" ", 2)
        address = self._place + address.removeprefix(self._secret) if address.startswith(self._secret) else address
        login = self._login.answer(verb, address) if self._login is not None else ""
        headers = [*self._asked.headers, *([("Authorization", login)] if login else [])]
        camera.sendall(Message(f"{verb} {address} {version}", headers, self._asked.body).encode())

    def _from_camera(self, message: Message, camera: socket.socket, viewer: socket.socket) -> socket.socket | None:
        """Hand an answer on, or answer it: a demand for the password, or another place, whose connection is returned."""
        if message.status == 401 and self._asked is not None:
            if self._login is None:
                parts = urlsplit(self._address)
                user, password = unquote(parts.username or ""), unquote(parts.password or "")
                self._login = Login(self._shown_as, user, password, clear=isinstance(camera, ssl.SSLSocket))
            self._login.hear(message.all("www-authenticate"))
            self._ask(camera)
            return None
        if 300 <= message.status < 400 and (to := next(iter(message.all("location")), "")):
            return self._follow(to)
        viewer.sendall(message.encode())
        return None

    def _follow(self, to: str) -> socket.socket:
        """To another place on the same camera; the password goes to no other host and leaves no encrypted line."""
        self._redirects += 1
        if self._redirects > _MOST_REDIRECTS or not _may_follow(self._place, to):
            raise CameraError(
                say(
                    "camera {camera} sends this node on to another place, where its password does not go",
                    camera=self._shown_as,
                ),
                remedy=say("Write the address that serves the stream in camera.source"),
            )
        self._place, self._login = _bare(urljoin(self._place, to)), None
        camera = self._connect()
        self._ask(camera)
        return camera

    def _connect(self) -> socket.socket:
        parts = urlsplit(self._place)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        camera = socket.create_connection((host, port), STALL_S)
        if parts.scheme != "rtsps":
            return camera
        try:
            return wrap(camera, host, self._trust, self._shown_as)
        except BaseException:
            camera.close()
            raise


def _may_follow(place: str, to: str) -> bool:
    """Another address of the same host, encrypted where this one is."""
    try:
        before, after = urlsplit(place), urlsplit(urljoin(place, to))
        weaker = before.scheme == "rtsps" and after.scheme != "rtsps"
        return after.scheme in _PORTS and before.hostname == after.hostname and not weaker and (after.port or 1) > 0
    except ValueError:  # `rtsp://[`, a port of six digits
        return False


def _ready(*lines: socket.socket) -> list[socket.socket]:
    """Those with something to read, as soon as there is one; `poll`, since `select` ends at 1,024 descriptors."""
    waiting = select.poll()
    for line in lines:
        waiting.register(line, select.POLLIN)
    said = {number for number, _ in waiting.poll()}
    return [line for line in lines if line.fileno() in said]


def _bare(address: str) -> str:
    """The address without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _all_of(camera: socket.socket) -> bytes:
    """What has come, with all that TLS has decrypted already: no `select` tells of that."""
    said = camera.recv(_CHUNK)
    while isinstance(camera, ssl.SSLSocket) and camera.pending():
        said += camera.recv(_CHUNK)
    return said
