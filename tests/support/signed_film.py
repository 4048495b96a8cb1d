"""Real H.264, signed as the node signs it, taken apart into its units and put together again as a forger would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from msgspec.structs import replace

from agent.base.clock import NS
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.ports.host import Signer
from agent.signing import nal
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed
from agent.signing.tlv import VendorInformation
from hardware.encoding import parameter_sets
from hardware.muxer_libav import LibavMuxer
from tests.support.films import make_film

VENDOR = VendorInformation("0.1.0", "cam-1", "Vigie test")
WALL_NS = 1_781_000_000 * NS


def encode(
    path: Path,
    *,
    gop: int,
    pictures: int = 40,
    b_frames: int = 0,
    slices: int = 1,
    size: str = "128x96",
    rate: int = 10,
    crf: int = 30,
) -> list[AccessUnit]:
    """A moving test picture by the ffmpeg program, as access units the way the encoder hands them over."""
    x264 = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0:slices={slices}:sliced-threads=0:open-gop=0"
    make_film(
        path, "-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p", "-x264-params", x264, size=size, pictures=pictures,
        rate=str(rate),
    )  # fmt: skip
    return units_of(path, rate)


def units_of(path: Path, rate: int = 10) -> list[AccessUnit]:
    """The access units of an MP4, as Annex B with SPS and PPS at every keyframe."""
    period_ns = NS // rate
    units: list[AccessUnit] = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in film.demux(stream):
            for filtered in annex_b.filter(packet if packet.size else None):
                assert filtered.pts is not None
                assert filtered.dts is not None
                assert filtered.time_base is not None
                pts, dts = (round(t * filtered.time_base * NS) for t in (filtered.pts, filtered.dts))
                units.append(
                    AccessUnit(bytes(filtered), filtered.is_keyframe, pts, dts, period_ns, WALL_NS + pts, len(units), "mask")
                )
    return units


def sign(units: Iterable[AccessUnit], signer: Signer, *, close: bool = True) -> list[AccessUnit]:
    """The units as they leave the node; `close` puts the closing signature behind the last."""
    media_signer = MediaSigner(signer, VENDOR)
    made = [media_signer.process(unit) for unit in units]
    closing = media_signer.finish()
    if close and closing is not None:
        made[-1] = closed(made[-1], closing)
    return made


def write(units: Sequence[AccessUnit], path: Path, *, per_fragment: int = 8) -> Path:
    """The film as the recorder would write it."""
    first = next(unit for unit in units if unit.keyframe)
    with path.open("wb") as file:

        def append(data: bytes) -> None:
            file.write(data)

        muxer = LibavMuxer(append, VideoFormat("h264", 128, 96, 10.0, parameter_sets(first.data)))
        for number, unit in enumerate(units, 1):
            muxer.write(unit)
            if number % per_fragment == 0:
                muxer.end_fragment()
        muxer.close()
    return path


def with_unit(unit: AccessUnit, change: Callable[[bytes], bytes], *, which: int = 0) -> AccessUnit:
    """The access unit with its `which`-th slice changed."""
    made, seen = [], 0
    for each in nal.units(unit.data):
        if nal.is_vcl(nal.unit_type(each)):
            each = change(each) if seen == which else each  # noqa: PLW2901
            seen += 1
        made.append(nal.START_CODE + each)
    return replace(unit, data=b"".join(made))


def without_signatures(unit: AccessUnit, *, certificates: bool = True) -> AccessUnit:
    """The access unit stripped of Media Signing, certificate units too unless told otherwise."""
    from agent.signing import sei

    kept = [
        each
        for each in nal.units(unit.data)
        if not sei.is_signing_sei(each) or (not certificates and sei.is_certificate_sei(each))
    ]
    return replace(unit, data=b"".join(nal.START_CODE + each for each in kept))


def retimed(units: Sequence[AccessUnit], rate: int = 10) -> list[AccessUnit]:
    """Units put into another order, with times a player accepts."""
    period = NS // rate
    return [replace(unit, pts_ns=at * period, dts_ns=at * period) for at, unit in enumerate(units)]
