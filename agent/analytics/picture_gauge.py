"""Focus and exposure of the running node's masked frame: measured only while somebody asks, standing at the lens."""

from __future__ import annotations

import threading

from msgspec import structs

from agent.analytics.picture_metrics import PictureMeasure, PictureMetrics
from agent.analytics.sharpness import SETTLES_AFTER
from agent.base.clock import NS
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame

EVERY_NS = NS // 10
PICTURES = SETTLES_AFTER + 2
"""Sharpness is told from an average over some frames."""
FORGET_NS = 5 * NS
"""A new technician, a new view: older frames take no part in the average."""


class PictureGauge:
    """The pipeline thread calls `show` (see agent.stream.pipeline.Viewer), any other thread `metrics`. Idle it costs nothing."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted = 0
        self._measure = PictureMeasure()
        self._last_ns = 0
        self._closed = ""
        self._found: PictureMetrics | None = None

    def show(self, frame: MaskedFrame) -> None:
        """Measure this frame if somebody waits for it."""
        now_ns = frame.time.monotonic_ns
        if not self._wanted or 0 <= now_ns - self._last_ns < EVERY_NS:
            return
        if now_ns - self._last_ns > FORGET_NS:
            self._measure = PictureMeasure()
        self._last_ns = now_ns
        found = self._measure.measure(frame)
        with self._changed:
            self._found, self._closed = found, frame.reason or "everything is covered"
            self._wanted -= 1
            self._changed.notify_all()

    def metrics(self, timeout_s: float = 4.0, pictures: int = PICTURES) -> dict[str, float | None]:
        """The figures of the picture as it is now. DeviceError when it is closed, or when none comes in time."""
        with self._changed:
            self._wanted = pictures
            came = self._changed.wait_for(lambda: self._wanted <= 0, timeout_s)
            self._wanted = 0
            found, closed = self._found, self._closed
        if not came:
            raise DeviceError(
                say("no picture came within {timeout_s:.0f} s", timeout_s=timeout_s), remedy=say("see the camera's line")
            )
        if found is None:
            raise DeviceError(say("the picture is closed: {closed}", closed=closed))
        return structs.asdict(found)
