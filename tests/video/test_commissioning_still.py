"""The drawing of `vigie masks show`: whatever a frame hides is hidden on it too, the margin included."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config.model import Mask
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
