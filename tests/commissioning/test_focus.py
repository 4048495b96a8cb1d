"""Turning the lens by the figure: from the camera itself, or from the daemon that holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice

import pytest
from msgspec.structs import replace

from agent.analytics.picture_gauge import PictureGauge
from agent.base.clock import SystemClock
from agent.base.errors import CameraError, DeviceError
from agent.commissioning.examination import Means
from agent.commissioning.focus import FocusBar, readings
from agent.commissioning.sight import focus_through
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory
from agent.mask.as_drawn import cover_as_drawn
from agent.mask.privacy_mask import PrivacyMask
from agent.node.drivers import open_camera
from agent.picture.cover import Cover
from agent.ports.host import BoardMetrics
from agent.stream.capture import Capture
from agent.stream.masking import Masking
from agent.view.guard import FixedGuard
from hardware.camera_synthetic import SyntheticCamera

MakeCamera = Callable[..., SyntheticCamera]


class _NoBoard:
    def read(self) -> BoardMetrics:
        return BoardMetrics()


def test_the_figure_comes_again_and_again(config: Config, identity: IdentityDirectory) -> None:
    """Without the daemon the doctor opens the camera itself, and closes it when he has enough."""
    means = Means(clock=SystemClock(), open_camera=open_camera, board=_NoBoard(), identity=identity)
    found = list(islice(readings(config, means), 2))
    assert all(figure is not None and figure > 0 for figure in found)


def test_a_dead_camera_ends_it_with_its_reason(config: Config, camera: MakeCamera) -> None:
    """Nobody waits on a ladder for nothing."""
    with pytest.raises(CameraError):
        next(focus_through(camera(unplugged=True), config, SystemClock()))


def test_without_masks_the_picture_stays_closed(config: Config, camera: MakeCamera) -> None:
    """No figure of a picture that nobody may see."""
    bare = replace(config, privacy=replace(config.privacy, mask=()))
    assert next(focus_through(camera(), bare, SystemClock())) is None


def test_the_bar_shows_the_peak_and_how_near_the_lens_is() -> None:
    """Full at the peak, shorter beyond it, and a closed picture is said in words."""
    bar = FocusBar()
    drawn = [bar.line(figure).count("#") for figure in (100.0, 400.0, 200.0)]
    assert drawn == [40, 40, 20]
    assert "peak" in bar.line(400.0)
    assert "closed" in bar.line(None)


def turned(config: Config, camera: SyntheticCamera, gauge: PictureGauge, ask: Callable[[], object]) -> object:
    """What `ask` gives while masked pictures pass by the gauge as they do in the pipeline."""
    capture = Capture(camera, SystemClock())
    guard = FixedGuard(
        cover_as_drawn([m.polygon for m in config.privacy.mask], 0.01) if config.privacy.mask else Cover.closed("no masks")
    )
    masking = Masking(capture, guard, PrivacyMask("solid"))
    done = threading.Event()

    def pipeline() -> None:
        while not done.is_set():
            with masking.next(0.2) as frame:
                if frame is not None:
                    gauge.show(frame)

    thread = threading.Thread(target=pipeline)
    capture.start()
    thread.start()
    try:
        return ask()
    finally:
        done.set()
        thread.join(60)
        capture.stop()
        capture.join(60)


def test_the_gauge_answers_while_the_pipeline_runs(config: Config, camera: MakeCamera) -> None:
    """Sharp or blurred, as the picture is now."""
    sharp = turned(config, camera(), gauge := PictureGauge(), lambda: gauge.metrics(10))
    blurred = turned(config, camera(blur_px=3.0), gauge2 := PictureGauge(), lambda: gauge2.metrics(10))
    assert isinstance(sharp, dict)
    assert isinstance(blurred, dict)
    assert sharp["focus"] > 2 * blurred["focus"]
    assert sharp["sharpness"] > blurred["sharpness"]


def test_the_gauge_says_why_it_has_nothing(config: Config, camera: MakeCamera) -> None:
    """A closed picture, and no picture at all, are refusals in words."""
    bare = replace(config, privacy=replace(config.privacy, mask=()))
    gauge = PictureGauge()
    with pytest.raises(DeviceError, match="no masks"):
        turned(bare, camera(), gauge, lambda: gauge.metrics(10))
    with pytest.raises(DeviceError, match="no picture"):
        PictureGauge().metrics(0.05)
