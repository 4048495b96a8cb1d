"""Signing every GOP, as a share of the encoder's work and of the stream's bytes (1080p25, 2 Mbit/s, key every two seconds)."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from rich.console import Console
from rich.table import Table

from agent.base.clock import NS
from agent.identity.node_key import IdentityDirectory
from agent.picture.access_unit import AccessUnit
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import MANUFACTURER, VendorInformation
from bench.film import film_1080p25

FPS = 25


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: pictures, kbps, gop (pictures), slices. Prints a table; returns the same figures."""
    pictures = int(str(options.get("pictures", 500)))
    kbps = int(str(options.get("kbps", 2000)))
    gop = int(str(options.get("gop", 50)))
    slices = int(str(options.get("slices", 1)))
    frames = list(itertools.islice(_decoded(film_1080p25()), min(pictures, 100)))
    codec = _encoder(kbps, gop, slices)

    began = time.process_time_ns()
    packets = []
    for number in range(pictures):
        frame = frames[number % len(frames)]
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += codec.encode(frame)
    packets += codec.encode(None)
    encode_ns = time.process_time_ns() - began

    units = [
        AccessUnit(
            bytes(packet), packet.is_keyframe, number * NS // FPS, number * NS // FPS, NS // FPS, number * NS // FPS, number
        )
        for number, packet in enumerate(packets)
    ]
    with tempfile.TemporaryDirectory() as directory:
        signer = MediaSigner(
            IdentityDirectory(Path(directory) / "identity").init("bench"), VendorInformation("0", "bench", MANUFACTURER)
        )
        began = time.process_time_ns()
        signed = [signer.process(unit) for unit in units]
        sign_ns = time.process_time_ns() - began

    plain_bytes = sum(len(unit.data) for unit in units)
    added_bytes = sum(len(unit.data) for unit in signed) - plain_bytes
    metrics: dict[str, object] = {
        "pictures": len(units),
        "mbit_s": round(plain_bytes * 8 * FPS / len(units) / 1e6, 3),
        "signatures": signer.signed,
        "added_bytes_ratio": round(added_bytes / plain_bytes, 5),
        "cpu_to_x264_ratio": round(sign_ns / encode_ns, 5),
        "encode_ms_per_picture": round(encode_ns / len(units) / 1e6, 3),
        "sign_ms_per_picture": round(sign_ns / len(units) / 1e6, 4),
        "worst_allowed": {"added_bytes_ratio": 0.03, "cpu_to_x264_ratio": 0.02},
    }
    table = Table("figure", "value")
    for name, value in metrics.items():
        table.add_row(name, str(value))
    Console().print(table)
    return metrics


def _decoded(film: Path) -> Iterator[VideoFrame]:
    with av.open(str(film)) as source:
        for frame in source.decode(video=0):
            picture = frame.reformat(format="yuv420p")
            picture.pict_type = PictureType.NONE  # the encoder here decides on its own keyframes
            yield picture


def _encoder(kbps: int, gop: int, slices: int) -> VideoCodecContext:
    """As the node's encoder is set: superfast, capped, no B-frames, SPS and PPS at every keyframe."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = 1920, 1080, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS)
    codec.bit_rate = kbps * 1000
    codec.max_b_frames = 0
    x264 = f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1:vbv-maxrate={kbps}:vbv-bufsize={2 * kbps}:slices={slices}"
    codec.options = {"preset": "superfast", "x264-params": x264 + ":sliced-threads=0:rc-lookahead=0:mbtree=0:bframes=0"}
    codec.thread_type = "FRAME"  # sliced threads would decide on the slices themselves
    return codec
