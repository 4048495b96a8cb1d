"""Films that real tools put into another container, and cut: authentic, or told as cut, and never called forged."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from tests.support.films import i420_of, run_ffmpeg
from tests.support.parts import program
from tests.support.recordings import Recordings
from tests.support.signed_film import encode, sign, write
from tests.support.signed_recordings import SignedRecordings

PICTURE = 64 * 48 * 3 // 2
# Each step makes the next file of the one before; the last is the film that is judged.
FFMPEG = {
    "mp4": ["film.mp4"],
    "faststart": ["-movflags +faststart film.mp4"],
    "fragmented": ["-movflags frag_keyframe+empty_moov film.mp4"],
    "dash": ["-movflags +dash film.mp4"],
    "mov": ["film.mov"],
    "mkv and back": ["film.mkv", "film.mp4"],
    "ts and back": ["film.ts", "film.mp4"],
    "described": ["-metadata title=evidence -metadata comment=417 film.mp4"],
    "from a keyframe on": ["-ss 0.5 film.mp4"],
}
# GStreamer's own element dates pictures that a transport stream leaves undated, such as the one that a late SEI seems to be.
GSTREAMER = {
    "mp4": ["qtdemux ! h264parse ! mp4mux", "film.mp4"],
    "faststart": ["qtdemux ! h264parse ! mp4mux faststart=true", "film.mp4"],
    "fragmented": ["qtdemux ! h264parse ! mp4mux fragment-duration=500", "film.mp4"],
    "mov": ["qtdemux ! h264parse ! qtmux", "film.mov"],
    "mkv and back": [
        "qtdemux ! h264parse ! matroskamux", "film.mkv", "matroskademux ! h264parse ! h264timestamper ! mp4mux", "film.mp4",
    ],
    "ts and back": [
        "qtdemux ! h264parse ! mpegtsmux", "film.ts", "tsdemux ! h264parse ! h264timestamper ! mp4mux", "film.mp4",
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=["segment", "B-frames", "export"])
def film(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, signer: NodeSigner, node_ca: CertificateChain
) -> Path:
    """As the recorder writes it, without and with pictures out of order, and an export, sealed."""
    directory = tmp_path_factory.mktemp("film")
    if request.param == "export":
        node = SignedRecordings(Recordings(directory / "state"), signer, node_ca, directory / "export.mp4")
        node.record(2)
        return node.export(0, 2).film
    b_frames = 2 if request.param == "B-frames" else 0
    plain = encode(directory / "plain.mp4", gop=5, pictures=20, size="64x48", b_frames=b_frames, crf=35)
    return write(sign(plain, signer), directory / "segment.mp4")


@pytest.mark.parametrize("how", FFMPEG)
def test_a_film_remuxed_by_ffmpeg_is_authentic(tmp_path: Path, film: Path, node_ca: CertificateChain, how: str) -> None:
    """Into every container that it may pass through, there and back; all of it is shown, unless it was cut."""
    made = film
    for number, step in enumerate(FFMPEG[how]):
        *options, name = step.split()
        run_ffmpeg("-i", str(made), "-c", "copy", *options, str(tmp_path / f"{number}-{name}"))
        made = tmp_path / f"{number}-{name}"
    report = verify(made, node_ca)
    assert report.verdict is Verdict.AUTHENTIC
    assert not [note for note in report.notes if "play for" in note]
    assert i420_of(film).endswith(i420_of(made))
    assert how.startswith("from") or len(i420_of(film)) == len(i420_of(made))


@pytest.mark.lane("rtsp")
@pytest.mark.parametrize("how", GSTREAMER)
def test_a_film_remuxed_by_gstreamer_is_authentic(tmp_path: Path, film: Path, node_ca: CertificateChain, how: str) -> None:
    """With the elements that `gst-launch-1.0` users take. Back from ts, GStreamer ends the film before its last picture, which
    is then said."""
    launch = program("gst-launch-1.0", "gstreamer1.0-tools")
    made = film
    for chain, name in zip(GSTREAMER[how][::2], GSTREAMER[how][1::2], strict=True):
        out = tmp_path / name
        words = f"filesrc location={made} ! {chain} ! filesink location={out}".split()
        done = subprocess.run([launch, "-q", *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        made = out
    report = verify(made, node_ca)
    assert (report.verdict, report.reason[:20]) == (Verdict.AUTHENTIC, "every picture is sig")
    shown, whole, last = i420_of(made), i420_of(film), PICTURE if any("behind the end" in note for note in report.notes) else 0
    assert shown == whole[: len(whole) - last]


CUTS: dict[str, Callable[[str, str], list[str]]] = {
    "ends in mid-GOP": lambda film, out: ["-i", film, "-t", "1.7", "-c", "copy", out],
    "begins in mid-GOP": lambda film, out: ["-ss", "0.25", "-i", film, "-c", "copy", out],
}


@pytest.mark.parametrize("how", CUTS)
def test_a_film_cut_by_ffmpeg_in_mid_gop_is_not_called_forged(
    tmp_path: Path, film: Path, node_ca: CertificateChain, how: str
) -> None:
    """It cannot be told here, and the reason says that it was cut: an edit list hides what lies between keyframe and cut."""
    run_ffmpeg(*CUTS[how](str(film), str(tmp_path / "cut.mp4")))
    report = verify(tmp_path / "cut.mp4", node_ca)
    assert (report.verdict, report.changed, report.oddities) == (Verdict.NOT_TOLD, 0, ())
    assert "the film was cut" in report.reason
