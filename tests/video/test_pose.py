"""The pose: found again from what was seen, outliers or not, and honest about its doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.view.pose import HOME, Pose, WorkingSize, fit_pose, move, panned
from bench.disturbance import turned

FRAME = WorkingSize(320, 180)
RNG = np.random.default_rng(4)
AT = RNG.uniform((5, 5), (315, 175), (60, 2))


def knocked(dx: float, dy: float, degrees: float, zoom: float) -> Pose:
    """The camera turned so that the middle moves by so many working pixels, at a focal length of one width."""
    to_large = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    pose = np.linalg.inv(to_large) @ turned(2 * dx, 2 * dy, degrees, zoom, 1.0, 360) @ to_large
    return np.asarray(pose / pose[2, 2], np.float64)


KNOCKS = st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.floats(-5, 5), st.floats(0.95, 1.05))


@settings(max_examples=60, deadline=None)
@given(KNOCKS)
def test_a_pose_is_found_again_from_the_points_it_moved(knock: tuple[float, float, float, float]) -> None:
    """Within a sixth of a pixel where points are, one at the corners; noise, a fifth of outliers, a start some pixels off."""
    pose = knocked(*knock)
    rng = np.random.default_rng(1)
    seen = move(pose, AT) + rng.normal(0, 0.15, AT.shape)
    start = np.array([[1, 0, 2.0], [0, 1, -2.0], [0, 0, 1]]) @ pose
    seen[::5] += rng.uniform(-25, 25, seen[::5].shape)
    fit = fit_pose(FRAME, AT, seen, start, rounds=10)
    assert FRAME.shift_px(fit.pose, pose) < 1.0
    assert np.median(np.linalg.norm(move(fit.pose, AT) - move(pose, AT), axis=1)) < 0.15


@pytest.mark.parametrize("off", [(15.0, 5.0), (-40.0, 20.0), (0.0, -25.0)])
def test_a_pan_starts_nearer_to_the_pose_than_a_mere_shift(off: tuple[float, float]) -> None:
    """The middle moves as told; the corners, which perspective moves besides, are nearer to where a camera puts them."""
    pose = knocked(*off, 0.0, 1.0)
    guess = panned(FRAME, HOME, *off)
    shift = np.array([[1, 0, off[0]], [0, 1, off[1]], [0, 0, 1.0]])
    assert np.allclose(move(guess, FRAME.centre[None]), FRAME.centre + off)
    assert FRAME.shift_px(guess, pose) < 0.7 * FRAME.shift_px(shift, pose)


def test_the_doubt_grows_away_from_what_was_measured() -> None:
    """Points on the left only: the right edge is less certain, and few points are less certain than many."""
    left = AT[AT[:, 0] < 110]
    corners = np.array([(20.0, 90.0), (310.0, 90.0)])
    near, far = fit_pose(FRAME, left, left, HOME).sigma_px(corners)
    assert far > 2 * near
    assert fit_pose(FRAME, AT, AT, HOME).sigma_px(corners)[1] < far


def test_fractions_and_pixels_agree() -> None:
    """The corner of the picture is half a pixel outside of the corner pixel's centre, and back."""
    whole = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    assert np.allclose(FRAME.from_fractions(whole), FRAME.corners)
    assert np.allclose(FRAME.to_fractions(FRAME.corners), whole)
