"""A USB camera, or any other device the kernel offers as /dev/video."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path

import av
import av.container
import av.error

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from hardware.live_input import LiveInput
from hardware.live_stream import NoKeyframe, Source, Undecodable
from hardware.stream_clock import StreamClock

DEFAULT_DEVICE = "/dev/video0"
OPEN_WAIT_S = 3.0
LARGE_PX = 640 * 480
"""Above this, raw YUYV does not fit through USB 2 at full rate: cameras offer it at a few frames a second only."""
KERNEL_STAMP_NS = 2 * NS
"""A timestamp at most this much older than its arrival is the kernel's own, on CLOCK_MONOTONIC, and is taken as it is."""


class V4l2Camera:
    """Captures through FFmpeg's v4l2 input; YUYV, MJPEG and H.264 sources are converted. One thread, save `metrics`.

    The device is asked for the configured size and rate in the formats of `asked_for`, the cheapest suitable first.
    It is read on a thread of its own: a driver that hangs in the kernel delays neither `read` nor `close`.
    """

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        self._settings = settings
        self._device = Path(settings.source or DEFAULT_DEVICE)
        self._input = LiveInput("v4l2", str(self._device), settings, clock)

    def open(self) -> None:
        """Start the device. Raises CameraError at once when it is missing, busy, forbidden or no camera."""
        self._input.close()
        if not self._device.exists():
            raise explain(self._device, FileNotFoundError(errno.ENOENT, ""))
        source = Source(
            lambda: connect(self._device, asked_for(self._settings)),
            lambda error: explain(self._device, error),
            CaptureClock().date,
        )
        self._input.open(source, OPEN_WAIT_S)

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame. Raises CameraError when the device was unplugged, fails or falls silent."""
        return self._input.read(timeout_s)

    def close(self) -> None:
        self._input.close()

    def metrics(self) -> Mapping[str, float | str]:
        """Health: device, codec (rawvideo, mjpeg, h264), how often it was opened anew, frames that were broken."""
        return {
            "device": str(self._device),
            "codec": self._input.codec,
            **self._input.delivered,
            "reopened": self._input.reopened,
            "packets": self._input.packets,
            "broken_packets": self._input.broken_packets,
        }


class CaptureClock:
    """Dates frames: the kernel's monotonic stamp where the driver gives it, else the arrival, smoothed."""

    def __init__(self) -> None:
        self._other = StreamClock()
        self._last_ns = 0

    def date(self, pts_ns: int | None, arrival_ns: int) -> int:
        """Monotonic nanoseconds; later than the frame before."""
        if pts_ns is not None and 0 <= arrival_ns - pts_ns < KERNEL_STAMP_NS:
            at_ns = pts_ns
        else:
            at_ns = self._other.date(pts_ns, arrival_ns)
        self._last_ns = max(at_ns, self._last_ns + 1)
        return self._last_ns


def asked_for(settings: CameraSettings) -> Iterator[dict[str, str]]:
    """FFmpeg's options to try in turn: each format with size and rate, at last whatever the device gives by itself."""
    raw, compressed = "yuyv422", "mjpeg"
    first = (compressed, raw) if settings.width * settings.height > LARGE_PX else (raw, compressed)
    wanted = {"video_size": f"{settings.width}x{settings.height}", "framerate": f"{settings.fps:g}"}
    for input_format in (*first, "h264"):
        yield {**wanted, "input_format": input_format}
    yield {}


def connect(device: Path, options: Iterator[dict[str, str]]) -> av.container.InputContainer:
    """Open with the first options the device accepts. What is wrong with the device itself is raised at once."""
    refusal: BaseException = LookupError()
    for attempt in options:
        try:
            return av.open(str(device), format="v4l2", options=attempt)
        except (av.error.FFmpegError, OSError) as error:
            if error.errno != errno.EINVAL:
                raise
            refusal = error
    raise refusal


def explain(device: Path, error: BaseException) -> CameraError:
    """What is wrong, by the kernel's error number, and what a technician can do."""
    number = error.errno if isinstance(error, OSError | av.error.FFmpegError) else None
    there = ", ".join(_devices()) or say("no /dev/video device at all; `lsusb` shows what is plugged in")
    look = say("Set [camera] source to one of these: {there}", there=there)
    match number:
        case errno.ENOENT:
            return CameraError(say("camera {device} is not there", device=device), remedy=look)
        case errno.EACCES | errno.EPERM:
            return CameraError(
                say("camera {device} may not be opened", device=device),
                remedy=say("Put the service's user into the group video: `sudo usermod -aG video vigie`"),
            )
        case errno.EBUSY:
            return CameraError(
                say("camera {device} is in use by another program", device=device),
                remedy=say("`sudo fuser -v {device}` finds it", device=device),
            )
        case errno.ENOTTY | errno.EISDIR:
            return CameraError(say("{device} is no camera", device=device), remedy=look)
        case errno.EINVAL:
            return CameraError(
                say("camera {device} offers no picture this node can use", device=device),
                remedy=say("`v4l2-ctl -d {device} --list-formats-ext` shows what it has", device=device),
            )
        case errno.ENODEV | errno.EIO | errno.EPIPE:
            return CameraError(
                say("camera {device} was unplugged or has failed", device=device),
                remedy=say("Check its cable and its power supply, then `vigie doctor`"),
            )
    if isinstance(error, NoKeyframe | Undecodable):
        return CameraError(
            say("camera {device} sends what no picture can be made of", device=device),
            remedy=say("Set it to MJPEG, or its I-frame interval to 2 s, then `vigie doctor`"),
        )
    if isinstance(error, TimeoutError):
        return CameraError(
            say("camera {device} delivers no pictures", device=device),
            remedy=say("Unplug it and plug it in again; check its power supply, then `vigie doctor`"),
        )
    if isinstance(error, EOFError):
        return CameraError(
            say("camera {device} ended its stream", device=device),
            remedy=say("Check its cable and its power supply, then `vigie doctor`"),
        )
    return CameraError(
        say("camera {device} failed", device=device),
        remedy=say("`sudo dmesg | tail -n 20` and `v4l2-ctl -d {device} --all` say more", device=device),
    )


def _devices() -> list[str]:
    return sorted(str(p) for p in Path("/dev").glob("video*"))
