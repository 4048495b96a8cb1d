"""The reference ages: a view that changes slowly is still known, and nothing is learned in doubt."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from agent.picture.planes import Plane
from agent.view.ageing import MOST_LEARNED, ViewAgeing, merged
from agent.view.patches import Patches
from agent.view.reference import ViewIdentity, ViewReference, forbidden_for_patches
from agent.view.relocation import SteppedRelocation
from agent.view.tracker import ViewTracker
from tests.support.scenery import HEIGHT, WIDTH, WINDOW, seen, street

SUMMER, WINTER = street(1), street(2)
IDENTITY = ViewIdentity("0" * 64, "", WIDTH, HEIGHT, 0)
REFERENCE = ViewReference.take([seen(SUMMER, seed=i) for i in range(4)], [WINDOW], IDENTITY, by="a", on="b")[0]


def tracker(every_frames: int) -> ViewTracker:
    """A tracker of the street in summer, that learns every so many frames."""
    frame = REFERENCE.frame
    ageing = ViewAgeing(REFERENCE.patches, forbidden_for_patches([WINDOW], frame), every_frames=every_frames)
    return ViewTracker(REFERENCE.patches, frame, [np.array(WINDOW)], SteppedRelocation(REFERENCE.landmarks), ageing)


def turning(share: float) -> Plane:
    """The street between the seasons: strip by strip it becomes another one, from the left."""
    scene = SUMMER.copy()
    until = int(share * scene.shape[1])
    scene[:, :until] = WINTER[:, :until]
    return scene


def year(tracking: ViewTracker, watch: Callable[[int], object] = lambda _: None, changes: float = 0.7) -> list[bool]:
    """Clear or not, frame by frame, while so much of the street changes in up to twenty steps."""
    clear = []
    for n in range(300):
        clear.append(bool(tracking.track(seen(turning(min(changes, n // 15 / 17)), seed=n)).poses))
        for thread in threading.enumerate():
            if thread.name == "view ageing":
                thread.join(60)
        watch(n)
    return clear


def test_a_view_that_changes_by_and_by_stays_known() -> None:
    """What has changed is learned beside what was signed, and the picture is clear at the end."""
    tracking = tracker(3)
    assert all(year(tracking)[-20:])
    assert len(tracking._patches) > len(REFERENCE.patches)


def test_what_was_learned_proves_nothing_when_nothing_that_was_signed_is_left() -> None:
    """By and by everything has become another street: it may be a web on the lens by now, and the picture is covered."""
    assert not any(year(tracker(3), changes=1.0)[-20:])


def test_nothing_is_learned_in_doubt() -> None:
    """Another scene at once, or a moved camera: no patch of it is ever learned."""
    tracking = tracker(1)
    for n in range(10):
        tracking.track(seen(SUMMER, seed=n))
    before = tracking._patches
    for n in range(30):
        tracking.track(seen(WINTER, seed=n))
    for n in range(30):
        tracking.track(seen(SUMMER, 20, 0, seed=n))
    assert tracking._patches is before


def test_a_view_that_has_not_changed_learns_nothing() -> None:
    """While the reference confirms there is no need."""
    tracking = tracker(1)
    for n in range(30):
        tracking.track(seen(SUMMER, seed=n))
    assert tracking._patches is REFERENCE.patches


def test_the_signed_patches_stay_and_the_learned_are_bounded() -> None:
    """Whatever is learned, and however often."""
    rng = np.random.default_rng(0)
    patches, signed = REFERENCE.patches, len(REFERENCE.patches)
    for _ in range(8):
        fresh = Patches(
            np.round(rng.uniform((8, 8), (310, 170), (120, 2))),
            rng.integers(0, 255, (120, 121)).astype(np.uint8),
            np.zeros(120, np.intp),
        )
        patches = merged(patches, signed, rng.random(len(patches)).round(), fresh)
        assert len(patches) <= signed + MOST_LEARNED
        assert np.array_equal(patches.at[:signed], REFERENCE.patches.at)
