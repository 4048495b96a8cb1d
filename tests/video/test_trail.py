"""Poses that were left keep their masks while the old picture may still be seen."""

from __future__ import annotations

import numpy as np

from agent.view.pose import HOME, Pose, WorkingSize
from agent.view.trail import AFTERGLOW_FRAMES, Trail, displaced

FRAME = WorkingSize(320, 180)


def at(across_px: float) -> Pose:
    """Moved to the right by so many pixels."""
    return np.array([[1, 0, across_px], [0, 1, 0.0], [0, 0, 1]])


def places(trail: Trail, latest: Pose) -> list[float]:
    """How far each pose that carries masks lies from home."""
    return [round(FRAME.shift_px(pose), 1) for pose in trail.poses(latest)]


def test_a_pose_left_by_a_jump_keeps_its_masks_for_two_seconds() -> None:
    """Shown or not, proved or not, and no longer."""
    trail, there = Trail(FRAME), at(30)
    trail.passed(HOME, HOME)
    trail.passed(there, HOME)
    for frames in range(AFTERGLOW_FRAMES - 1):
        assert 0.0 in places(trail, there)
        trail.passed(there if frames % 3 else None, there)
    trail.passed(there, there)
    assert places(trail, there) == [30.0]


def test_what_is_still_seen_there_keeps_a_pose() -> None:
    """A ghost that does not fade: its time begins anew."""
    trail, there = Trail(FRAME), at(30)
    trail.passed(HOME, HOME)
    trail.passed(there, HOME)
    for _ in range(3 * AFTERGLOW_FRAMES):
        trail.passed(there, there)
        for pose in trail.poses(there):
            if FRAME.shift_px(pose) == 0:
                trail.still_seen(pose)
    assert 0.0 in places(trail, there)


def test_the_way_of_a_jump_carries_masks_on_its_picture() -> None:
    """What smears lies between; a picture later only both ends are left."""
    trail, there = Trail(FRAME), at(30)
    trail.passed(HOME, HOME)
    trail.passed(there, HOME)
    assert len(places(trail, there)) > 4
    trail.passed(there, there)
    assert sorted(places(trail, there)) == [0.0, 30.0]


def test_where_a_second_image_was_made_out_masks_stay_and_are_no_proof() -> None:
    """For two seconds; made out again, anew; and it is not counted among the places where the view was proved."""
    trail, image = Trail(FRAME), at(20)
    trail.passed(HOME, HOME)
    trail.image_at(image)
    for frames in range(AFTERGLOW_FRAMES - 1):
        trail.passed(HOME if frames % 2 else None, HOME)
        assert places(trail, HOME) == [0.0, 20.0]
        assert trail.proved(trail.poses(HOME)[1:]) == []
    trail.image_at(at(20.5))
    for _ in range(AFTERGLOW_FRAMES - 1):
        trail.passed(HOME, HOME)
        assert places(trail, HOME) == [0.0, 20.5]
    trail.passed(HOME, HOME)
    assert places(trail, HOME) == [0.0]


def test_a_sway_leaves_nothing_behind() -> None:
    """Movements of two pixels are followed by the last two pictures alone."""
    trail, before = Trail(FRAME), HOME
    for n in range(40):
        pose = at(2.0 * (n % 2))
        trail.passed(pose, before)
        before = pose
    assert len(places(trail, before)) <= 3
    assert not trail.poses(before)[3:]


def test_displacements_are_measured_in_the_middle_of_the_picture() -> None:
    """From where the view is to where it also carries masks."""
    assert displaced(FRAME, [at(30.0), HOME], at(10.0)) == [(20.0, 0.0), (-10.0, 0.0)]
