"""A camera lays its own picture, small, into a corner of it: every private space is seen twice, and the picture is covered."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view.fresh_block import FreshBlock
from agent.view.guard import ViewGuard
from agent.view.local_contrast import working_picture
from agent.view.relocation import SteppedRelocation
from agent.view.small_copy import LIKE, CopySearchThread, CopyWatch, SteppedCopySearch, copy_likeness
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
        assert copy_likeness(within_itself(seen(scene), share)) > LIKE > copy_likeness(seen(scene))


@pytest.mark.parametrize("share", [0.2, 0.25, 0.4])
def test_the_picture_is_covered_while_it_shows_itself_and_clear_again_afterwards(share: float) -> None:
    """From the first picture on, since so much changed at once, or a solid part that lay still did; and it says why."""
    guarding = ViewGuard(REFERENCE, MASKS, 0.01, SteppedRelocation(REFERENCE.landmarks), SteppedCopySearch(5))
    watch(guarding, [seen(STREET, seed=n) for n in range(20)])
    covers = watch(guarding, [within_itself(seen(STREET, seed=20 + n), share) for n in range(60)], 20)
    assert all("being looked at" in cover.opaque or "much" in cover.opaque for cover in covers[:5])
    assert all("small" in cover.opaque or "much" in cover.opaque for cover in covers[5:])
    covers = watch(guarding, [seen(STREET, seed=100 + n) for n in range(40)], 80)
    assert not covers[-1].opaque


def test_what_changes_at_once_and_is_no_copy_closes_the_picture_until_it_was_looked_at() -> None:
    """A board is set up on an eighth of the view between two pictures: five are closed, and then it is shown."""
    guarding = ViewGuard(REFERENCE, MASKS, 0.01, SteppedRelocation(REFERENCE.landmarks), SteppedCopySearch(5))
    watch(guarding, [seen(STREET, seed=n) for n in range(20)])

    def behind_a_board(seed: int) -> Plane:
        picture = seen(STREET, seed=seed)
        picture[int(HEIGHT * 0.62) : HEIGHT - 6, int(WIDTH * 0.62) : WIDTH - 6] = 90
        return picture

    covers = watch(guarding, [behind_a_board(20 + n) for n in range(12)], 20)
    assert ["being looked at" in cover.opaque for cover in covers] == [True] * 5 + [False] * 7
    assert not any(cover.opaque for cover in covers[5:])


def test_what_goes_on_while_the_picture_is_looked_at_is_no_second_reason() -> None:
    """A lorry's side appears at once and drives on: looked at for five pictures, and shown, though a third is hidden by then."""
    guarding = ViewGuard(REFERENCE, MASKS, 0.01, SteppedRelocation(REFERENCE.landmarks), SteppedCopySearch(5))
    watch(guarding, [seen(STREET, seed=n) for n in range(20)])

    def behind(columns: int, seed: int) -> Plane:
        picture = seen(STREET, seed=seed)
        picture[:, :columns] = 90
        return picture

    covers = watch(guarding, [behind(80 + 24 * n, 20 + n) for n in range(6)], 20)
    covers += watch(guarding, [behind(200, 30 + n) for n in range(6)], 26)
    assert any("being looked at" in cover.opaque for cover in covers)
    assert {cover.opaque for cover in covers if "looked at" not in cover.opaque} == {""}


def test_only_a_solid_part_that_lay_still_is_laid_over_the_picture() -> None:
    """A lorry comes in by its edge, light leaves what there is, rain is everywhere, a text is thin: none of them; a board is."""
    rng = np.random.default_rng(3)
    stills = [seen(STREET, seed=n) for n in range(16)]

    def found(more: list[Plane]) -> bool:
        block = FreshBlock()
        assert not any(block.seen(working_picture(picture)) for picture in stills)
        return any(block.seen(working_picture(picture)) for picture in more)

    def with_a_board(left: int, right: int, seed: int) -> Plane:
        picture = seen(STREET, seed=seed)
        board = street(8)[200 : 200 + HEIGHT, 200 : 200 + WIDTH]
        picture[120:240, left:right] = board[120:240, left:right]
        return picture

    assert found([with_a_board(200, 330, 40)])
    assert not found([with_a_board(0, 20 * n, 40 + n) for n in range(1, 25)])
    assert not found([np.asarray(np.clip(seen(STREET, seed=50) * gain + 8, 0, 255), np.uint8) for gain in (0.5, 0.3, 1.4)])
    streaks = seen(STREET, seed=51)
    for x, y in rng.integers(0, (WIDTH, HEIGHT), (300, 2)).tolist():
        cv2.line(streaks, (x, y), (x + 2, y + 14), 190, 1)
    assert not found([streaks])
    text = seen(STREET, seed=52)
    cv2.putText(text, "PLACE DE LA MAIRIE", (20, 200), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 235, 2, cv2.LINE_AA)
    assert not found([text])


class _SlowSearch:
    """A search that was asked about an older picture, and answers when it is told to."""

    def __init__(self) -> None:
        self.busy, self.asked, self.found = False, 0, False

    def look_at(self, luma: Plane) -> bool:
        asked, self.busy = not self.busy, True
        self.asked += asked
        return asked

    def answer(self) -> bool | None:
        return self.found if not self.busy else None


def test_an_answer_about_an_older_picture_opens_nothing() -> None:
    """The search was busy when the picture changed: what it says then is of a picture before, and the new one is asked about."""
    search, luma = _SlowSearch(), seen(STREET)
    small = working_picture(luma)
    watch_for = CopyWatch(search)
    assert {watch_for.seen(luma, small, 0.03, 0.0) for _ in range(20)} == {""}
    assert "looked at" in watch_for.seen(luma, small, 0.2, 0.2)
    search.busy = False
    assert "looked at" in watch_for.seen(luma, small, 0.2, 0.2)
    assert search.asked == 2
    search.busy, search.found = False, True
    assert "small" in watch_for.seen(luma, small, 0.2, 0.2)


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
    assert copy_likeness(np.asarray(np.clip(cv2.GaussianBlur(front, (0, 0), 1.2) + grain, 0, 255), np.uint8)) < LIKE


class _Answers:
    """A search that finds what it is told to, at once."""

    def __init__(self, like: float) -> None:
        self.like, self._asked = like, False

    def look_at(self, luma: Plane) -> bool:
        self._asked = True
        return True

    def answer(self) -> float | None:
        asked, self._asked = self._asked, False
        return self.like if asked else None


@pytest.mark.parametrize(
    ("usual", "after", "covered"), [(0.3, 0.43, True), (0.3, 0.38, False), (0.42, 0.44, False), (0.42, 0.49, True)]
)
def test_what_is_laid_over_the_picture_has_to_be_liker_than_the_picture_is_at_rest(
    usual: float, after: float, covered: bool
) -> None:
    """Behind a web a copy is less like: less suffices where something appeared at once, and never what was there before."""
    search, luma = _Answers(usual), seen(STREET)
    small, watch_for = working_picture(luma), CopyWatch(search)
    assert {watch_for.seen(luma, small, 0.0, 0.0) for _ in range(60)} == {""}
    search.like = after
    assert "looked at" in watch_for.seen(luma, small, 0.2, 0.2)
    told = {str(watch_for.seen(luma, small, 0.2, 0.0)) for _ in range(200)}
    assert told == ({"the picture shows itself a second time, small"} if covered else {""})


def test_what_is_laid_where_nothing_is_known_is_looked_at_at_once_and_shown_meanwhile() -> None:
    """No patch lies under it, and no periodical look is due: it is asked about at once, and covered by the answer."""
    search = _Answers(0.2)
    watch_for, plain, laid = CopyWatch(search), seen(STREET), within_itself(seen(STREET), 0.4)
    small = working_picture(plain)
    assert {watch_for.seen(plain, small, 0.0, 0.0) for _ in range(40)} == {""}
    search.like = 0.44
    told = [str(watch_for.seen(laid, working_picture(laid), 0.0, 0.0)) for _ in range(30)]
    assert told == [""] + ["the picture shows itself a second time, small"] * 29


def test_what_comes_block_by_block_is_looked_for_again() -> None:
    """A camera that calms its noise shows its own picture in pieces: the first look finds none, a later one does."""
    search = _Answers(0.2)
    watch_for, plain, laid = CopyWatch(search), seen(STREET), within_itself(seen(STREET), 0.4)
    small = working_picture(plain)
    assert {watch_for.seen(plain, small, 0.0, 0.0) for _ in range(40)} == {""}
    told = {watch_for.seen(laid, working_picture(laid), 0.0, 0.0) for _ in range(20)}  # looked at, and no copy yet
    search.like = 0.6
    told |= {str(watch_for.seen(laid, working_picture(laid), 0.0, 0.0)) for _ in range(14)}
    assert told == {"", "the picture shows itself a second time, small"}
