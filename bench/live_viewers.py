"""Viewers in a process of their own, so that what they cost is not counted: `python -m bench.live_viewers HOW URL COUNT`.

`read` takes the packets of COUNT viewers until it is ended. `decode` prints, for each frame of one viewer, the number drawn in it
and when it was decoded; it decodes a frame at the packet that says it is the last, as GStreamer does. `ffmpeg` does the same with
FFmpeg's demuxer, which waits for the next frame before it believes that one is whole. `first` opens COUNT times, one after the
other, and prints how long each waited for its first picture, login and all.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from agent.ports.live import Secret
from tests.support.rtsp_caller import Caller

BITS = 16
BLOCK = 32
OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay", "analyzeduration": "0", "probesize": "32"}
"""What a player that wants no delay sets."""
_START = b"\0\0\0\1"
_FU_A = 28
_APART_S = 1.3
"""More than the second in which a node makes one keyframe for all who ask."""


def main(how: str, url: str, count: str) -> None:
    """See above."""
    if how == "read":
        watching = [threading.Thread(target=_read, args=(url,), daemon=True) for _ in range(int(count))]
        for each in watching:
            each.start()
        for each in watching:
            each.join()
    elif how == "ffmpeg":
        with _opened(url) as line:
            for frame in line.decode(video=0):
                print(number_in(frame), time.monotonic_ns(), flush=True)
    elif how == "decode":
        for frame in _decoded(url):
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


def _decoded(url: str) -> Generator[VideoFrame, None, None]:
    """Put together by RFC 6184 and decoded without a wait."""
    parts = urlsplit(url)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.options = {"flags": "low_delay"}
    secret = Secret(unquote(parts.username or ""), unquote(parts.password or ""))
    with Caller(parts.port or 554, secret=secret) as line:
        line.ask("DESCRIBE")
        line.play()
        unit = bytearray()
        while True:
            channel, packet = line.packet()
            if channel:
                continue
            if packet[12] & 0x1F != _FU_A:
                unit += _START + packet[12:]
            else:
                if packet[13] & 0x80:
                    unit += _START + bytes([packet[12] & 0xE0 | packet[13] & 0x1F])
                unit += packet[14:]
            if packet[1] & 0x80:
                yield from decoder.decode(av.Packet(bytes(unit)))
                unit.clear()


@contextmanager
def _opened(url: str) -> Iterator[InputContainer]:
    with av.open(url, options=OPTIONS) as line:
        line.streams.video[0].codec_context.thread_count = 1
        yield line


def _read(url: str) -> None:
    with _opened(url) as line:
        for _ in line.demux(video=0):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
