"""A pose is proved by the one picture alone, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.view.local_contrast import working_picture
from agent.view.pose import HOME, Pose
from agent.view.proof import prove, vouchers
from agent.view.reference import ViewIdentity, ViewReference
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, seen, street

STREET = street()
IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)
REFERENCE = ViewReference.take([seen(STREET, seed=i) for i in range(5)], [WINDOW, DOOR], IDENTITY, by="a", on="b")[0]
PATCHES, FRAME = REFERENCE.patches, REFERENCE.frame
CORNERS = np.concatenate([FRAME.from_fractions(np.array(mask)) for mask in (WINDOW, DOOR)])


def shifted(across_px: float, down_px: float) -> Pose:
    """By so many working pixels."""
    return np.array([[1, 0, across_px], [0, 1, down_px], [0, 0, 1.0]])


def test_a_view_that_moved_little_is_proved_from_where_it_was() -> None:
    """Two pixels of the picture are one of the guard's."""
    proof = prove(working_picture(seen(STREET, 2, 1, seed=9)), PATCHES, FRAME, CORNERS, HOME)
    assert proof is not None
    assert FRAME.shift_px(proof.pose, shifted(1, 0.5)) < 0.3
    assert proof.count > 0.9 * len(PATCHES)


def test_a_start_at_which_hardly_anything_looks_alike_is_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The view moved by 15 pixels: with half of the patches asked for, no time goes into a fit."""

    def fit(*_: object, **__: object) -> None:
        pytest.fail("fitted all the same")

    monkeypatch.setattr("agent.view.proof.fit_pose", fit)
    picture = working_picture(seen(STREET, 30, 10, seed=9))
    assert prove(picture, PATCHES, FRAME, CORNERS, HOME, least_alike=len(PATCHES) // 2) is None


def test_a_few_patches_are_looked_at_as_all_are() -> None:
    """The same likeness and the same step, whoever is asked besides."""
    picture = working_picture(seen(STREET, 3, -2, seed=9))
    some = np.arange(3, len(PATCHES), 7)
    all_of_them, few = PATCHES.look(picture, HOME), PATCHES.look(picture, HOME, some)
    assert np.allclose(few.likeness, all_of_them.likeness[some], atol=1e-5)
    assert np.allclose(few.step, all_of_them.step[some], atol=1e-4)
    assert vouchers(picture, PATCHES, shifted(1.5, -1), some).mean() > 0.9
    assert not vouchers(picture, PATCHES, shifted(20, 9), some).any()


def test_a_look_does_not_depend_on_light_or_contrast() -> None:
    """What is taken away from a look, its mean and its length, is taken away: half the contrast says the same."""
    picture = working_picture(seen(STREET, 1, 1, seed=9))
    plain, pale = PATCHES.look(picture, HOME), PATCHES.look(picture // 2 + 90, HOME)
    assert np.abs(plain.likeness - pale.likeness).max() < 0.01
    assert np.abs(plain.step - pale.step).max() < 0.1
    assert PATCHES.look(np.full_like(picture, 128), HOME).likeness.max() == 0


def test_a_template_looks_like_itself_and_sits_where_it_is() -> None:
    """One patch drawn on grey: likeness 1, no step."""
    picture = np.full((FRAME.height, FRAME.width), 128, np.uint8)
    (x, y), side = PATCHES.at[0].astype(int), 11
    picture[y - 5 : y + 6, x - 5 : x + 6] = PATCHES.templates[0].reshape(side, side)
    only = replace(PATCHES, at=PATCHES.at[:1], templates=PATCHES.templates[:1], cell=PATCHES.cell[:1])
    look = only.look(picture, HOME)
    assert look.likeness[0] == pytest.approx(1, abs=1e-3)
    assert np.abs(look.step).max() < 0.02
