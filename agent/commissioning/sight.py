"""A look through the camera: opened, watched for some seconds through the masks, and closed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from agent.analytics.picture_metrics import PictureMeasure, PictureMetrics
from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.base.queues import Closed
from agent.config.driver_kinds import DRIVERS
from agent.config.model import Config
from agent.mask.as_drawn import cover_as_drawn
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.sameness import Sameness
from agent.ports.video import Camera
from agent.stream.capture import Capture
from agent.stream.masking import Masking
from agent.view.guard import NO_MASKS, FixedGuard, Guard

FIRST_PICTURE_S = 15.0
"""An IP camera may take so long to answer; a board's own camera takes two seconds."""
FIRST_KEYFRAME_S = 65.0
"""The most that is waited while packets arrive: their camera sends keyframes rarely."""
GUARDED = 0.4
"""Of the time, the node's own guard judges the frame; if it keeps it closed, the rest goes through the masks as drawn."""

MEASURE_EVERY_NS = NS // 8


class Sight(Struct, frozen=True):
    """What was seen. `fps` is None before two frames came; `fault` is what the camera said when none came.

    `opaque` is why the node's own guard keeps the frame closed, empty when it does not; `metrics` are of masked
    frames in any case, None when nothing of them was visible.
    """

    pictures: int = 0
    fps: float | None = None
    width: int = 0
    height: int = 0
    metrics: PictureMetrics | None = None
    opaque: str = ""
    view: ViewState | None = None
    shift_px: float = 0.0
    driver: Mapping[str, float | str] = field(default_factory=dict)
    fault: str = ""
    same_s: float = 0.0
    """For how long the same frame had come at the end, bit for bit; 0 where no sensor stands behind the driver."""


def look(camera: Camera, config: Config, guard: Guard, clock: Clock, *, seconds: float = 6.0) -> Sight:
    """Watch for `seconds` from the first frame on. Never raises for what the camera does: that is `fault`."""
    sameness = None if DRIVERS[config.camera.driver].plays else Sameness()
    capture = Capture(camera, clock, sameness=sameness)
    masking = Masking(capture, guard, PrivacyMask(config.privacy.fill))
    capture.start()
    try:
        seen = _Watch(config, masking, capture, clock, seconds).sight()
        return replace(seen, same_s=sameness.same_s) if sameness is not None else seen
    finally:
        capture.stop()
        capture.join(3.0)


def focus_through(camera: Camera, config: Config, clock: Clock) -> Iterator[float | None]:
    """The focus figure through the masks as drawn, twice a second, until the caller has enough. CameraError when it is dead."""
    if config.privacy.mask:
        guard = FixedGuard(cover_as_drawn([mask.polygon for mask in config.privacy.mask], config.privacy.margin))
    else:
        guard = FixedGuard(Cover.none_needed()) if config.privacy.none_needed is not None else FixedGuard.closed(NO_MASKS)
    capture = Capture(camera, clock)
    masking = Masking(capture, guard, PrivacyMask(config.privacy.fill))
    measure = PictureMeasure()
    capture.start()
    try:
        next_ns = began_ns = clock.monotonic_ns()
        while True:
            with masking.next(0.5) as frame:
                now_ns = clock.monotonic_ns()
                if frame is None:
                    if capture.fault or now_ns - began_ns > FIRST_PICTURE_S * NS:
                        raise CameraError(capture.fault or say("the camera does not deliver"), remedy=say("see `vigie doctor`"))
                    continue
                if now_ns < next_ns:
                    continue
                next_ns = now_ns + NS // 2
                metrics = measure.measure(frame)
            yield metrics.focus if metrics is not None else None
    except Closed:
        return
    finally:
        capture.stop()
        capture.join(3.0)


class _Watch:
    def __init__(self, config: Config, masking: Masking, capture: Capture, clock: Clock, seconds: float) -> None:
        self._config = config
        self._masking = masking
        self._capture = capture
        self._clock = clock
        self._seconds = seconds
        self._measure = PictureMeasure()
        self._measure_next_ns = 0
        self._packets: float | str = 0
        self._times: list[tuple[int, int]] = []
        self._size = (0, 0)
        self._metrics: PictureMetrics | None = None
        self._guarded: tuple[str, ViewState, float] | None = None

    def sight(self) -> Sight:
        began_ns = self._clock.monotonic_ns()
        until_ns, keyframe_ns = (began_ns + round(most_s * NS) for most_s in (FIRST_PICTURE_S, FIRST_KEYFRAME_S))
        guard_until_ns: int | None = None
        try:
            while self._clock.monotonic_ns() < until_ns and self._capture.state != "failed":
                if not self._one_picture():
                    if self._capture.fault and not self._times:
                        break  # it has said what is wrong: trying again would only repeat it
                    if not self._times and self._packets_came():
                        until_ns = min(self._clock.monotonic_ns() + round(FIRST_PICTURE_S * NS), keyframe_ns)
                    continue
                now_ns = self._clock.monotonic_ns()
                if guard_until_ns is None:
                    until_ns = now_ns + round(self._seconds * NS)
                    guard_until_ns = now_ns + round(GUARDED * self._seconds * NS)
                elif self._guarded is None and now_ns >= guard_until_ns:
                    self._hear_guard()
        except Closed:
            pass  # a film has ended: what was seen of it counts
        self._hear_guard()
        return self._sight()

    def _packets_came(self) -> bool:
        packets, before = self._capture.metrics().get("packets", 0), self._packets
        self._packets = packets
        return packets != before

    def _one_picture(self) -> bool:
        with self._masking.next(0.5) as frame:
            if frame is None:
                return False
            self._times.append((frame.time.index, frame.time.monotonic_ns))
            self._size = (frame.planes.width, frame.planes.height)
            if frame.time.monotonic_ns >= self._measure_next_ns:
                self._measure_next_ns = frame.time.monotonic_ns + MEASURE_EVERY_NS
                self._metrics = self._measure.measure(frame) or self._metrics
            return True

    def _hear_guard(self) -> None:
        """Note what the node's guard says; where it closes the frame, measure on through the masks as they are drawn."""
        if self._guarded is not None or not self._times:
            return
        cover = self._masking.cover
        self._guarded = (cover.opaque, cover.state, cover.shift_px)
        if cover.opaque and self._config.privacy.mask:
            polygons = [mask.polygon for mask in self._config.privacy.mask]
            guard = FixedGuard(cover_as_drawn(polygons, self._config.privacy.margin))
            self._masking.replace(guard, PrivacyMask(self._config.privacy.fill))

    def _sight(self) -> Sight:
        if not self._times:
            fault = self._capture.fault or say(
                "it was opened, and no picture came within {first_picture_s:.0f} s", first_picture_s=FIRST_PICTURE_S
            )
            return Sight(fault=fault, driver=self._capture.metrics())
        opaque, view, shift_px = self._guarded or ("", None, 0.0)
        (first, first_ns), (last, last_ns) = self._times[0], self._times[-1]
        return Sight(
            pictures=len(self._times),
            fps=(last - first) * NS / (last_ns - first_ns) if last_ns > first_ns else None,
            width=self._size[0],
            height=self._size[1],
            metrics=self._metrics,
            opaque=opaque,
            view=view,
            shift_px=shift_px,
            driver=self._capture.metrics(),
            fault=self._capture.fault,
        )
