"""Pictures that fade into each other, as a camera that calms its noise over time makes them: each image keeps its masks."""

from __future__ import annotations

import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view.fading import Fading
from agent.view.local_contrast import working_picture
from agent.view.pose import HOME as POSE_HOME
from agent.view.pose import PoseFit, WorkingSize, panned
from agent.view.proof import Proof
from tests.support.scenery import HEIGHT, seen
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


@pytest.mark.parametrize("frozen", [0.0, 0.3, 0.5, 0.6])
def test_an_image_that_comes_beside_rows_that_stand_still_is_seen_all_the_same(frozen: float) -> None:
    """A receiver repeats the upper rows while the others fade: most of what is known grows no paler, and a fifth is covered."""
    far: Place = (14.0, -26.0)
    guarding, still = guard(), [seen(STREET, seed=n) for n in range(12)]
    watch(guarding, still)
    for n, parts in enumerate(smoothed([far] * 12, 0.92)):
        picture = mixed(parts, 12 + n)
        rows = int(frozen * HEIGHT)
        picture[:rows] = still[-1][:rows]
        cover = watch(guarding, [picture], 12 + n)[0]
        assert parts[far] < 0.2 or uncovered(cover, *far) == 0


@pytest.mark.parametrize("frozen", [0.5, 0.6])
def test_an_image_that_was_seen_is_covered_until_it_is_gone(frozen: float) -> None:
    """Two knocks in a row beside rows that stand still: the first one grows too faint to be made out, and still shows."""
    first, second = (6.0, 44.0), (32.0, -18.0)
    guarding, still = guard(), [seen(STREET, seed=n) for n in range(12)]
    watch(guarding, still)
    for n, parts in enumerate(smoothed([first] * 5 + [second] * 16, 0.87)):
        picture = mixed(parts, 12 + n)
        rows = int(frozen * HEIGHT)
        picture[:rows] = still[-1][:rows]
        cover = watch(guarding, [picture], 12 + n)[0]
        for place in (first, second):
            assert parts.get(place, 0.0) < 0.13 or uncovered(cover, *place) == 0


def proof_at(off: Place, likeness: float) -> Proof:
    """Sixty patches that all confirm at a displacement of the working picture, and how alike they are."""
    frame, one = WorkingSize(320, 180), np.ones(60, np.bool_)
    fit = PoseFit(panned(frame, POSE_HOME, *off), np.zeros(8), np.zeros((8, 8)), frame)
    return Proof(fit, one, one, np.full(60, likeness), np.zeros((60, 2)), 0.1, 0.1)


def test_a_picture_that_held_two_images_is_no_witness_of_a_second_one_later() -> None:
    """Home above, the next place below, both masked: when the latter is all that is left, its like in that picture is no news."""
    away: Place = (15.0, 16.0)
    home, then = (working_picture(seen(STREET, 2 * x, 2 * y, seed=int(x))) for x, y in (HOME, away))
    both = home.copy()
    both[90:] = then[90:]
    fading, sure = Fading(60), np.ones(60, np.bool_)
    masked: list[Place] = []
    for picture, likeness in ((home, 0.95), (both, 0.9)):
        proof = proof_at(HOME, likeness)
        assert not fading.doubled(picture, proof, sure, 1.0, masked.copy)
        fading.shown(picture, proof, masked, anew=False)
        masked = [away]
    assert not fading.doubled(then, proof_at(away, 0.8), sure, 1.0, list)
    third = working_picture(seen(STREET, -44.0, 20.0, seed=9))
    mixture = np.asarray(np.round(0.8 * then + 0.2 * third), np.uint8)
    assert fading.doubled(mixture, proof_at(away, 0.7), sure, 1.0, list), "a third image is still seen"
