"""No order in which camera, signer and recorder take their steps loses a signature, or has an honest film accused."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from agent.evidence.film import Film
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.recording.fault import RecorderFault
from agent.recording.row import SegmentRow
from agent.signing import nal, sei
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed
from agent.stream.broadcast import Broadcast
from bench.fitful_camera import FitfulCamera, NoWait, pattern
from bench.small_film import film
from tests.support.recordings import Recordings
from tests.support.signed_film import VENDOR, write

PATTERNS = 500
PATTERN_S = 8
SHAPES = [(25, 1.0), (25, 2.0), (25, 0.4), (10, 5.0), (10, 1.0), (5, 2.0)]  # pictures a second, seconds between keyframes


def judge(rows: Sequence[SegmentRow], anchors: CertificateChain) -> list[str]:
    """What is wrong with segments; empty when every one is authentic to its last picture and brings its certificate."""
    wrong = []
    for row in rows:
        report = verify(row.path, anchors)
        if report.verdict is not Verdict.AUTHENTIC or report.pending or report.authentic != row.frames:
            wrong.append(f"{row.path.name}: {report.verdict}, {report.authentic} of {row.frames}: {report.reason}")
        with Film(row.path) as segment:
            units = list(segment.nal_units(next(iter(segment.samples()))))
        first = [unit for unit in takewhile(lambda unit: not nal.is_vcl(nal.unit_type(unit)), units) if sei.is_signing_sei(unit)]
        if row is rows[0] and [sei.is_certificate_sei(unit) for unit in first] == [True]:
            continue  # signing begins
        if [sei.is_certificate_sei(unit) for unit in first] != [False, True]:
            wrong.append(f"{row.path.name}: its first keyframe lacks the signature before it, or the certificate")
    return wrong


@pytest.mark.parametrize("lot", range(10))
def test_no_signature_is_lost_whatever_the_camera_does(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, lot: int
) -> None:
    """500 patterns of pauses, stalls, reconnections and keyframe intervals: every segment is authentic, nothing is pending."""
    node = Recordings(tmp_path, disk=NoWait())
    judged = 0
    for seed in range(lot * PATTERNS // 10, (lot + 1) * PATTERNS // 10):
        fps, keyframe_s = random.Random(seed).choice(SHAPES)
        camera = FitfulCamera(node, signer, seed)
        camera.play(film(6, fps, keyframe_s), fps, pattern(seed, fps, PATTERN_S))
        rows = node.rows()
        assert judge(rows[judged:], node_ca) == [], f"pattern {seed}"
        assert camera.recorder.metrics()["unclosed"] == 0
        assert len(rows) > judged
        judged = len(rows)
    assert node.faults == []


def test_a_disk_that_does_not_keep_up_costs_pictures_and_no_signature(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain
) -> None:
    """The signature over the last pictures that were taken comes with one that is refused, and is kept all the same."""
    node = Recordings(tmp_path, disk=NoWait())
    lost = judged = 0
    for seed in range(20):
        fps, keyframe_s = random.Random(seed).choice(SHAPES)
        camera = FitfulCamera(node, signer, seed, queue_units=fps)
        stuck = [(at_s, at_s + random.Random(seed).uniform(0.5, 5)) for at_s in (2.0, 9.0)]
        camera.play(film(6, fps, keyframe_s), fps, pattern(seed, fps, 15), stuck=stuck)
        lost += int(camera.recorder.metrics()["lost"])
        rows = node.rows()
        for row in rows[judged:]:
            report = verify(row.path, node_ca)
            assert (report.changed, report.pending, report.authentic) == (0, 0, row.frames), f"pattern {seed}: {report.reason}"
        assert camera.recorder.metrics()["unclosed"] == 0
        judged = len(rows)
    assert lost > 100
    assert RecorderFault.SIGNATURE not in {fault.kind for fault in node.faults}


class Kept:
    """A sink that puts each closing unit behind the picture before it, as the recorder does.

    `meanwhile` runs before a picture is kept.
    """

    def __init__(self) -> None:
        self.units: list[AccessUnit] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def offer(self, unit: AccessUnit) -> None:
        self.meanwhile()
        self.units.append(unit)

    def offer_closing(self, closing: AccessUnit) -> None:
        self.units[-1] = closed(self.units[-1], closing)


def test_a_closing_signature_stands_behind_what_it_speaks_for(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain
) -> None:
    """Asked for while a picture is signed and not yet handed out, it waits for that picture: the film is authentic."""
    kept = Kept()
    broadcast = Broadcast(MediaSigner(signer, VENDOR))
    broadcast.attach(kept)
    asking: list[threading.Thread] = []

    def ask() -> None:
        asking.append(threading.Thread(target=broadcast.close_open_gop))
        asking[-1].start()
        asking[-1].join(0.02)  # long enough for one that does not wait

    kept.meanwhile = ask
    units = film(6, 25, 1.0).units[:30]
    for unit in units:
        broadcast.publish(unit)
        asking[-1].join()
    report = verify(write(kept.units, tmp_path / "film.mp4"), node_ca)
    assert (report.verdict, report.authentic, report.pending) == (Verdict.AUTHENTIC, len(units), 0), report.reason


def test_the_patterns_would_find_a_lost_signature(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """A recorder that writes without asking loses signatures on most of them, and says so."""
    node = Recordings(tmp_path, disk=NoWait())
    judged = lost = 0
    for seed in range(20):
        fps, keyframe_s = random.Random(seed).choice(SHAPES)
        camera = FitfulCamera(node, signer, seed, asks=False)
        camera.play(film(6, fps, keyframe_s), fps, pattern(seed, fps, PATTERN_S))
        rows = node.rows()
        lost += bool(judge(rows[judged:], node_ca))
        judged = len(rows)
    assert lost > 5
    assert RecorderFault.SIGNATURE in {fault.kind for fault in node.faults}
