"""Exporting ten minutes of signed 1080p, sealed, checked and entered, beside ffmpeg copying the same segments into one MP4."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from agent.base.clock import NS, ClockQuality, SystemClock
from agent.evidence.conformity_sheet import ConformitySheet
from agent.evidence.export import Export
from agent.evidence.export_boxes import ExportedCamera, Provenance
from agent.evidence.exported import ExcerptRequest
from agent.evidence.verification import verify
from agent.identity.certificates import read_chain
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.journal.register import Register
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.recording.catalog import Catalog
from agent.recording.row import Extent, NewSegment
from agent.recording.segment import segment_path
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed, closing_unit
from agent.signing.tlv import MANUFACTURER, VendorInformation
from bench.film import film_1080p25
from hardware.encoding import parameter_sets
from hardware.muxer_libav import LibavMuxer

FPS = 25
SEGMENT_S = 60
FRAGMENT_PICTURES = 20
BEGUN_NS = 1_795_600_000 * NS


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: minutes, kbps. Prints a table; returns the same figures."""
    minutes = int(str(options.get("minutes", 10)))
    kbps = int(str(options.get("kbps", 2000)))
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        identity = IdentityDirectory(state / "identity")
        signer = identity.init("bench")
        catalog = Catalog(state / "catalog.sqlite3", state / "recordings")
        film_bytes = record(catalog, signer, minutes, kbps)
        clock = SystemClock()
        out = state / "export.mp4"
        source = ExportedCamera("bench")
        request = ExcerptRequest(BEGUN_NS, BEGUN_NS + minutes * 60 * NS, "bench", "bench")
        anchors = read_chain(identity.ca_path)
        began, busy = time.perf_counter(), time.process_time()
        exported = Export(
            catalog,
            Register(state / "register.jsonl", clock, signer),
            clock,
            provenance=lambda r, at: Provenance(source, source, at, r.operator),
            sheet=ConformitySheet(ZoneInfo("Europe/Paris")),
            signer=signer,
            anchors=anchors,
        ).write(request, out)
        export_s, export_busy_s = time.perf_counter() - began, time.process_time() - busy
        assert exported.report is not None
        began, busy = time.perf_counter(), time.process_time()
        verify(out, anchors)
        verify_s, verify_busy_s = time.perf_counter() - began, time.process_time() - busy
        ffmpeg_s = _ffmpeg(sorted((state / "recordings").rglob("*.mp4")), state)
        catalog.close()
    metrics: dict[str, object] = {
        "minutes": minutes,
        "megabytes": round(film_bytes / 1e6, 1),
        "pictures": exported.contents.pictures,
        "verdict": exported.report.verdict.value,
        "export_s": round(export_s, 3),
        "export_cpu_s": round(export_busy_s, 3),
        "of_which_verification_s": round(verify_s, 3),
        "of_which_verification_cpu_s": round(verify_busy_s, 3),
        "ffmpeg_concat_copy_s": round(ffmpeg_s, 3),
        "ratio_to_ffmpeg": round(export_s / ffmpeg_s, 2),
        "worst_allowed_s": 3.0,
        "worst_allowed_of_verification_s": 2.0,
    }
    table = Table("figure", "value")
    for name, value in metrics.items():
        table.add_row(name, str(value))
    Console().print(table)
    return metrics


def record(catalog: Catalog, signer: NodeSigner, minutes: int, kbps: int) -> int:
    """Signed segments of a minute each, as the recorder leaves them; their bytes."""
    units = list(_encoded(kbps))
    media_signer = MediaSigner(signer, VendorInformation("0", "bench", MANUFACTURER))
    video = VideoFormat("h264", 1920, 1080, FPS, parameter_sets(units[0].data))
    total, period_ns = 0, NS // FPS
    stream = _signed(media_signer, units, minutes * 60 * FPS, period_ns)
    following: AccessUnit | None = next(stream)
    for _ in range(minutes):
        segment: list[AccessUnit] = []
        while following is not None and len(segment) < SEGMENT_S * FPS:
            segment.append(following)
            following = next(stream, None)
        closing = closing_unit(segment[-1], following) if following is not None else media_signer.finish()
        if closing is not None:
            segment[-1] = closed(segment[-1], closing)
        total += _write(catalog, segment, video)
    return total


def _write(catalog: Catalog, segment: list[AccessUnit], video: VideoFormat) -> int:
    first, last = segment[0], segment[-1]
    path = segment_path(catalog.root, first.wall_ns)
    row = catalog.begin(NewSegment(path, "bench", first.pts_ns, first.wall_ns, ClockQuality.SYNCHRONISED, first.wall_ns))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:

        def sink(boxes: bytes) -> None:
            file.write(boxes)

        muxer = LibavMuxer(sink, video)
        for number, unit in enumerate(segment, 1):
            muxer.write(unit)
            if number % FRAGMENT_PICTURES == 0:
                muxer.end_fragment()
        size = muxer.close()
    catalog.finish(row, Extent(last.pts_ns + last.duration_ns, size, len(segment)), "")
    return size


def _signed(signer: MediaSigner, units: list[AccessUnit], count: int, period_ns: int) -> Iterator[AccessUnit]:
    for number in range(count):
        at_ns = number * period_ns
        unit = replace(units[number % len(units)], pts_ns=at_ns, dts_ns=at_ns, wall_ns=BEGUN_NS + at_ns, index=number)
        yield signer.process(unit)


def _encoded(kbps: int) -> Iterator[AccessUnit]:
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = 1920, 1080, "yuv420p"
    codec.time_base, codec.framerate, codec.bit_rate = Fraction(1, FPS), Fraction(FPS), kbps * 1000
    keys = "keyint=50:min-keyint=50:scenecut=0:repeat-headers=1:bframes=0"
    codec.options = {"preset": "superfast", "x264-params": f"{keys}:vbv-maxrate={kbps}:vbv-bufsize={2 * kbps}"}
    with av.open(str(film_1080p25())) as film:
        packets = []
        for number, frame in enumerate(film.decode(video=0)):
            picture = frame.reformat(format="yuv420p")
            picture.pict_type, picture.pts, picture.time_base = PictureType.NONE, number, Fraction(1, FPS)
            packets += codec.encode(picture)
        packets += codec.encode(None)
    packets = packets[: len(packets) // 50 * 50]
    for number, packet in enumerate(packets):
        yield AccessUnit(bytes(packet), packet.is_keyframe, 0, 0, NS // FPS, 0, number)


def _ffmpeg(segments: list[Path], directory: Path) -> float:
    names = directory / "segments.txt"
    names.write_text("".join(f"file '{path}'\n" for path in segments))
    began = time.perf_counter()
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "concat", "-safe", "0", "-i", str(names), "-c", "copy", str(directory / "copy.mp4")],
        check=True,
    )
    return time.perf_counter() - began
