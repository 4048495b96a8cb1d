"""A look through the camera: what it gives of focus, exposure and rate, and that nothing behind a mask takes part in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from msgspec import structs
from msgspec.structs import replace

from agent.base.clock import SystemClock
from agent.commissioning.camera import judge_sight
from agent.commissioning.line import Grade, Line
from agent.commissioning.masks import judge_guard, judge_masks
from agent.commissioning.sight import Sight, look
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory
from agent.picture.cover import ViewState
from agent.picture.frame import RawFrame
from agent.ports.video import Camera
from agent.view.commissioning import ViewSample, validate_view
from agent.view.guard import FixedGuard, guard_for
from hardware.camera_synthetic import SyntheticCamera
from tests.support.journals import Remembered

MakeCamera = Callable[..., SyntheticCamera]


def seen(camera: Camera, config: Config, seconds: float = 0.8) -> Sight:
    """What the doctor sees where the view has not been validated."""
    return look(camera, config, FixedGuard.closed("the view is not validated"), SystemClock(), seconds=seconds)


def lines(config: Config, sight: Sight) -> dict[str, Line]:
    """By check."""
    return {line.check: line for line in judge_sight(config.camera, sight)}


def test_a_good_camera_is_good_on_every_line(config: Config, camera: MakeCamera) -> None:
    """Delivering, at the rate of its pictures' times, sharp, and well exposed."""
    sight = seen(camera(), config, 3.0)
    assert sight.pictures > 5
    assert sight.fps == pytest.approx(25, abs=0.5)
    found = lines(config, sight)
    assert {found[check].grade for check in ("camera", "picture size", "picture rate", "focus", "exposure")} == {Grade.OK}
    assert sight.opaque == "the view is not validated"


def test_a_lens_out_of_focus_is_told_and_the_figure_falls_with_it(config: Config, camera: MakeCamera) -> None:
    """The figure falls steadily as the lens is turned away, so that turning it to its peak is turning it right."""
    metrics = []
    for blur_px in (0.0, 1.0, 2.0, 4.0):
        sight = seen(camera(blur_px=blur_px), config)
        assert sight.metrics is not None
        metrics.append(sight.metrics.focus)
    assert metrics == sorted(metrics, reverse=True)
    assert metrics[0] > 5 * metrics[-1]
    assert lines(config, sight)["focus"].grade is Grade.WARN


@pytest.mark.parametrize(("disturbance", "words"), [({"gain": 0.1}, "too dark"), ({"offset": 200.0}, "too bright")])
def test_a_wrong_exposure_is_told(config: Config, camera: MakeCamera, disturbance: dict[str, float], words: str) -> None:
    """Night without light, and the sun in the lens."""
    found = lines(config, seen(camera(**disturbance), config))["exposure"]
    assert (found.grade, words in found.measured) == (Grade.WARN, True)


class _Behind:
    """A camera that puts noise into the private windows of another one."""

    def __init__(self, inner: SyntheticCamera, config: Config) -> None:
        self._inner = inner
        self._config = config
        self.open, self.close, self.metrics = inner.open, inner.close, inner.metrics

    def read(self, timeout_s: float) -> RawFrame | None:
        frame = self._inner.read(timeout_s)
        if frame is not None:
            luma = frame.planes.y
            height, width = luma.shape
            for mask in self._config.privacy.mask:
                xs, ys = [x * width for x, _ in mask.polygon], [y * height for _, y in mask.polygon]
                left, right, top, bottom = round(min(xs)), round(max(xs)), round(min(ys)), round(max(ys))
                noise = np.random.default_rng(frame.time.index).integers(0, 256, luma[top:bottom, left:right].shape)
                luma[top:bottom, left:right] = noise
        return frame


def test_nothing_behind_a_mask_takes_part_in_the_figures(config: Config, camera: MakeCamera) -> None:
    """The sharpest thing imaginable behind every window changes neither focus nor exposure: masked frames are measured."""
    plain, noisy = (seen(each, config, 3.0) for each in (camera(frozen=True), _Behind(camera(frozen=True), config)))
    assert plain.metrics is not None
    assert noisy.metrics is not None
    assert noisy.metrics.focus == pytest.approx(plain.metrics.focus, rel=1e-6)
    assert noisy.metrics.mean_luma == pytest.approx(plain.metrics.mean_luma, rel=1e-6)


def test_without_masks_and_without_a_statement_nothing_is_measured(config: Config, camera: MakeCamera) -> None:
    """The picture is closed, and so it stays for the doctor."""
    bare = structs.replace(config, privacy=structs.replace(config.privacy, mask=()))
    sight = seen(camera(), bare)
    assert sight.pictures > 5
    assert sight.metrics is None
    assert lines(bare, sight)["focus"].grade is Grade.OPEN


@pytest.mark.parametrize("disturbance", [{"unplugged": True}, {"silent": True}])
def test_a_dead_camera_is_one_failure_with_its_reason(
    config: Config, camera: MakeCamera, disturbance: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unplugged or silent: the doctor comes back in time and says so."""
    monkeypatch.setattr("agent.commissioning.sight.FIRST_PICTURE_S", 1.0)
    found = lines(config, seen(camera(**disturbance), config))
    assert found["camera"].grade is Grade.FAIL
    assert found["camera"].measured
    assert "focus" not in found


def test_a_validated_view_is_said_to_be_verified_and_a_knock_is_told(
    config: Config, camera: MakeCamera, identity: IdentityDirectory
) -> None:
    """With the reference in place the node's own guard judges; moved far, the picture is closed and that is a failure."""
    signer = identity.load()
    reference = camera()
    reference.open()
    sample = ViewSample(pictures=5, every_s=0.2).watch(reference, SystemClock())
    reference.close()
    validate_view(sample, config, config.node.state_dir, signer.sign, Remembered(), by="A. Martin", clock=SystemClock())
    for knock, grade in ((None, Grade.OK), ({"shift": (0.6, 0.5)}, Grade.FAIL)):
        guard = guard_for(config, config.node.state_dir, signer)
        sight = look(camera(**(knock or {})), config, guard, SystemClock(), seconds=1.5)
        found = {line.check: line for line in judge_masks(config, identity, sight)}
        assert found["view guard"].grade is grade, found["view guard"]
        assert (found["masks"].grade, found["view"].grade) == (Grade.OK, Grade.OK)
        assert "A. Martin" in found["view"].measured
    moved = structs.replace(config, camera=structs.replace(config.camera, rotation=180))
    found = {line.check: line for line in judge_masks(moved, identity, None)}
    assert found["view"].grade is Grade.FAIL


def test_a_slow_camera_is_held_to_the_norm_and_to_what_was_asked_of_it(config: Config) -> None:
    """Half the pictures per second: below the norm for identification, and worth a word for an overview."""
    settings = structs.replace(config.camera, driver="v4l2", purpose="identification", width=704, height=576)
    sight = Sight(pictures=60, fps=10.0, width=704, height=576)
    found = {line.check: line.grade for line in judge_sight(settings, sight)}
    assert (found["picture size"], found["picture rate"], found["camera"]) == (Grade.OK, Grade.FAIL, Grade.WARN)
    assert {line.check: line.grade for line in judge_sight(settings, replace(sight, fps=25.0))}["picture rate"] is Grade.OK


def test_a_camera_that_was_knocked_and_is_followed_is_told_as_that() -> None:
    """The guard is sure of the view: nothing large stands in front of it, and somebody should come and aim it again."""
    followed = Sight(pictures=50, view=ViewState.MOVED, shift_px=41.7)
    found = judge_guard(followed)
    assert found.grade is Grade.WARN
    assert "42 px" in found.measured
    assert "the masks follow" in found.measured
    assert "knocked" in found.remedy
    unsure = structs.replace(followed, view=ViewState.UNCERTAIN)
    found = judge_guard(unsure)
    assert "not sure" in found.measured
