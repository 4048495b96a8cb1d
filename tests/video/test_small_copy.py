"""A camera lays its own picture, small, into a corner of it: every private space is seen twice, and the picture is covered."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view.guard import ViewGuard
from agent.view.relocation import SteppedRelocation
from agent.view.small_copy import CopySearchThread, SteppedCopySearch, shows_itself
from tests.support.scenery import HEIGHT, WIDTH, seen, street
from tests.video.test_view_guard import MASKS, REFERENCE, STREET, watch


def within_itself(picture: Plane, share: float) -> Plane:
    """With a copy of so much of its width in the corner below on the right."""
    wide, tall, out = int(WIDTH * share), int(HEIGHT * share), picture.copy()
    out[HEIGHT - tall - 6 : HEIGHT - 6, WIDTH - wide - 6 : WIDTH - 6] = cv2.resize(
        picture, (wide, tall), interpolation=cv2.INTER_AREA
    )
    return np.asarray(out, np.uint8)


@pytest.mark.parametrize("share", [0.21, 0.28, 0.37, 0.49])
def test_a_copy_is_found_at_any_size(share: float) -> None:
    """On several streets, and none is found where there is none."""
    for scene in (street(1), street(4), street(9)):
        assert shows_itself(within_itself(seen(scene), share))
        assert not shows_itself(seen(scene))


def test_the_picture_is_covered_while_it_shows_itself_and_clear_again_afterwards() -> None:
    """Within half a second; and it says why."""
    guarding = ViewGuard(REFERENCE, MASKS, 0.01, SteppedRelocation(REFERENCE.landmarks), SteppedCopySearch(5))
    watch(guarding, [seen(STREET, seed=n) for n in range(20)])
    covers = watch(guarding, [within_itself(seen(STREET, seed=20 + n), 0.4) for n in range(60)], 20)
    assert all("small" in cover.opaque or "much" in cover.opaque for cover in covers[12:])
    covers = watch(guarding, [seen(STREET, seed=100 + n) for n in range(40)], 80)
    assert not covers[-1].opaque


def test_a_search_that_fails_is_no_answer_and_the_next_one_runs() -> None:
    """Nothing blocks: the caller asks again."""
    asked = threading.Event()

    def search(_: Plane) -> bool:
        if not asked.is_set():
            asked.set()
            raise ValueError
        return True

    searching = CopySearchThread(search)
    excepthook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        answer = None
        while answer is None:
            searching.look_at(seen(STREET))
            answer = searching.answer()
    finally:
        threading.excepthook = excepthook
    assert answer


def test_a_front_of_equal_windows_is_no_copy() -> None:
    """Smaller, its windows blur into those next to them; closely looked at they are other windows."""
    front = np.full((HEIGHT, WIDTH), 170, np.uint8)
    front[:60], front[HEIGHT - 60 :] = 220, 90
    for y in range(70, HEIGHT - 116, 90):
        for x in range(12, WIDTH - 32, 64):
            front[y : y + 56, x : x + 32] = 40
    grain = np.random.default_rng(1).normal(0, 2, front.shape)
    assert not shows_itself(np.asarray(np.clip(cv2.GaussianBlur(front, (0, 0), 1.2) + grain, 0, 255), np.uint8))
