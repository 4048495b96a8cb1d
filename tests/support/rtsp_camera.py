"""An IP camera in small: H.264 over RTSP on loopback, of a scene that a test moves while a clock is burnt into the picture.

It speaks what a viewer needs (RFC 2326, RFC 6184, interleaved on the one connection) to one viewer at a time.
"""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np

from agent.picture.planes import Planes

MTU = 1200
_KEYFRAME_EVERY = 20
_CLOCK_HZ = 90_000


class RtspCamera:
    """Films `draw(number)`; a context manager. `lose` is asked for every slice: True, and it never leaves."""

    def __init__(self, draw: Callable[[int], Planes], fps: int = 10) -> None:
        self._draw, self._fps = draw, fps
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="rtsp camera", daemon=True)
        self.lose: Callable[[bytes], bool] = lambda _: False
        self.sent = 0

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                viewer, _ = self._listener.accept()
            except OSError:
                return
            with viewer:
                viewer.settimeout(10)
                try:
                    if self._greet(viewer):
                        self._film(viewer)
                except OSError:
                    continue

    def _greet(self, viewer: socket.socket) -> bool:
        """Answer until the viewer says PLAY; False when it goes away first."""
        encoder = self._encoder()
        requests = viewer.makefile("rb")
        while request := requests.readline().split():
            headers = {}
            while line := requests.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            verb, answer, body = request[0].decode(), "", ""
            if verb == "OPTIONS":
                answer = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif verb == "DESCRIBE":
                sets = [base64.b64encode(nal).decode() for nal in units(encoder.extradata or b"") if nal[0] & 31 in (7, 8)]
                body = (
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=street\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                    f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={','.join(sets)}\r\na=control:track\r\n"
                )
                answer = f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif verb == "SETUP":
                answer = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif verb == "PLAY":
                answer = "Session: 1\r\nRange: npt=0-\r\n"
            viewer.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq', 0)}\r\n{answer}\r\n{body}".encode())
            if verb == "PLAY":
                return True
        return False

    def _film(self, viewer: socket.socket) -> None:
        encoder, sequence, began_s, first = self._encoder(), 0, time.monotonic(), self.sent
        while not self._over.wait(max(0.0, began_s + (self.sent - first) / self._fps - time.monotonic())):
            planes = self._draw(self.sent)
            picture = av.VideoFrame.from_ndarray(
                np.concatenate([plane.reshape(-1) for plane in (planes.y, planes.u, planes.v)]).reshape(-1, planes.width),
                format="yuv420p",
            )
            picture.pts = self.sent - first
            stamp = (self.sent - first) * _CLOCK_HZ // self._fps
            for packet in encoder.encode(picture):
                nals = [nal for nal in units(bytes(packet)) if nal[0] & 31 not in (1, 5) or not self.lose(nal)]
                for number, nal in enumerate(nals):
                    for payload, last in payloads(nal):
                        marker = 0x80 if last and number == len(nals) - 1 else 0
                        rtp = struct.pack(">BBHII", 0x80, 96 | marker, sequence & 0xFFFF, stamp & 0xFFFFFFFF, 1) + payload
                        viewer.sendall(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
                        sequence += 1
            self.sent += 1

    def _encoder(self) -> av.VideoCodecContext:
        planes = self._draw(self.sent)
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = planes.width, planes.height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, self._fps), Fraction(self._fps)
        encoder.flags |= 1 << 22  # the parameter sets go into the description
        parameters = f"keyint={_KEYFRAME_EVERY}:scenecut=0:bframes=0:slices=4:repeat-headers=1"
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "22", "x264-params": parameters}
        encoder.open()
        return encoder


def units(annex_b: bytes) -> Iterator[bytes]:
    """The NAL units, without start codes."""
    for unit in annex_b.split(b"\0\0\1")[1:]:
        if nal := unit.rstrip(b"\0"):
            yield nal


def payloads(nal: bytes) -> Iterator[tuple[bytes, bool]]:
    """The unit as RTP payloads, and whether each is its last: whole, or in fragments (FU-A)."""
    if len(nal) <= MTU:
        yield nal, True
        return
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    pieces = [nal[at : at + MTU] for at in range(1, len(nal), MTU)]
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        yield bytes([indicator, kind | (0x80 if number == 0 else 0) | (0x40 if last else 0)]) + piece, last
