"""The camera as a feature: frames come from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.driver_kinds import DRIVERS
from agent.config.model import Config
from agent.picture.sameness import Sameness
from agent.ports.health import CameraHealth
from agent.ports.video import Camera
from agent.stream.capture import Capture
from agent.stream.shutter import Shutter


class CameraFeature(Feature[Config]):
    """`sameness` sees whether a live camera hangs; None where no sensor stands behind the driver."""

    keys = ("camera",)

    def __init__(self, config: Config, camera: Camera, clock: Clock, shutter: Shutter | None = None) -> None:
        settings = config.camera
        self._driver = settings.driver
        self.sameness = None if DRIVERS[settings.driver].plays else Sameness()
        # A film played as fast as it goes waits for the encoder; everything else runs on its own time.
        lossless = DRIVERS[settings.driver].plays and not settings.realtime
        self.camera = camera
        self.capture = Capture(camera, clock, lossless=lossless, sameness=self.sameness, shutter=shutter)

    def components(self) -> Sequence[Component]:
        return (self.capture,)

    def health(self) -> Mapping[str, Any]:
        capture = self.capture
        age_s = capture.last_frame_age_s()
        return {
            "camera": CameraHealth(
                driver=self._driver,
                fps=round(capture.fps(), 2),
                captured=capture.captured,
                dropped=capture.dropped,
                spared=capture.spared,
                corrupt=capture.corrupt,
                last_frame_age_s=None if age_s is None else round(age_s, 3),
                state=capture.delivery,
                reason=capture.closed or capture.fault,
                metrics=capture.metrics(),
            )
        }

    def sentence(self) -> str:
        return self.capture.closed or self.capture.fault or f"{self.capture.fps():.0f} fps"

    def summary(self) -> Mapping[str, Any]:
        return {"captured": self.capture.captured, "dropped": self.capture.dropped, "corrupt": self.capture.corrupt}
