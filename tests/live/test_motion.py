"""Motion, as a recorder of a node's live pictures: it writes down what was signed, and the end of the lease is the end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.ports.live import Secret, Transport
from agent.signing import nal
from tests.live.conftest import LiveNode
from tests.support.deadline import until
from tests.support.live_clients import evidence_units, kept_units
from tests.support.parts import program

pytestmark = pytest.mark.lane("rtsp")
FRAMES = 75
CONFIGURATION = """
daemon off
setup_mode off
log_level 6
webcontrol_port 0
stream_port 0
target_dir {directory}
netcam_url rtsp://127.0.0.1:{port}/live
netcam_userpass {user}:{password}
netcam_params rtsp_transport=tcp
width 320
height 240
framerate 25
emulate_motion on
picture_output off
movie_output on
movie_passthrough on
movie_codec mp4
movie_filename kept-%v
movie_max_time 0
"""
"""As docs/live.md tells its users, and a film of whatever comes, passed through as it is."""


@contextmanager
def motion(directory: Path, port: int, secret: Secret) -> Iterator[subprocess.Popen[bytes]]:
    """It runs; it is told to end, and then it closes its film."""
    configuration, log = directory / "motion.conf", directory / "motion.log"
    text = CONFIGURATION.format(directory=directory, port=port, user=secret.lease, password=secret.password)
    configuration.write_text(text, encoding="utf-8")
    with log.open("wb") as said:
        process = subprocess.Popen([program("motion", "motion"), "-c", configuration, "-n"], stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_motion_records_what_was_signed_and_is_refused_after_the_end(node: LiveNode, tmp_path: Path) -> None:
    """Slices and signatures bit by bit in its film; kicked, it asks again and again, and gets nothing more."""
    secret = node.gate.open("a-password_of-url-safe-letters")
    with motion(tmp_path, node.server.ports["rtsp"], secret) as process:
        until(lambda: list(tmp_path.glob("kept*")) or process.poll() is not None, "it records")
        assert process.poll() is None, (tmp_path / "motion.log").read_text(errors="replace")
        begun = len(node.feed.sent)
        until(lambda: len(node.feed.sent) > begun + FRAMES, "it records for a while")
        node.gate.end(secret.lease)
        until(lambda: not node.gate.looks, "it is out")
        until(lambda: len(node.gate.refusals) >= 2, "it asks again, twice")
    begun_looks = [entry.transport for entry in node.gate.register if not entry.why]
    assert set(begun_looks) == {Transport.RTSP_TCP}
    assert len(node.gate.ends) == len(begun_looks)
    assert node.gate.ends[-1] == "closed by a supervisor"
    sent = [unit for each in node.feed.sent for unit in evidence_units(each.data)]
    films = [kept_units(film) for film in sorted(tmp_path.glob("kept*.mp4"))]
    assert max(map(len, films)) > FRAMES // 2
    for got in films:
        assert any(got == sent[at : at + len(got)] for at, unit in enumerate(sent) if unit == got[0])
        assert nal.unit_type(next(unit for unit in got if nal.is_vcl(nal.unit_type(unit)))) == nal.IDR_SLICE
