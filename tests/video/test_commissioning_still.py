"""The drawing of `vigie masks show`: whatever a frame hides is hidden on it too, the margin included."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config.model import Mask
from agent.mask.ruler import label, text_size
from agent.view.commissioning_still import draw, terminal
from tests.support.private_shapes import Corners, is_touched, shapes
from tests.support.scenery import seen, street

SIZES = ((160, 90), (161, 91), (96, 128))
WINDOW = Mask(name="window", polygon=((0.40, 0.30), (0.60, 0.30), (0.60, 0.50), (0.40, 0.50)))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(shapes(), min_size=1, max_size=3), st.sampled_from((0.0, 0.01, 0.05)), st.sampled_from(SIZES), st.integers(0, 999)
)
def test_no_sample_that_a_frame_hides_is_on_the_drawing(
    polygons: list[Corners], margin: float, size: tuple[int, int], seed: int
) -> None:
    """Any polygons, margin and size: two scenes that differ only in what is private give the same drawing."""
    width, height = size
    rng = np.random.default_rng(seed)
    one = rng.integers(30, 230, (height, width), np.uint8)
    other = one.copy()
    private = is_touched(tuple(polygons), margin, size, height, width)
    other[private] = rng.integers(30, 230, int(private.sum()), np.uint8)
    # The drawing takes what the configuration has let pass; corners beyond the frame make it harder here.
    masks = [Mask(name=f"m{n}", polygon=tuple(map(tuple, p))) for n, p in enumerate(polygons)]
    assert np.array_equal(draw(one, masks, margin), draw(other, masks, margin))


def test_what_lies_beside_the_mask_is_shown_in_the_terminal_too() -> None:
    """Inside the mask anything may happen unseen; without the mask it shows, and so does what lies well beside it."""
    one = seen(street(), noise=0)
    height, width = one.shape
    other, beside = one.copy(), one.copy()
    other[round(0.3 * height) : round(0.5 * height), round(0.4 * width) : round(0.6 * width)] ^= 255
    beside[round(0.7 * height) :] ^= 255
    assert terminal(draw(one, [WINDOW], 0.01), 80) == terminal(draw(other, [WINDOW], 0.01), 80)
    assert not np.array_equal(draw(one, [], 0.01), draw(other, [], 0.01))
    assert not np.array_equal(draw(one, [WINDOW], 0.01), draw(beside, [WINDOW], 0.01))


def test_the_ruler_names_every_tenth_and_every_corner() -> None:
    """Labels at the edges where the tenths are, a number outside of each corner, and the margin's rim where the fill ends."""
    ground = np.full((360, 640), 128, np.uint8)
    window = Mask(name="window", polygon=((0.25, 0.25), (0.55, 0.25), (0.55, 0.55), (0.25, 0.55)))
    drawn, bare = draw(ground, [window], 0.02), draw(ground, [], 0.02)
    for step in range(1, 10):
        x, y = 64 * step, 36 * step
        assert (bare[2:10, x - 12 : x + 12] < 40).any()
        assert (bare[y - 6 : y + 6, 2:22] > 200).any()
    changed = (drawn != bare).any(axis=2)
    for corner, towards in ((0.25, -1), (0.55, 1)):  # the numbers 1 and 3, beyond the margin
        at_x, at_y = round(640 * corner + towards * 16), round(360 * corner + towards * 16)
        assert changed[at_y - 5 : at_y + 5, at_x - 5 : at_x + 5].any()
    rim = drawn[180, 640 * 57 // 100 - 2 : 640 * 57 // 100 + 3].astype(int)
    assert changed[100:180, 640 * 57 // 100 - 1].any(), rim
    assert not changed[100:180, 640 * 57 // 100 + 20 : 640 * 57 // 100 + 30].any()


def test_a_name_with_accents_is_written_with_them() -> None:
    """Over the plain letters, which stand where they stood: no question marks, and nothing else of the picture changes."""
    ground = np.full((360, 640), 128, np.uint8)
    shape = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
    accented, bare = Mask(name="fenêtre à côté", polygon=shape), Mask(name="fenetre a cote", polygon=shape)
    with_accents, without = (draw(ground, [mask], 0.01) for mask in (accented, bare))
    rows = np.flatnonzero((with_accents != without).any(axis=(1, 2)))
    assert 1 <= rows.max() - rows.min() <= 6


@pytest.mark.parametrize("letter", "àâçéèêëîïôùûüÀÂÇÉÈÊËÎÏÔÙÛÜ")
def test_every_french_accent_is_seen(letter: str) -> None:
    """Each letter differs from the plain one, and nothing leaves the label's field."""
    drawn = []
    for text in (letter, unicodedata.normalize("NFD", letter)[0]):
        picture = np.full((40, 60, 3), 128, np.uint8)
        label(picture, text, (20, 10), (255, 255, 255), 1)
        drawn.append(picture.copy())
        wide, tall = text_size(text, 1)
        picture[10 : 11 + tall, 20 : 21 + wide] = 128
        assert (picture == 128).all()
    assert not np.array_equal(drawn[0], drawn[1])
