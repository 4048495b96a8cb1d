"""What stays while the view moves is fixed to the camera: found out while running, given up for good, and told."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view.fixed_marks import STAYED_FRAMES
from agent.view.reference import ViewIdentity, ViewReference
from agent.view.relocation import SteppedRelocation
from agent.view.tracker import Sighting, ViewTracker
from tests.support.scenery import HEIGHT, WIDTH, WINDOW, seen, street

STREET = street()
OFF = (36.0, 14.0)


def marked(picture: Plane) -> Plane:
    """With a date and a name burnt in."""
    out = picture.copy()
    for words, place in (("2026-11-30 13:00:04", (8, 24)), ("Camera 01", (WIDTH - 170, HEIGHT - 12))):
        cv2.putText(out, words, place, cv2.FONT_HERSHEY_DUPLEX, 0.9, 240, 2, cv2.LINE_AA)
    return out


def tracker() -> ViewTracker:
    """Of the marked street, whose reference knows nothing of the marks."""
    lumas = [marked(seen(STREET, seed=i)) for i in range(5)]
    reference, _ = ViewReference.take(lumas, [WINDOW], ViewIdentity("0" * 64, "", WIDTH, HEIGHT, 0), by="a", on="b")
    tracking = ViewTracker(
        reference.patches, reference.frame, [np.array(WINDOW)], SteppedRelocation(reference.landmarks, delay_frames=2)
    )
    for i in range(6):
        tracking.track(marked(seen(STREET, seed=i)))
    return tracking


def lies_at_the_knocked_pose(tracking: ViewTracker, sighting: Sighting) -> bool:
    """Whether masks lie where the street is after the knock."""
    there = np.array([[1, 0, OFF[0] / 2], [0, 1, OFF[1] / 2], [0, 0, 1.0]])
    return any(tracking._frame.shift_px(pose, there) < 2 for pose in sighting.poses)


def test_marks_do_not_hold_the_masks_and_are_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """After a knock the masks go along at once; five seconds later the marks count no longer, and the log says where they are."""
    tracking = tracker()
    before = len(tracking._patches)
    with caplog.at_level(logging.WARNING):
        shown = [tracking.track(marked(seen(STREET, *OFF, seed=i))) for i in range(STAYED_FRAMES + 10)]
    assert sum(bool(s.poses) for s in shown) > len(shown) - 5
    assert all(lies_at_the_knocked_pose(tracking, s) for s in shown if s.poses)
    assert len(tracking._patches) < before
    assert "fixed to the camera (across " in caplog.text
    assert "[[privacy.overlay]]" in caplog.text


def test_marks_alone_keep_nothing_open() -> None:
    """Knocked and out of focus at once, nothing but the marks is as before: closed for as long as it lasts, then open there."""
    tracking = tracker()
    blind = [marked(np.asarray(cv2.GaussianBlur(seen(STREET, *OFF, seed=i), (0, 0), 9), np.uint8)) for i in range(60)]
    assert not any(tracking.track(picture).poses for picture in blind)
    sharp = [tracking.track(marked(seen(STREET, *OFF, seed=i))) for i in range(25)]
    assert all(lies_at_the_knocked_pose(tracking, s) for s in sharp if s.poses)
    assert sharp[-1].poses


def test_closed_pictures_are_counted() -> None:
    """How long it has been closed is said, so that a short doubt can be told from a long one."""
    tracking = tracker()
    grey = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert [tracking.track(grey).closed_frames for _ in range(3)] == [1, 2, 3]
