"""What vanished at once stays expected until it is found, and what fades one by one still speaks together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.view.expectation import Expectation, voice
from agent.view.patches import SIDE, Patches

CELLS = np.repeat(np.arange(12), [8, 8, *[1] * 10])
"""Two cells full of text, and ten of the scene with a patch each."""
PATCHES = Patches(
    np.arange(2.0 * len(CELLS)).reshape(-1, 2), np.zeros((len(CELLS), SIDE * SIDE), np.uint8), CELLS.astype(np.intp)
)
INSIDE = np.ones(len(CELLS), np.bool_)
TEXT = CELLS < 2


def test_text_counts_for_its_area_and_not_for_its_patches() -> None:
    """16 of 26 patches stay where they were, in 2 of 12 cells: a sixth of what is expected is there."""
    kept = Expectation(PATCHES).kept(voice(np.where(TEXT, 1.0, 0.0)), INSIDE)
    assert kept == pytest.approx(1 / 6)


def test_a_picture_that_is_not_shown_changes_nothing() -> None:
    """Asked over and over without being shown: the same answer."""
    expected = Expectation(PATCHES)
    survivors = voice(np.where(TEXT, 1.0, 0.0))
    assert len({expected.kept(survivors, INSIDE) for _ in range(100)}) == 1


def test_what_goes_by_and_by_is_forgotten() -> None:
    """A cell every other picture, as behind a lorry: never a quarter at once."""
    expected = Expectation(PATCHES)
    for picture in range(12):
        heard = np.where((CELLS >= 2) & (3 + picture // 2 > CELLS), 0.0, 1.0)
        assert expected.kept(heard, INSIDE) > 0.75
        expected.learn(heard, heard > 0.5, at_once=False)


def test_a_view_in_fog_is_still_heard() -> None:
    """No patch confirms (0.70), and all of what is expected is there; at random likeness next to nothing is."""
    expected = Expectation(PATCHES)
    assert expected.kept(voice(np.full(len(CELLS), 0.52)), INSIDE) == pytest.approx(1.0)
    chance = np.random.default_rng(1).normal(0, 0.23, len(CELLS))
    assert expected.kept(voice(chance), INSIDE) < 0.25


def test_what_hides_a_view_is_not_expected_of_it() -> None:
    """Behind a lorry patches look by chance like what they hide: when that goes, what was seen beside it is still all there."""
    expected, beside = Expectation(PATCHES), CELLS >= 10
    hidden = np.where(np.arange(len(CELLS)) % 4 == 0, 0.5, 0.0)
    expected.learn(np.where(beside, 1.0, hidden), beside, at_once=True)
    assert expected.kept(np.where(beside, 1.0, 0.0), INSIDE) == pytest.approx(1.0)
    assert expected.kept(np.where(CELLS == 10, 1.0, 0.0), INSIDE) == pytest.approx(0.5)


def test_faint_voices_count_while_they_are_many() -> None:
    """Fog beside two cells of text: the text alone is far from what is expected."""
    expected = Expectation(PATCHES)
    expected.learn(np.where(TEXT, 1.0, 0.45), TEXT, at_once=True)
    assert expected.kept(np.where(TEXT, 1.0, 0.0), INSIDE) < 0.5


def test_what_comes_back_was_hidden_and_not_expected() -> None:
    """Marks that were seen all the time are no return; the scene that a lorry hid is."""
    expected = Expectation(PATCHES)
    expected.learn(np.where(TEXT, 1.0, 0.0), TEXT, at_once=True)
    assert expected.returned(TEXT) == 0.0
    assert expected.returned(~TEXT) == pytest.approx(10 / 12)


@given(st.lists(st.floats(-1, 1), min_size=len(CELLS), max_size=len(CELLS)), st.integers(0, len(CELLS) - 1))
def test_more_likeness_never_makes_less_kept(likeness: list[float], which: int) -> None:
    """Monotone in every patch, and between 0 and 1."""
    expected = Expectation(PATCHES)
    before = np.array(likeness)
    after = before.copy()
    after[which] = 1.0
    assert 0.0 <= expected.kept(voice(before), INSIDE) <= expected.kept(voice(after), INSIDE) + 1e-12 <= 1.0 + 1e-9


def test_other_patches_keep_what_is_known_of_them() -> None:
    """After some are given up and one is learned: the known as before, the new one not expected yet."""
    expected = Expectation(PATCHES)
    expected.learn(voice(np.where(TEXT, 1.0, 0.0)), TEXT, at_once=True)
    fewer = PATCHES.only(CELLS != 0)
    fresh = Patches(
        np.concatenate([fewer.at, [[500.0, 500.0]]]),
        np.concatenate([fewer.templates, fewer.templates[:1]]),
        np.concatenate([fewer.cell, [40]]),
    )
    expected.carried_to(PATCHES, fresh)
    assert expected.of.tolist() == [1.0] * 8 + [0.0] * 11
    assert expected.area.sum() == pytest.approx(1.0)


def seen_after(levels: list[float], marks: NDArray[np.bool_]) -> float:
    """The share that confirms on the last picture when all but the marks are heard at these levels, one picture each."""
    expected, heard = Expectation(PATCHES), np.ones(len(CELLS))
    for level in levels:
        heard = np.where(marks, 1.0, level)
        expected.learn(heard, heard > 0.8, at_once=False)
    return expected.seen(heard > 0.8, heard, INSIDE)


def test_what_dusk_takes_by_and_by_is_asked_and_what_a_lorry_hides_is_not() -> None:
    """Two cells of twelve are left: after a dusk that is a sixth of what is known, behind a lorry all that can be seen."""
    dusk = [1.0] * 5 + [max(0.0, 1 - 0.03 * n) for n in range(50)]
    assert seen_after(dusk, TEXT) == pytest.approx(1 / 6)
    assert seen_after([1.0] * 5 + [0.0], TEXT) == pytest.approx(1.0)
    assert seen_after([1.0] * 5 + [0.8, 0.5, 0.3, 0.05], TEXT) == pytest.approx(1.0), "it drives slowly"
    assert seen_after([1.0] * 5 + [0.0] * 5 + [0.7, 0.7], TEXT) == pytest.approx(1 / 6), "it is gone, and it is night"


def test_what_murmurs_confirms_nothing() -> None:
    """Threads before the lens over all of the view: what they have in common with it is heard, and is no proof."""
    murmur = np.full(len(CELLS), 0.7)
    assert Expectation(PATCHES).seen(murmur > 0.8, murmur, INSIDE) == 0
