"""Pictures that fade into each other, as a camera that calms its noise over time makes them: each image keeps its masks."""

from __future__ import annotations

import numpy as np
import pytest

from agent.picture.planes import Plane
from tests.support.scenery import seen
from tests.video.test_view_guard import STREET, guard, uncovered, watch

Place = tuple[float, float]
HOME: Place = (0.0, 0.0)


def mixed(parts: dict[Place, float], seed: int) -> Plane:
    """Several places in one picture, each with its share of the light."""
    sums = sum(share * seen(STREET, *place, seed=seed).astype(np.float64) for place, share in parts.items())
    return np.asarray(np.round(sums), np.uint8)


def smoothed(places: list[Place], kept: float) -> list[dict[Place, float]]:
    """What each picture holds when `kept` of the one before is kept; the first is at home."""
    shares, out = {HOME: 1.0}, []
    for place in places:
        shares = {where: share * kept for where, share in shares.items() if share * kept > 0.01}
        shares[place] = shares.get(place, 0.0) + 1 - kept
        out.append({where: share / sum(shares.values()) for where, share in shares.items()})
    return out


@pytest.mark.parametrize("kept", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("pause", [2, 4, 9])
def test_two_knocks_while_the_picture_fades_leave_no_image_bare(kept: float, pause: int) -> None:
    """Home, the first place and the second lie in one picture: wherever one of them is seen, it is covered."""
    first, second = (14.0, -26.0), (-40.0, 12.0)
    shares = smoothed([HOME] * 6 + [first] * pause + [second] * 40, kept)
    covers = watch(guard(), [mixed(parts, seed) for seed, parts in enumerate(shares)])
    for parts, cover in zip(shares, covers, strict=True):
        assert {place: uncovered(cover, *place) for place, share in parts.items() if share > 0.1} == dict.fromkeys(
            (place for place, share in parts.items() if share > 0.1), 0
        )
    assert not covers[-1].opaque


@pytest.mark.parametrize("step", [0.02, 0.04])
def test_an_image_that_comes_by_and_by_is_seen_before_it_is_a_quarter(step: float) -> None:
    """So slowly that no picture differs much from the one before: what counts is the last picture that held none of it."""
    far: Place = (14.0, -26.0)
    shares = [{HOME: 1.0}] * 8 + [{HOME: 1 - step * n, far: step * n} for n in range(1, round(0.8 / step))]
    covers = watch(guard(), [mixed(parts, seed) for seed, parts in enumerate(shares)])
    for parts, cover in zip(shares, covers, strict=True):
        assert parts.get(far, 0.0) < 0.25 or uncovered(cover, *far) == 0
