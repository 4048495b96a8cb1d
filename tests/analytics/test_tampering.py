"""Tampering: dark, bright, blurry, gone and moved raise their events after the hold, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from agent.analytics.tampering import BLURRY, BRIGHT, DARK, SCENE_CHANGE, SIGNAL_LOSS, TamperDetector
from agent.config.model import Tampering
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.cover import Cover
from agent.picture.planes import Plane
from agent.ports.event import Event, Priority, PropertyOperation
from tests.support.footage import town_square

if TYPE_CHECKING:
    from tests.analytics.conftest import Stage


def dark(luma: Plane) -> Plane:
    """A hand over the lens."""
    return np.full_like(luma, 18)


def bright(luma: Plane) -> Plane:
    """A lamp into the lens."""
    return np.full_like(luma, 233)


def blurry(luma: Plane) -> Plane:
    """Grease on the dome."""
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), 6), np.uint8)


def changed(events: list[Event]) -> list[tuple[str, bool]]:
    """Topic and state of every change."""
    return [(e.topic, bool(e.data["State"])) for e in events if e.operation is PropertyOperation.CHANGED]


def shown(
    detector: TamperDetector, stage: Stage, luma: Plane | None, seconds: float, noise: float = 1.0
) -> list[tuple[str, bool]]:
    """What changes while one scene is shown."""
    return changed([e for _ in range(round(seconds * 10)) for e in detector.observe(stage.frame(luma, noise=noise))])


def test_every_property_is_announced(stage: Stage) -> None:
    """Five properties, all false, by ONVIF's names, as alarms."""
    events = TamperDetector("camera", Tampering()).observe(stage.frame())
    assert {e.topic for e in events} == {DARK, BRIGHT, BLURRY, SIGNAL_LOSS, SCENE_CHANGE}
    assert all(e.operation is PropertyOperation.INITIALIZED and e.data == {"State": False} for e in events)
    assert all(e.source == {"Source": "camera"} and e.priority is Priority.ALARM for e in events)


@pytest.mark.parametrize(("spoil", "topic"), [(dark, DARK), (bright, BRIGHT), (blurry, BLURRY)])
def test_a_spoilt_picture_raises_its_event_after_the_hold_and_lowers_it_after_the_hold(
    stage: Stage, spoil: Callable[[Plane], Plane], topic: str
) -> None:
    """Only its own event, once, not for a moment's disturbance, and back when the picture is good again."""
    detector = TamperDetector("camera", Tampering(hold_seconds=2.0))
    assert shown(detector, stage, None, 3) == []
    assert shown(detector, stage, spoil(stage.square), 1.5) == []
    assert shown(detector, stage, None, 3) == []
    assert shown(detector, stage, spoil(stage.square), 6) == [(topic, True)]
    assert shown(detector, stage, None, 1.5) == []
    assert shown(detector, stage, None, 3) == [(topic, False)]


def test_a_figure_that_wavers_at_the_threshold_does_not_flutter(stage: Stage) -> None:
    """Between the two thresholds the state stays what it is."""
    detector = TamperDetector("camera", Tampering(hold_seconds=0.5))
    assert shown(detector, stage, np.full_like(stage.square, 27), 2) == [(DARK, True)]
    wavering = [np.full_like(stage.square, 29 + k % 6) for k in range(50)]
    assert changed([e for luma in wavering for e in detector.observe(stage.frame(luma))]) == []


def test_masks_do_not_make_a_dark_picture_grey(stage: Stage) -> None:
    """The fill of the masks is not counted, however much of the picture it takes."""
    stage.masked(0.0, 0.0, 1.0, 0.8)
    detector = TamperDetector("camera", Tampering(hold_seconds=0.5))
    assert shown(detector, stage, dark(stage.square), 2) == [(DARK, True)]


def test_nothing_is_said_of_a_closed_picture(stage: Stage) -> None:
    """Dark, bright and blurry keep their state while nothing can be seen."""
    detector = TamperDetector("camera", Tampering(hold_seconds=0.5))
    assert shown(detector, stage, dark(stage.square), 2) == [(DARK, True)]
    stage.closed()
    assert shown(detector, stage, None, 5) == []


def test_a_moved_view_is_a_scene_change_at_once(stage: Stage) -> None:
    """The guard's verdict counts from its first frame; it ends when the view is proved again for the hold time."""
    detector = TamperDetector("camera", Tampering(hold_seconds=1.0))
    shown(detector, stage, None, 1)
    stage.moved()
    assert shown(detector, stage, None, 0.1) == [(SCENE_CHANGE, True)]
    stage.closed()
    assert shown(detector, stage, None, 3) == []
    stage.clear()
    assert shown(detector, stage, None, 3) == [(SCENE_CHANGE, False)]


def test_a_camera_that_goes_silent_is_a_signal_loss(stage: Stage) -> None:
    """Raised a hold time after the silence began, lowered when pictures have come again for as long."""
    detector = TamperDetector("camera", Tampering(hold_seconds=1.0))
    shown(detector, stage, None, 1)
    began = stage.monotonic_ns
    assert changed(list(detector.silence(0, began + 5 * 10**8))) == []
    assert changed(list(detector.silence(0, began + 10**9))) == []
    assert changed(list(detector.silence(0, began + 15 * 10**8))) == [(SIGNAL_LOSS, True)]
    stage.monotonic_ns = began + 2 * 10**9
    assert shown(detector, stage, None, 3) == [(SIGNAL_LOSS, False)]


def test_switched_off_it_says_nothing(stage: Stage) -> None:
    """`enabled = false` means no event at all."""
    detector = TamperDetector("camera", Tampering(enabled=False))
    assert detector.observe(stage.frame()) == ()
    assert detector.silence(0, 10**12) == ()


def test_the_town_square_is_neither_dark_nor_bright_nor_blurry() -> None:
    """Real film of a good camera raises nothing."""
    detector, mask = TamperDetector("camera", Tampering(hold_seconds=0.5)), PrivacyMask()
    events = [e for raw in town_square(60) for e in detector.observe(mask.apply(raw, Cover.none_needed()))]
    assert changed(events) == []


def test_the_town_square_out_of_focus_is_blurry() -> None:
    """The same film through a lens that lost its focus raises TooBlurry, and only that."""
    detector, mask, events = TamperDetector("camera", Tampering(hold_seconds=0.5)), PrivacyMask(), list[Event]()
    for raw in town_square(30):
        raw.planes.y[...] = cv2.GaussianBlur(raw.planes.y, (0, 0), 5)
        events += detector.observe(mask.apply(raw, Cover.none_needed()))
    assert changed(events) == [(BLURRY, True)]
