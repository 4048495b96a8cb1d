"""The RTSP driver against a real server: pictures, refusals, stalls, a server that dies and comes back."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import NS, SystemClock
from agent.base.errors import CameraError
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from hardware.camera_rtsp import RtspCamera
from hardware.live_input import STALL_S
from tests.support.parts import missing

pytestmark = pytest.mark.lane("rtsp")

SERVER = Path(__file__).parent / "rtsp" / "server.py"
PYTHON = "/usr/bin/python3"  # Debian's: GStreamer's bindings are packaged for it alone
SECRET = "s3cr-t pass@word"
DEADLINE_S = 30.0


class Server:
    """A GStreamer RTSP server in a process of its own."""

    def __init__(self, port: int = 0, user: str = "", password: str = "", lost: float = 0.0) -> None:
        wanted = [PYTHON, str(SERVER), str(port), *([user, password] if user else [])]
        environment = {**os.environ, **({"LOST": str(lost)} if lost else {})}
        self._process = subprocess.Popen(wanted, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            assert self._process.stderr is not None
            missing(
                "gst-rtsp-server", f"`make setup` installs tests/lanes/rtsp/packages.txt ({self._process.stderr.read()[-200:]})"
            )
        self.port = int(line)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts a server on (port, user, password, share of lost packets) that is gone when the test is."""
    servers: list[Server] = []

    def run(port: int = 0, user: str = "", password: str = "", lost: float = 0.0) -> Server:
        servers.append(Server(port, user, password, lost))
        return servers[-1]

    yield run
    for server in servers:
        server.kill()


def camera_at(port: int, path: str = "live", user: str = "", **more: Any) -> RtspCamera:
    """A camera at the test's server."""
    source = f"rtsp://{user + '@' if user else ''}127.0.0.1:{port}/{path}"
    return RtspCamera(CameraSettings(driver="rtsp", source=source, width=320, height=240, **more), SystemClock())


def pictures(camera: RtspCamera, count: int) -> list[Any]:
    """The times of the next `count` pictures, within a deadline."""
    times: list[Any] = []
    until = time.monotonic() + DEADLINE_S
    while len(times) < count:
        assert time.monotonic() < until, f"only {len(times)} of {count} pictures came"
        frame = camera.read(0.5)
        if frame is not None:
            times.append(frame.time)
            frame.release()
    return times


def first_picture(camera: RtspCamera) -> RawFrame:
    """The first picture, within a deadline."""
    until = time.monotonic() + DEADLINE_S
    while (frame := camera.read(0.5)) is None:
        assert time.monotonic() < until
    return frame


def failure(camera: RtspCamera) -> CameraError:
    """The CameraError the camera ends with, from open or from read."""
    until = time.monotonic() + DEADLINE_S
    with pytest.raises(CameraError) as caught:
        camera.open()
        while time.monotonic() < until:
            frame = camera.read(0.5)
            if frame is not None:
                frame.release()
    camera.close()
    return caught.value


def test_pictures_come_with_even_times(start: Callable[..., Server]) -> None:
    """Colour bars as they were sent, 25 a second by the camera's own clock, dated in this machine's time."""
    camera = camera_at(start().port)
    camera.open()
    frame = first_picture(camera)
    assert (frame.planes.width, frame.planes.height, frame.planes.u.shape) == (320, 240, (120, 160))
    assert frame.planes.y[60, 20] > 150, "the leftmost bar is white"
    assert frame.planes.y[60, 300] < 60, "the rightmost bar is blue"
    frame.release()
    times = pictures(camera, 40)
    assert camera.metrics()["codec"] == "h264"
    camera.close()
    gaps = [b.monotonic_ns - a.monotonic_ns for a, b in pairwise(times) if b.index == a.index + 1]
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(NS / 25, rel=0.05)
    assert min(gaps) > 0
    assert abs(times[-1].wall_ns - time.time_ns()) < 5 * NS


def test_what_was_lost_on_the_line_is_marked_until_a_keyframe(start: Callable[..., Server]) -> None:
    """Every picture is all black or all white: one that shows both was made up by the decoder, and none such counts."""
    camera = camera_at(start(lost=0.03).port)
    camera.open()
    sound, patched, marked = 0, 0, 0
    until = time.monotonic() + DEADLINE_S
    while sound < 30 or patched < 10:
        assert time.monotonic() < until, (sound, patched, marked)
        frame = camera.read(0.5)
        if frame is None:
            continue
        both = int(frame.planes.y.max()) - int(frame.planes.y.min()) > 60
        assert frame.corrupt or not both, "a picture that no camera sent"
        sound += not frame.corrupt
        patched += both
        marked += frame.corrupt
        frame.release()
    camera.close()
    assert marked >= patched


def test_server_that_dies_and_returns_is_pulled_again(start: Callable[..., Server]) -> None:
    """Killed: a CameraError. Away: refused. Back on its port: pictures again, and the reconnection is counted."""
    server = start()
    camera = camera_at(server.port)
    camera.open()
    before = pictures(camera, 5)
    server.kill()
    with pytest.raises(CameraError):
        pictures(camera, 10_000)
    assert "nothing listens" in str(failure(camera))
    start(server.port)
    camera.open()
    after = pictures(camera, 5)
    camera.close()
    assert after[0].monotonic_ns > before[-1].monotonic_ns
    assert camera.metrics()["reconnects"] == 2


def test_frozen_server_is_noticed_and_close_returns(start: Callable[..., Server]) -> None:
    """The process stops but its sockets stay open: reads return in time, the stall is an error, close does not wait for it."""
    server = start()
    camera = camera_at(server.port)
    camera.open()
    pictures(camera, 5)
    server.freeze()
    began = time.monotonic()
    with pytest.raises(CameraError, match=r"silent|ended the stream"):
        pictures(camera, 10_000)
    noticed = time.monotonic() - began
    camera.close()
    closed = time.monotonic() - began - noticed
    # Bounds a user would notice, with room for a busy machine; the driver's own limit is STALL_S.
    assert noticed < STALL_S + 3
    assert closed < 3


def test_server_that_accepts_and_says_nothing_is_given_up(start: Callable[..., Server]) -> None:
    """Frozen before we call: the kernel accepts the connection, nobody answers, and `open` does not hang."""
    server = start()
    server.freeze()
    assert "does not answer" in str(failure(camera_at(server.port)))


def test_password_is_taken_from_its_file_and_never_shown(
    start: Callable[..., Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The right password opens the stream; a wrong one is refused in words; neither appears in a text, figure or log."""
    caplog.set_level(logging.DEBUG)
    port = start(0, "anna", SECRET).port
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(SECRET + "\n")
    wrong.write_text("not" + SECRET)
    camera = camera_at(port, user="anna", password_file=right)
    camera.open()
    pictures(camera, 3)
    metrics = str(camera.metrics())
    camera.close()
    refused = failure(camera_at(port, user="anna", password_file=wrong))
    unknown = failure(camera_at(port, path="none", user="anna", password_file=right))
    told = "".join([metrics, str(refused), refused.remedy, str(unknown), caplog.text])
    assert "user or password" in str(refused)
    assert "no stream of that path" in str(unknown)
    assert SECRET not in told
    assert "s3cr" not in told
    assert "anna" not in told


def test_nothing_is_left_behind_by_many_connections(start: Callable[..., Server]) -> None:
    """Opened and closed again and again: no descriptor stays open."""
    camera = camera_at(start().port)
    counts = []
    for _ in range(4):
        camera.open()
        pictures(camera, 2)
        camera.close()
        counts.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - the count alone matters
    assert counts[-1] <= counts[1]
