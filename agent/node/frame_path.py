"""What looks, from the lens to the encoded stream: each frame is masked before anyone behind the mask sees it, then signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agent import __version__
from agent.analytics.feature import AnalyticsFeature
from agent.base.clock import Clock
from agent.config.model import Config
from agent.console.feature import ConsoleFeature
from agent.node import drivers
from agent.node.in_force import InForce
from agent.node.stores import Stores
from agent.signing.feature import SigningFeature
from agent.stream.camera_feature import CameraFeature
from agent.stream.feature import StreamFeature
from agent.stream.low_stream import LowStream
from agent.stream.privacy_feature import PrivacyFeature
from agent.stream.shutter import Shutter


class FramePath(NamedTuple):
    """The features a frame passes."""

    camera: CameraFeature
    privacy: PrivacyFeature
    analytics: AnalyticsFeature
    signing: SigningFeature
    stream: StreamFeature

    def is_over(self) -> bool:
        """Whether the camera played all it had, and all of it is encoded. Any thread."""
        return self.camera.capture.ended and self.stream.over


def open_frame_path(
    config: Config,
    in_force: InForce,
    stores: Stores,
    console: ConsoleFeature,
    unclosed: Callable[[], int],
    clock: Clock,
    shutter: Shutter | None,
) -> FramePath:
    """Nothing is looked at yet. `shutter` can close the picture besides the guard. `unclosed` counts segments that ended without
    their last signature. Raises VigieError."""
    signer, register, tap = stores.signer, stores.register.register, stores.tap
    camera = CameraFeature(config, drivers.open_camera(config.camera, clock), clock, shutter)
    capture = camera.capture
    privacy = PrivacyFeature(
        config, capture, signer, signer.sign, register, clock, in_force=lambda: in_force.config, shutter=shutter
    )
    analytics = AnalyticsFeature(config, camera.sameness, tap, shutter.dark if shutter is not None else str)
    signing = SigningFeature(
        config,
        stores.key,
        tap,
        clock,
        version=__version__,
        # The catalog is open by now: whether the chain goes on over the restart hangs on what was recorded last.
        newest_ns=lambda: stores.catalog.stock().newest_ns or 0,
        unclosed=unclosed,
    )
    low = None
    if config.live.enabled:
        low = LowStream(lambda: drivers.new_low_encoder(config), signing.another_signer(), clock)
    stream = StreamFeature(
        privacy.masking,
        lambda: drivers.new_encoder(config, camera.camera),
        clock,
        signer=signing.signer,
        detectors=[analytics.detectors],
        viewers=[console.preview, analytics.gauge],
        events=tap,
        illustrator=analytics.illustrator,
        low=low,
    )
    return FramePath(camera, privacy, analytics, signing, stream)
