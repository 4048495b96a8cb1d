"""A camera on the board's ribbon cable, through picamera2: requests pulled, planes lent out of the camera's own buffers."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import Any, Protocol

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError, DriverHangs
from agent.base.phrase import say
from agent.config.model import CameraSettings
from agent.picture.analysis_luma import analysis_size
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime
from hardware.driver_call import DriverCalls
from hardware.picamera2_buffers import BufferMaps, LoanBook, lend
from hardware.sensor_controls import LightFollower, missing_controls, start_controls

log = logging.getLogger(__name__)

BUFFERS = 6
MOST_LENT = 4
"""Pictures under way at once. The rest stay with the camera: one being exposed, one being read."""
OPEN_S = 10.0
CLOSE_S = 1.8
STALL_S = 2.5
"""Without a frame for so long the camera hangs or its cable is loose: flush, close, open again."""
BARREN_OPENINGS = 3
"""So many openings in a row without one frame, and only a new process helps."""
LAST_RESORT_S = 60
"""How long an orderly end of the process may take once the driver hangs: after that the kernel ends it."""
METRICS_EVERY_NS = NS

_METRICS = {
    "ExposureTime": "exposure_us",
    "AnalogueGain": "analogue_gain",
    "DigitalGain": "digital_gain",
    "Lux": "lux",
    "FocusFoM": "focus",
    "LensPosition": "lens_dioptres",
    "ColourTemperature": "colour_temperature_k",
    "SensorTemperature": "sensor_c",
}


class CameraOpener(Protocol):
    """Makes the Picamera2 object of a camera number; blocks, and may hang."""

    def __call__(self, number: int) -> Any: ...


def real_picamera2(number: int) -> Any:
    """The installed library. CameraError when it is not there or the board has no such camera."""
    try:
        from picamera2 import Picamera2
    except (ImportError, OSError) as error:
        raise CameraError(
            say("picamera2 cannot be loaded ({error})", error=error),
            remedy=say("Install it, on Raspberry Pi OS: `sudo apt install python3-picamera2`"),
        ) from None
    return found(Picamera2, number)


def found(library: Any, number: int) -> Any:
    """The camera of this number, if the board sees it: asked first, because a Picamera2 that fails to open leaks its pipe."""
    count = len(library.global_camera_info())
    if number >= count:
        raise CameraError(
            say("no camera number {number}: {count} found", number=number, count=count or say("none")),
            remedy=say("Power off, check both ends of the ribbon cable, then `rpicam-hello --list-cameras`"),
        )
    return library(number)


class PicameraCamera:
    """One thread calls everything but `metrics`, and the frames' `release`, which may come from any.

    Every wait is bounded: what may hang in the kernel runs on a thread that is abandoned after its time. Frames are
    masked in the camera's own buffer, before the encoder of encoder_picamera2 reads that buffer. Nothing is registered
    with picamera2 that would see an unmasked request: no callback, no encoder, no preview.
    """

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock,
        make: CameraOpener = real_picamera2,
        last_resort: Callable[[], object] = lambda: signal.alarm(LAST_RESORT_S),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._make = make
        self._last_resort = last_resort
        self._number = int(settings.source) if settings.source.isdecimal() else 0
        self.loans = LoanBook()
        self._maps = BufferMaps()
        self._picam2: Any = None
        self._job: Any = None
        self._calls = DriverCalls(undo=lambda picam2: _end(picam2, None))
        self._light = LightFollower(settings, ())
        self._metrics: dict[str, float | str] = {}
        self._measured_ns = 0
        self._openings = 0
        self._barren = 0
        self._silent_since_ns = 0
        self._first_sequence: int | None = None
        self._index = -1
        self._last_ns = 0

    def open(self) -> None:
        """Configure and start. Raises DriverHangs when a former close never ended, or nothing but a new process helps."""
        self.close()
        if self._calls.is_stuck(CLOSE_S):
            raise self._hopeless("the camera's driver hangs", "The service restarts; if that is no help, power off and on")
        if self._barren >= BARREN_OPENINGS:
            raise self._hopeless(
                f"the camera gave no picture after {self._barren} openings",
                "The service restarts; check the ribbon cable at both ends",
            )
        self._openings += 1
        self._picam2 = self._calls.run("open", self._begin, OPEN_S)
        self._barren += 1  # until a frame comes; a camera that is not there does not count
        self._first_sequence, self._index = None, -1
        self._silent_since_ns = self._clock.monotonic_ns()
        self._ask()

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame. Raises CameraError when none came for STALL_S: then close and open again."""
        if self._picam2 is None:
            raise CameraError(say("the camera is not open"))
        if not self.loans.wait_below(MOST_LENT, timeout_s):
            self._silent_since_ns = self._clock.monotonic_ns()  # it is not the camera that is slow
            return None
        stalls_ns = self._silent_since_ns + round(STALL_S * NS)
        left_s = max(0.0, (stalls_ns - self._clock.monotonic_ns()) / NS)
        request = self._next_request(min(timeout_s, left_s))
        now_ns = self._clock.monotonic_ns()
        if request is None:
            if now_ns >= stalls_ns:
                raise CameraError(
                    say("the camera has stopped delivering pictures"),
                    remedy=say("It is opened again; check its ribbon cable, then `vigie doctor`"),
                )
            return None
        self._silent_since_ns = now_ns
        self._barren = 0
        return self._frame(request, now_ns)

    def close(self) -> None:
        """Cancel what waits, stop, free the buffers; returns in time even when the driver does not."""
        picam2, self._picam2 = self._picam2, None
        job, self._job = self._job, None
        self._maps.clear()
        if picam2 is None:
            return
        try:
            self._calls.run("close", lambda: _end(picam2, job), CLOSE_S)
        except CameraError as error:
            log.warning("%s", error)

    def metrics(self) -> Mapping[str, float | str]:
        """Health: exposure, gain, lux, focus... of a frame at most a second old; openings; what the camera cannot do."""
        return {**self._metrics, "reopened": max(0, self._openings - 1)}

    def _hopeless(self, what: str, remedy: str) -> DriverHangs:
        """The process is to end; should the hanging driver keep it from ending, the kernel does it (see alarm(2))."""
        self._last_resort()
        return DriverHangs(what, remedy=remedy)

    def _begin(self) -> Any:
        """Make, configure and start; runs on a thread that may be abandoned."""
        picam2 = self._make(self._number)
        try:
            settings = self._settings
            from libcamera import Transform

            turned = settings.rotation == 180
            offered = set(picam2.camera_controls)
            picam2.configure(
                picam2.create_video_configuration(
                    main={"size": (settings.width, settings.height), "format": "YUV420"},
                    lores={"size": analysis_size(settings.width, settings.height), "format": "YUV420"},
                    transform=Transform(hflip=turned, vflip=turned),
                    buffer_count=BUFFERS,
                    controls=start_controls(settings, offered),
                    display=None,
                    encode=None,
                    queue=False,
                )
            )
            given = tuple(picam2.stream_configuration("main")["size"])
            if given != (settings.width, settings.height):
                raise CameraError(
                    say(
                        "the camera gives {given} instead of {wanted}",
                        given=f"{given[0]}x{given[1]}",
                        wanted=f"{settings.width}x{settings.height}",
                    ),
                    remedy=say("Write that size into [camera] width and height"),
                )
            picam2.start()
        except BaseException:
            _end(picam2, None)
            raise
        absent = missing_controls(settings, offered)
        self._light = LightFollower(settings, offered)
        self._metrics = {"not_offered": ", ".join(absent)} if absent else {}
        return picam2

    def _ask(self) -> None:
        """Order the next frame, so that it is not missed while this one is handed on."""
        self._job = self._picam2.capture_request(wait=False)

    def _next_request(self, timeout_s: float) -> Any:
        """The ordered request, or None; an order that was not met in time stays in force for the next call."""
        try:
            request = self._picam2.wait(self._job, timeout=timeout_s)
        except (NotYet, TimeoutError):
            return None
        except (CancelledError, RuntimeError) as error:
            raise CameraError(
                say("the camera failed ({error})", error=error),
                remedy=say("It is opened again; check its ribbon cable, then `vigie doctor`"),
            ) from None
        self._ask()
        return request

    def _frame(self, request: Any, now_ns: int) -> RawFrame:
        try:
            sensor_ns = _sensor_ns(request)
            time = self._time(request, sensor_ns, now_ns)
            self._look_at(request, now_ns)
            from picamera2 import MappedArray

            # Last: from here on the loan has the request, and whoever ends the loan gives it back.
            loan, small = lend(request, MappedArray, self._maps, sensor_ns)
        except BaseException:
            request.release()
            raise
        return RawFrame(loan.planes, time, small=small, release=self.loans.enter(loan))

    def _time(self, request: Any, sensor_ns: int, now_ns: int) -> FrameTime:
        """The sensor's own instant; where it is not on our clock, the arrival."""
        at_ns = sensor_ns if 0 <= now_ns - sensor_ns < 2 * NS else now_ns
        self._last_ns = max(at_ns, self._last_ns + 1)
        sequence = int(next(iter(request.request.buffers.values())).metadata.sequence)
        if self._first_sequence is None:
            self._first_sequence = sequence
        self._index = max(self._index + 1, sequence - self._first_sequence)
        wall_ns = self._clock.wall_ns() - (self._clock.monotonic_ns() - self._last_ns)
        return FrameTime(self._index, self._last_ns, wall_ns)

    def _look_at(self, request: Any, now_ns: int) -> None:
        """Once a second: the sensor's figures for health, and what the light asks for."""
        if now_ns - self._measured_ns < METRICS_EVERY_NS:
            return
        self._measured_ns = now_ns
        metadata = request.get_metadata()
        metrics = {ours: metadata[theirs] for theirs, ours in _METRICS.items() if theirs in metadata}
        kept = {name: self._metrics[name] for name in ("not_offered",) if name in self._metrics}
        self._metrics = {**kept, **metrics, "night": str(self._light.night).lower()}
        changes = self._light.follow(metadata, now_ns)
        if changes:
            self._picam2.set_controls(changes)


def _end(picam2: Any, job: Any) -> None:
    """Flush and close. A request that arrived for `job` meanwhile is returned first."""
    picam2.cancel_all_and_flush()
    if job is not None:
        try:
            picam2.wait(job, timeout=0).release()
        except (NotYet, TimeoutError, CancelledError, RuntimeError):
            pass
    picam2.close()


def _sensor_ns(request: Any) -> int:
    """SensorTimestamp: CLOCK_MONOTONIC in nanoseconds; 0 when the camera does not tell."""
    from libcamera import controls

    try:
        return int(request.request.metadata[controls.SensorTimestamp])
    except KeyError:
        return 0
