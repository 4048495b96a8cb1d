"""The real RTSP driver at a camera of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.base.errors import CameraError
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from agent.picture.planes import Plane
from hardware.camera_rtsp import RtspCamera
from tests.support.deadline import until
from tests.support.manual_clock import ManualClock
from tests.support.misbehaving_camera import MisbehavingCamera


class Viewer:
    """The driver at a camera, on a clock that the test turns while the network keeps its own time."""

    def __init__(self, camera: MisbehavingCamera, **settings: Any) -> None:
        wanted: dict[str, Any] = {"width": 320, "height": 240, **settings}
        self.clock = ManualClock()
        self.driver = RtspCamera(CameraSettings(driver="rtsp", source=camera.url, **wanted), self.clock)

    def picture(self) -> tuple[int, int, bool]:
        """Width, height and whether it is damaged, of the next picture."""
        frame = self._next()
        frame.release()
        return frame.planes.width, frame.planes.height, frame.corrupt

    def luma(self) -> Plane:
        """That of the next picture."""
        frame = self._next()
        luma = frame.planes.y.copy()
        frame.release()
        return luma

    def _next(self) -> RawFrame:
        found: list[RawFrame] = []

        def came() -> bool:
            self.clock.advance(0.05)  # else all pictures would be of one instant, and all but one too many
            if (frame := self.driver.read(0.2)) is not None:
                found.append(frame)
            return bool(found)

        until(came, "a picture comes")
        return found[0]

    def hears(self, packets: int) -> None:
        """Until so many more packets came, and none of them made a picture."""
        wanted = int(self.driver.metrics()["packets"]) + packets

        def came() -> bool:
            assert self.driver.read(0.05) is None
            return int(self.driver.metrics()["packets"]) >= wanted

        until(came, "packets come")

    def failure(self, step: Callable[[], object]) -> CameraError:
        """What the driver ends with."""
        with pytest.raises(CameraError) as caught:
            until(lambda: step() and False, "the driver gives up")
        self.driver.close()
        return caught.value

    def refusal(self) -> CameraError:
        """What it says instead of pictures."""

        def open_and_read() -> None:
            self.driver.open()
            for _ in range(100):
                self.driver.read(0.2)

        return self.failure(open_and_read)
