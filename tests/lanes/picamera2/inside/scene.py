"""What the checks share: a camera on the virtual device, masks, and a look at what was encoded."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from agent.base.clock import SystemClock
from agent.config.model import CameraSettings
from agent.picture.access_unit import AccessUnit
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from hardware.camera_picamera2 import PicameraCamera, found
from tests.lanes.picamera2.inside.fakes import VirtualPicamera2

DEADLINE_S = 20.0
MASKS = (
    np.array([[0.20, 0.10], [0.45, 0.12], [0.44, 0.50], [0.21, 0.48]]),
    np.array([[0.60, 0.55], [0.95, 0.60], [0.80, 0.90]]),
)


def camera(
    width: int = 1280, height: int = 720, fps: float = 30.0, last_resort: Callable[[], object] = lambda: None, **more: Any
) -> PicameraCamera:
    """The driver under test, on the virtual camera."""
    settings = CameraSettings(driver="picamera2", width=width, height=height, fps=fps, **more)
    return PicameraCamera(settings, SystemClock(), lambda number: found(VirtualPicamera2, number), last_resort)


def cover() -> Cover:
    """Two masks on a verified view."""
    return Cover(MASKS, 0.0, None, "", "digest", ViewState.VERIFIED)


def next_frame(source: PicameraCamera) -> RawFrame:
    """The next picture, within a deadline."""
    until = time.monotonic() + DEADLINE_S
    while (frame := source.read(0.5)) is None:
        assert time.monotonic() < until, "no picture came"
    return frame


def descriptors() -> int:
    """Open file descriptors of this process, once what is unreachable is gone (picamera2's objects refer to each other)."""
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def decoded(units: Sequence[AccessUnit]) -> Iterable[np.ndarray]:
    """Every picture of the units as I420, shape (height * 3 / 2, width)."""
    decoder = av.CodecContext.create("h264", "r")
    for unit in units:
        for picture in decoder.decode(av.Packet(unit.data)):
            yield picture.to_ndarray(format="yuv420p")
    for picture in decoder.decode(None):
        yield picture.to_ndarray(format="yuv420p")
