"""The look at decoded pictures: words on a closed one are no private sample, and a private sample is found all the same."""

from __future__ import annotations

import numpy as np
import pytest

from agent.mask.colour import SOLID_YUV
from agent.mask.reason import write_reason
from agent.picture.caption import Caption
from agent.picture.planes import FrameTime, Planes
from tests.support.private_look import CODEC_TOLERANCE, deviation, is_closed

WIDTH, HEIGHT = 768, 576
BOX = ((0.3, 0.4), (0.5, 0.4), (0.5, 0.6), (0.3, 0.6))
"""In the middle, where the words stand."""
HIGH = ((0.05, 0.05), (0.15, 0.05), (0.15, 0.2), (0.05, 0.2))
"""Above the words."""
REASON = "the signature of the view's reference does not fit: run vigie masks validate once somebody has looked at the picture"


def closed() -> Planes:
    """A closed picture as an encoder leaves it: words, a caption, and chroma that is off beside some letters."""
    planes = Planes.empty(WIDTH, HEIGHT)
    for plane, fill in zip((planes.y, planes.u, planes.v), SOLID_YUV, strict=True):
        plane[...] = fill
    Caption("pole-7", "bottom", "Europe/Paris").draw(planes, FrameTime(0, 0, 0))
    write_reason(planes.y, REASON)
    beside = np.argwhere(planes.y[: HEIGHT // 4 * 3 : 2, ::2] > 200)
    rows, columns = beside[:: max(1, len(beside) // 300)].T
    planes.u[rows, columns] += 13
    planes.v[rows, columns] -= 9
    return planes


def show(planes: Planes, luma: tuple[int, int], chroma: int, polygon: tuple[tuple[float, float], ...]) -> None:
    """Something private in the polygon's box: luma from..to, and a colour."""
    (left, top), (right, bottom) = (
        (int(polygon[0][0] * WIDTH), int(polygon[0][1] * HEIGHT)),
        (
            int(polygon[2][0] * WIDTH),
            int(polygon[2][1] * HEIGHT),
        ),
    )
    size = bottom - top, right - left
    planes.y[top:bottom, left:right] = np.random.default_rng(1).integers(*luma, size, dtype=np.uint8)
    planes.u[top // 2 : bottom // 2, left // 2 : right // 2] = chroma


def test_words_on_a_closed_picture_are_no_private_sample() -> None:
    """Letters over a private space, and chroma that an encoder left 13 levels off beside them, are looked past."""
    planes = closed()
    assert is_closed(planes)
    assert deviation(planes, [BOX, HIGH]) <= CODEC_TOLERANCE


@pytest.mark.parametrize("polygon", [BOX, HIGH])
@pytest.mark.parametrize(("luma", "chroma"), [((60, 100), 128), ((110, 140), 145), ((40, 200), 150), ((180, 220), 128)])
def test_a_private_space_is_found_on_a_picture_that_is_closed_but_for_it(
    polygon: tuple[tuple[float, float], ...], luma: tuple[int, int], chroma: int
) -> None:
    """Dark, bright or coloured, behind the words or above them: one open space is seen."""
    planes = closed()
    show(planes, luma, chroma, polygon)
    assert deviation(planes, [BOX, HIGH]) > CODEC_TOLERANCE


def test_an_open_picture_is_never_taken_for_a_closed_one() -> None:
    """Neither one in colour nor one under infrared light, which has none."""
    planes = closed()
    show(planes, (20, 230), 128, ((0, 0), (1, 0), (1, 1), (0, 1)))
    assert not is_closed(planes)
    planes = closed()
    show(planes, (120, 130), 150, ((0, 0.3), (1, 0.3), (1, 0.4), (0, 0.4)))
    assert not is_closed(planes)
