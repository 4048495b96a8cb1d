"""The V4L2 driver up to the device's door; what is behind it stands on the hardware checklist."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import CameraError
from agent.config.model import CameraSettings
from hardware.camera_v4l2 import CaptureClock, V4l2Camera, asked_for, connect, explain
from tests.support.turned_clock import TurnedClock


def settings_of(**more: Any) -> CameraSettings:
    """A configured V4L2 camera."""
    return CameraSettings(driver="v4l2", **more)


def test_large_pictures_are_asked_for_compressed_and_small_ones_raw() -> None:
    """USB 2 carries 1080p at full rate only as MJPEG; a small picture costs less raw. The device's own choice comes last."""
    large, small = (list(asked_for(settings_of(width=w, height=h, fps=25))) for w, h in ((1920, 1080), (640, 480)))
    assert large[0] == {"video_size": "1920x1080", "framerate": "25", "input_format": "mjpeg"}
    assert [a.get("input_format") for a in large] == ["mjpeg", "yuyv422", "h264", None]
    assert [a.get("input_format") for a in small] == ["yuyv422", "mjpeg", "h264", None]


def test_next_format_is_tried_when_the_device_refuses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """EINVAL is a matter of format; anything else is a matter of the device and is told at once."""
    tried: list[str | None] = []

    def refusing(number: int) -> Any:
        def opener(_device: str, *, format: str, options: dict[str, str]) -> Any:
            assert format == "v4l2"
            tried.append(options.get("input_format"))
            raise av.error.FFmpegError(number, "refused")

        return opener

    monkeypatch.setattr(av, "open", refusing(errno.EINVAL))
    with pytest.raises(av.error.FFmpegError):
        connect(Path("/dev/video0"), asked_for(settings_of()))
    assert tried == ["mjpeg", "yuyv422", "h264", None]
    tried.clear()
    monkeypatch.setattr(av, "open", refusing(errno.EBUSY))
    with pytest.raises(av.error.FFmpegError):
        connect(Path("/dev/video0"), asked_for(settings_of()))
    assert tried == ["mjpeg"]


def test_missing_device_is_named_with_what_is_there() -> None:
    """Really opened: no such device."""
    with pytest.raises(CameraError, match="/dev/video97 is not there") as caught:
        V4l2Camera(settings_of(source="/dev/video97"), TurnedClock()).open()
    assert "one of these" in caught.value.remedy


@pytest.mark.parametrize("path", ["/dev/null", "/tmp"])
def test_what_is_no_camera_is_said_to_be_none(path: str) -> None:
    """Really opened through FFmpeg: the kernel refuses the camera's ioctl."""
    camera = V4l2Camera(settings_of(source=path), TurnedClock())
    with pytest.raises(CameraError, match="is no camera"):
        camera.open()
        camera.read(5)
    camera.close()
    camera.close()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "group video"),
        (errno.EBUSY, "fuser"),
        (errno.EINVAL, "list-formats"),
        (errno.ENODEV, "unplugged"),
        (errno.EMFILE, "dmesg"),
    ],
)
def test_each_failure_has_its_own_remedy(number: int, words: str) -> None:
    """By the kernel's number: what it is and what to do."""
    assert words in str(explain(Path("/dev/video0"), av.error.FFmpegError(number, "text")))


@given(
    delays=st.lists(st.integers(0, 150_000_000), min_size=1, max_size=60),
    start_ns=st.integers(10 * NS, 10**15),
    monotonic=st.booleans(),
)
def test_pictures_are_dated_by_the_kernel_where_it_can(delays: list[int], start_ns: int, monotonic: bool) -> None:
    """Kernel stamps pass unchanged; a driver that counts from zero or in wall time is dated by arrival. Always increasing."""
    clock, last_ns = CaptureClock(), 0
    for n, delay in enumerate(delays):
        taken_ns = start_ns + n * 200_000_000
        dated_ns = clock.date(taken_ns if monotonic else n * 200_000_000 - 10**18, taken_ns + delay)
        assert last_ns < dated_ns <= taken_ns + delay
        if monotonic:
            assert dated_ns == taken_ns
        last_ns = dated_ns
