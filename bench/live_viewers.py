"""Viewers in a process of their own, so that what they cost is not counted: `python -m bench.live_viewers HOW URL COUNT`.

`read` takes the packets of COUNT viewers until it is ended, five times a second: on loopback the sender pays for each time that a
receiver wakes, as no sender on a real line does. `decode` prints, for each frame of one viewer, the number drawn in it
and when it was decoded; it decodes a frame at the packet that says it is the last, as GStreamer does. `ffmpeg` does the same with
FFmpeg's demuxer, which waits for the next frame before it believes that one is whole; `bare` with units over a plain socket, each
behind its length. `first` opens COUNT times, one after the
other, and prints how long each waited for its first picture, login and all.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import unquote, urlsplit

import av
import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from agent.ports.live import Secret
from agent.signing import nal
from tests.support.rtp_units import Depacketiser
from tests.support.rtsp_caller import Caller

BITS = 16
BLOCK = 32
OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay", "analyzeduration": "0", "probesize": "32"}
"""What a player that wants no delay sets."""
_EVERY_S = 0.2
_RECEIVED_BYTES = 1024 * 1024
_APART_S = 1.3
"""More than the second in which a node makes one keyframe for all who ask."""


def main(how: str, url: str, count: str) -> None:
    """See above."""
    if how == "read":
        _read(url, int(count))
    elif how == "ffmpeg":
        with _opened(url) as line:
            for frame in line.decode(video=0):
                print(number_in(frame), time.monotonic_ns(), flush=True)
    elif how in ("decode", "bare"):
        for frame in _decoded(url) if how == "decode" else _bare(url):
            print(number_in(frame), time.monotonic_ns(), flush=True)
    else:
        for _ in range(int(count)):
            began = time.monotonic()
            frames = _decoded(url)
            next(frames)
            print(time.monotonic() - began, flush=True)
            frames.close()
            time.sleep(_APART_S)


def draw_number(luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], number: int) -> None:
    """As blocks of black and white along the top: no encoder at these rates takes one for the other."""
    for bit in range(BITS):
        luma[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16


def number_in(frame: VideoFrame) -> int:
    """What was drawn."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return sum(int(luma[BLOCK // 2, bit * BLOCK + BLOCK // 2] > 128) << bit for bit in range(BITS))


def _decoder() -> VideoCodecContext:
    """Without a wait."""
    decoder = VideoCodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = {"flags": "low_delay"}
    return decoder


def _bare(url: str) -> Iterator[VideoFrame]:
    """From the first keyframe on."""
    parts, decoder, begun = urlsplit(url), _decoder(), False
    with socket.create_connection((parts.hostname, parts.port)) as line, line.makefile("rb") as stream:
        while size := stream.read(4):
            unit = stream.read(int.from_bytes(size, "big"))
            begun = begun or any(nal.unit_type(each) == nal.IDR_SLICE for each in nal.units(unit))
            if begun:
                yield from decoder.decode(av.Packet(unit))


def _decoded(url: str) -> Generator[VideoFrame, None, None]:
    """Put together by RFC 6184 and decoded without a wait."""
    decoder = _decoder()
    with _caller(url) as line:
        line.ask("DESCRIBE")
        line.play()
        units = Depacketiser()
        while True:
            channel, packet = line.packet()
            if not channel and (unit := units.feed(packet)) is not None:
                yield from decoder.decode(av.Packet(unit))


@contextmanager
def _opened(url: str) -> Iterator[InputContainer]:
    with av.open(url, options=OPTIONS) as line:
        line.streams.video[0].codec_context.thread_count = 1
        yield line


def _read(url: str, count: int) -> None:
    lines = []
    with ExitStack() as stack:
        for _ in range(count):
            line = stack.enter_context(_caller(url))
            line.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVED_BYTES)
            assert line.play().status == 200
            line.line.setblocking(False)
            lines.append(line.line)
        while True:
            time.sleep(_EVERY_S)
            for each in lines:
                with suppress(BlockingIOError):
                    while True:
                        if not each.recv(_RECEIVED_BYTES):
                            return


def _caller(url: str) -> Caller:
    parts = urlsplit(url)
    return Caller(parts.port or 554, secret=Secret(unquote(parts.username or ""), unquote(parts.password or "")))


if __name__ == "__main__":
    main(*sys.argv[1:])
