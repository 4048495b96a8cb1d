"""An IP camera that misbehaves in every way the field knows: H.264 over RTSP on loopback, by plain asyncio.

It pauses, stalls, hangs up, sends keyframes rarely or never, in another size, on a clock of its own or with stamps that stand
still; it asks for a password by one digest or another, behind TLS or not, sends viewers elsewhere, sends garbage, or the same
picture for ever.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import re
import ssl
import struct
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np

from tests.support.rtsp_camera import payloads, units

USER = "anna"
_CLOCK_HZ = 90_000
_NONCE = "4f1c2a"
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass
class Habits:
    """What a camera does; by default nothing wrong. Whatever is looked at while it films may be changed by a test."""

    width: int = 320
    height: int = 240
    pixel_aspect: Fraction = Fraction(1)
    fps: int = 10
    gop: int = 10
    """Pictures from keyframe to keyframe."""
    joins_at: int = 0
    """Which picture of its GOP a new viewer gets first."""
    keyframes: bool = True
    described: bool = True
    """Whether the parameter sets stand in the description; else they come with keyframes alone."""
    interlaced: bool = False
    frozen: bool = False
    pace: float = 1.0
    """Its seconds for one of ours."""
    zero_stamps: bool = False
    stalls_after: int | None = None
    """Pictures of a viewer, then silence on an open line."""
    pauses: Mapping[int, float] = field(default_factory=dict)
    """Before which picture of a viewer it films nothing, and for how many seconds."""
    holdups: Mapping[int, float] = field(default_factory=dict)
    """Before which picture of a viewer the line stands, and for how many seconds; what was filmed meanwhile comes at once."""
    hangs_up_after: int | None = None
    """Pictures of a viewer, then the connection ends."""
    garbage: float = 0.0
    """Share of the pictures, keyframes apart, whose slices are noise."""
    redirect: str = ""
    challenges: Sequence[str] = ()
    """In the order it offers them: "MD5", "SHA-256", "Basic"; none, and it asks for nothing."""
    password: str = ""
    tls: ssl.SSLContext | None = None


@dataclass
class Heard:
    """What viewers sent."""

    verbs: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)


class MisbehavingCamera:
    """A context manager. `heard` is all that came in; `playing` counts the viewers that said PLAY."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.heard = Heard()
        self.url_scheme = "rtsps" if habits.tls else "rtsp"
        self.playing = 0
        self.sent = 0
        self.port = 0
        self._pictures = clip(habits)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="misbehaving camera", daemon=True)

    @property
    def url(self) -> str:
        who = f"{USER}@" if self.habits.challenges else ""
        return f"{self.url_scheme}://{who}localhost:{self.port}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # viewers that go in the middle of a word
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.habits.tls))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        film: asyncio.Task[None] | None = None
        try:
            while request := await _request(reader):
                verb, address, headers = request
                self.heard.verbs.append(verb)
                if "authorization" in headers:
                    self.heard.authorizations.append(headers["authorization"])
                status, answer, body = self._answer(verb, address, headers)
                head = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', 0)}\r\n{answer}"
                writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
                if verb == "PLAY" and status == "200 OK":
                    self.playing += 1
                    film = asyncio.create_task(self._film(writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            if film is not None:
                film.cancel()
            writer.close()

    def _answer(self, verb: str, address: str, headers: dict[str, str]) -> tuple[str, str, str]:
        """Status, further header lines, body."""
        habits = self.habits
        if verb == "OPTIONS":
            return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n", ""
        if habits.challenges and not self._known(verb, headers.get("authorization", "")):
            return "401 Unauthorized", "".join(f"WWW-Authenticate: {_challenge(each)}\r\n" for each in habits.challenges), ""
        if verb == "DESCRIBE" and habits.redirect:
            return "302 Moved Temporarily", f"Location: {habits.redirect}\r\n", ""
        if verb == "DESCRIBE":
            return "200 OK", f"Content-Base: {address}/\r\nContent-Type: application/sdp\r\n", self._description()
        if verb == "SETUP":
            if "TCP" not in headers.get("transport", ""):
                return "461 Unsupported Transport", "", ""
            return "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=10\r\n", ""
        return "200 OK", "Session: 1\r\n", ""

    def _description(self) -> str:
        sets = [b64encode(nal).decode() for nal in self._pictures[0] if nal[0] & 31 in (7, 8)]
        sprop = f";sprop-parameter-sets={','.join(sets)}" if self.habits.described else ""
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=misbehaving\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1{sprop}\r\na=control:track\r\n"
        )

    def _known(self, verb: str, authorization: str) -> bool:
        """Whether user and password are right, by one of the ways that were offered."""
        scheme, _, rest = authorization.partition(" ")
        if scheme == "Basic":
            return "Basic" in self.habits.challenges and rest == b64encode(f"{USER}:{self.habits.password}".encode()).decode()
        said = {name: plain or quoted for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', rest)}
        algorithm = said.get("algorithm", "MD5")
        if scheme != "Digest" or algorithm not in self.habits.challenges or said.get("nonce") != _NONCE:
            return False

        def digest(text: str) -> str:
            return _HASHES[algorithm](text.encode()).hexdigest()

        secret = digest(f"{USER}:cam:{self.habits.password}")
        between = f"{_NONCE}:{said['nc']}:{said['cnonce']}:auth" if said.get("qop") else _NONCE
        asked = digest(f"{verb}:{said['uri']}")
        return said.get("username") == USER and said.get("response") == digest(f"{secret}:{between}:{asked}")

    async def _film(self, writer: asyncio.StreamWriter) -> None:
        loop, habits, chance, sequence = asyncio.get_running_loop(), self.habits, random.Random(1), 0
        began_s, paused_s = loop.time(), 0.0
        for number in itertools.count():
            paused_s += habits.pauses.get(number, 0.0)
            at_s = number / habits.fps + paused_s
            await asyncio.sleep(began_s + at_s - loop.time())
            await asyncio.sleep(habits.holdups.get(number, 0.0))
            if writer.is_closing():
                return
            if number == habits.hangs_up_after:
                writer.close()
                return
            if habits.stalls_after is not None and number >= habits.stalls_after:
                continue
            at = 0 if habits.frozen else (number + habits.joins_at) % len(self._pictures)
            nals = self._pictures[at]
            if not habits.keyframes:
                nals = [nal for nal in nals if nal[0] & 31 == 1]
            elif at % habits.gop and chance.random() < habits.garbage:
                nals = [nal[:2] + chance.randbytes(len(nal)) for nal in nals]
            stamp = 0 if habits.zero_stamps else round(at_s * _CLOCK_HZ * habits.pace)
            for last_unit, nal in ((position == len(nals) - 1, nal) for position, nal in enumerate(nals)):
                for payload, last in payloads(nal):
                    head = struct.pack(">BBHII", 128, 96 | (last and last_unit) << 7, sequence & 0xFFFF, stamp & 0xFFFFFFFF, 1)
                    writer.write(struct.pack(">cBH", b"$", 0, len(head) + len(payload)) + head + payload)
                    sequence += 1
            await writer.drain()
            self.sent += 1


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
    """Verb, address and headers; what stands between requests (a viewer's own reports) is passed over."""
    while (first := await reader.read(1)) == b"$":
        await reader.readexactly(int.from_bytes((await reader.readexactly(3))[1:], "big"))
    if not first:
        return None
    verb, address, _ = (first + await reader.readline()).decode().split()
    headers = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    await reader.readexactly(int(headers.get("content-length", 0)))
    return verb, address, headers


def _challenge(kind: str) -> str:
    if kind == "Basic":
        return 'Basic realm="cam"'
    algorithm = f', algorithm={kind}, qop="auth"' if kind != "MD5" else ""
    return f'Digest realm="cam", nonce="{_NONCE}"{algorithm}'


def clip(habits: Habits) -> list[list[bytes]]:
    """The NAL units of each picture, two GOPs of them: noise over a square that wanders, so that no two are the same."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = habits.width, habits.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, habits.fps), Fraction(habits.fps)
    encoder.sample_aspect_ratio = habits.pixel_aspect
    parameters = f"keyint={habits.gop}:min-keyint={habits.gop}:scenecut=0:bframes=0:repeat-headers=1"
    parameters += ":interlaced=1" if habits.interlaced else ""
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", "x264-params": parameters}
    noise, found = np.random.default_rng(1), []
    for number in range(2 * habits.gop):
        planes = np.full((habits.height * 3 // 2, habits.width), 128, np.uint8)
        planes[: habits.height] = noise.integers(90, 130, (habits.height, habits.width), np.uint8)
        left = 8 * number % (habits.width - 64)
        planes[40:104, left : left + 64] = 220
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts = number
        found += [list(units(bytes(packet))) for packet in encoder.encode(picture)]
    return found + [list(units(bytes(packet))) for packet in encoder.encode(None)]
