"""Forged films: whenever the verdict is authentic, FFmpeg shows exactly what was signed (`--films 20000 --seed 1`).

With `--chromium 50`, Chromium is asked instead, of as many authentic films.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from msgspec import Struct

from agent.base.errors import VigieError
from agent.evidence.extraction import verified_pictures
from agent.evidence.report import Verdict
from agent.evidence.verification import judge_film
from agent.identity.certificates import CertificateChain, read_chain
from agent.identity.node_key import IdentityDirectory
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.signing import nal
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed
from agent.signing.tlv import MANUFACTURER, VendorInformation
from bench.in_chromium import OTHER, run_forged
from bench.mutation import mutate, other_sets
from hardware.encoding import parameter_sets
from hardware.muxer_libav import LibavMuxer

_PICTURES = 12
_GOP = 4
_NS = 1_000_000_000
_BEGUN_NS = 1_781_000_000 * _NS


class Originals(Struct, frozen=True):
    """Signed films, whose key `ca` vouches for, and units of a forger's own pictures."""

    films: tuple[bytes, ...]
    ca: CertificateChain
    forged: tuple[bytes, ...]


def originals(directory: Path) -> Originals:
    """A film as the recorder writes it, the same in one piece by another muxer, and one with B-frames and slices."""
    identity = IdentityDirectory(directory / "identity")
    signer = identity.init("bench")
    films, forged = [], []
    for name, options in (("plain", {}), ("b", {"bf": "2", "slices": "2"})):
        media_signer = MediaSigner(signer, VendorInformation("0", "bench", MANUFACTURER))
        made = [media_signer.process(unit) for unit in _encode(directory / f"{name}.mp4", options)]
        closing = media_signer.finish()
        assert closing is not None
        made[-1] = closed(made[-1], closing)
        path = _write(made, directory / f"{name}-signed.mp4")
        films += [path.read_bytes(), _remuxed(path, directory / f"{name}-whole.mp4").read_bytes()]
    for unit in _encode(directory / "forged.mp4", {}, shift=90):
        units = list(nal.units(unit.data))
        forged += [each for each in units if nal.unit_type(each) in (nal.SLICE, nal.IDR_SLICE, nal.SPS, nal.PPS)]
        forged += [nal.START_CODE.join(units), *(each for sps in units if sps[0] & 31 == nal.SPS for each in other_sets(sps)[:8])]
    return Originals(tuple(films), read_chain(identity.ca_path), tuple(forged))


def shown(path: Path) -> list[str]:
    """What FFmpeg shows of a file: each picture's digest, with size, shape, turn and colours."""
    with av.open(str(path), metadata_errors="replace") as film:
        aspect = film.streams.video[0].sample_aspect_ratio
        return [_digest(frame, aspect) for frame in film.decode(video=0)]


def shown_of_units(pictures: Sequence[Sequence[bytes]]) -> list[str]:
    """What FFmpeg shows of these units alone, without any container."""
    decoder = av.CodecContext.create("h264", "r")
    found = []
    for picture in [*pictures, None]:
        data = None if picture is None else b"".join(nal.START_CODE + unit for unit in picture)
        frames = decoder.decode(None if data is None else av.Packet(data))
        found += [_digest(frame, decoder.sample_aspect_ratio) for frame in frames]
    return found


def _digest(frame: av.VideoFrame, aspect: object) -> str:
    made = hashlib.sha256(frame.to_ndarray().tobytes())
    made.update(repr((frame.width, frame.height, aspect or None, frame.rotation, int(frame.color_range))).encode())
    return made.hexdigest()[:16]


def judge(path: Path, ca: CertificateChain) -> tuple[str, str]:
    """The verdict in a word, and what speaks against it; `forged` when the verdict is authentic and something else is shown."""
    try:
        judged = judge_film(path, ca)
    except VigieError as error:
        return "refused", str(error)
    if judged.report.verdict is not Verdict.AUTHENTIC:
        return judged.report.verdict.value, judged.report.reason
    signed = shown_of_units(verified_pictures(path, judged.verified))
    try:
        seen = shown(path)
    except FFmpegError as error:
        return ("unplayable", str(error)) if not _some(path) else ("forged", f"FFmpeg stops: {error}")
    if seen != signed:
        return "forged", f"{len(seen)} pictures are shown, {len(signed)} are signed"
    return "authentic", ""


def _some(path: Path) -> list[str]:
    """As much as FFmpeg shows before it gives up."""
    found: list[str] = []
    try:
        with av.open(str(path), metadata_errors="replace") as film:
            found += [_digest(frame, None) for frame in film.decode(video=0)]
    except FFmpegError:
        pass
    return found


def forgeries(made: Originals, seed: int, count: int) -> Iterator[bytes]:
    """`count` films, the same for the same seed and originals."""
    luck = random.Random(seed)
    for number in range(count):
        yield mutate(made.films[number % len(made.films)], made.forged, luck)


def run(options: dict[str, object]) -> dict[str, object]:
    """Judge many; 1 in `failures` would be a film that lies and passes."""
    count, seed = int(str(options.get("films", 2000))), int(str(options.get("seed", 1)))
    watched = int(str(options.get("chromium", 0)))
    verdicts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        made = originals(Path(directory))
        if watched:
            changed = (content for content in forgeries(made, seed, count) if content not in made.films)
            shown = run_forged(changed, made.ca, Path(directory), watched)
            return {"seed": seed, "failures": shown["authentic"].get(OTHER, 0), **shown}
        path = Path(directory) / "forgery.mp4"
        for content in forgeries(made, seed, count):
            path.write_bytes(content)
            verdict, why = judge(path, made.ca)
            verdicts[verdict] += 1
            if verdict == "forged":
                kept = Path(tempfile.mkdtemp()) / "forgery.mp4"
                kept.write_bytes(content)
                print(f"{kept}: {why}")
    for verdict, number in verdicts.most_common():
        print(f"{number:7} {verdict}")
    return {"films": count, "seed": seed, "failures": verdicts["forged"], "verdicts": dict(verdicts)}


def _encode(path: Path, options: dict[str, str], *, shift: int = 0) -> list[AccessUnit]:
    """Moving stripes, as the encoder hands them over."""
    import numpy as np

    made: list[AccessUnit] = []
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 10), Fraction(10)
    fixed = {"g": str(_GOP), "bf": "0", "sc_threshold": "0", "crf": "34", "x264-params": "repeat-headers=1:open-gop=0:annexb=1"}
    encoder.options = {**fixed, **options}
    ramp = np.add.outer(np.arange(72) * 3, np.arange(64) * 2)
    frames = [((ramp + 17 * number + shift) % 251).astype(np.uint8) for number in range(_PICTURES)]
    packets = []
    for number, content in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(content, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    for number, packet in enumerate([*packets, *encoder.encode(None)]):
        at = (packet.pts or 0) * _NS // 10
        before = (packet.dts or 0) * _NS // 10
        made.append(AccessUnit(bytes(packet), packet.is_keyframe, at, before, _NS // 10, _BEGUN_NS + at, number, "mask"))
    assert path.parent.is_dir()
    return made


def _write(units: Sequence[AccessUnit], path: Path) -> Path:
    with path.open("wb") as file:

        def put(content: bytes) -> None:
            file.write(content)

        muxer = LibavMuxer(put, VideoFormat("h264", 64, 48, 10.0, parameter_sets(units[0].data)))
        for number, unit in enumerate(units, 1):
            muxer.write(unit)
            if number % _GOP == 0:
                muxer.end_fragment()
        muxer.close()
    return path


def _remuxed(path: Path, out: Path) -> Path:
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return out
