"""Many patches are looked for in one picture as OpenCV looks for each of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.view.likeness_maps import likeness_maps
from agent.view.local_contrast import working_picture
from tests.support.scenery import seen, street


@pytest.mark.parametrize("shape", [(180, 320), (220, 320), (37, 53)])
def test_every_place_is_as_like_as_opencv_says(shape: tuple[int, int]) -> None:
    """Over streets and noise, of sizes that suit a transform and sizes that do not; each patch is found where it was taken."""
    rng = np.random.default_rng(shape[0])
    for picture in (
        np.asarray(cv2.resize(working_picture(seen(street(3))), shape[::-1], interpolation=cv2.INTER_AREA), np.uint8),
        rng.integers(0, 256, shape, np.uint8),
    ):
        places = rng.integers(0, (shape[1] - 11, shape[0] - 11), (8, 2)).tolist()
        templates = [np.ascontiguousarray(picture[y : y + 11, x : x + 11]) for x, y in places]
        for (x, y), template, found in zip(places, templates, likeness_maps(picture, templates), strict=True):
            there = cv2.matchTemplate(picture, template, cv2.TM_CCOEFF_NORMED)
            assert found.shape == there.shape
            assert np.abs(found - there).max() < 5e-4
            assert found[y, x] == pytest.approx(1.0, abs=1e-3)


def test_what_is_flat_is_like_nothing() -> None:
    """A wall without a mark, and a patch without one: 0, and no division by nothing."""
    wall = np.full((60, 80), 90, np.uint8)
    patch = np.random.default_rng(1).integers(0, 256, (11, 11), np.uint8)
    for found in likeness_maps(wall, [patch, np.full((11, 11), 7, np.uint8)]):
        assert not found.any()
