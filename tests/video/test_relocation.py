"""A lost view is found again anywhere in the picture, beside the thread that films."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view import relocation
from agent.view.pose import HOME, Pose, move
from agent.view.reference import ViewIdentity, ViewReference
from agent.view.relocation import Landmarks, RelocationThread, SteppedRelocation, by_keypoints, by_patches
from tests.support.scenery import HEIGHT, WIDTH, WINDOW, seen, street

STREET = street()
LUMAS = [seen(STREET, seed=i) for i in range(4)]
KNOWN = ViewReference.take(LUMAS, [WINDOW], ViewIdentity("0" * 64, "", WIDTH, HEIGHT, 0), by="a", on="b")[0].landmarks
FAR = (120, -50)


def middle_px(pose: Pose) -> np.ndarray:
    """How far, across and down, the pose moves the middle of the picture."""
    middle = KNOWN.frame.centre[None]
    return np.asarray(move(pose, middle) - middle)


@pytest.mark.parametrize("search", [by_keypoints, by_patches])
def test_a_far_view_is_found_within_a_few_pixels(search: Callable[[Landmarks, Plane], list[Pose]]) -> None:
    """By features and by patches, each alone; the first guess is the best."""
    assert middle_px(search(KNOWN, seen(STREET, *FAR))[0]) == pytest.approx(np.array([FAR]) / 2, abs=3)


def test_a_view_out_of_focus_is_found_by_all_patches_together() -> None:
    """No patch is like itself any more, and all of them are a little, at one displacement."""
    blurred = np.asarray(cv2.GaussianBlur(seen(STREET, *FAR), (0, 0), 3.5), np.uint8)
    away = [middle_px(pose) - np.array([FAR]) / 2 for pose in by_patches(KNOWN, blurred)]
    assert min(np.abs(off).max() for off in away) < 3


@pytest.mark.parametrize("search", [by_keypoints, by_patches])
def test_another_scene_or_none_is_not_found(search: Callable[[Landmarks, Plane], list[Pose]]) -> None:
    """Grey finds nothing; another street may make a guess, which the proof then refuses."""
    assert search(KNOWN, np.full((HEIGHT, WIDTH), 90, np.uint8)) == []


def test_the_search_does_not_hold_up_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a search is under way pictures are turned down at once, and the answer comes when it is done."""
    going, done = threading.Event(), threading.Event()

    def slow(_: Landmarks, luma: Plane) -> list[np.ndarray]:
        done.wait(60)
        going.set()
        return [HOME]

    monkeypatch.setattr(relocation, "relocate", slow)
    search = RelocationThread(KNOWN)
    for _ in range(20):
        search.look_for(LUMAS[0])
        assert search.answer() == []
    done.set()
    assert going.wait(60)
    for thread in threading.enumerate():
        if thread.name == "relocation":
            thread.join(60)
    assert len(search.answer()) == 1
    assert search.answer() == []


def test_a_search_that_fails_lets_the_next_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer, no deadlock."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def broken(_: Landmarks, luma: Plane) -> list[np.ndarray]:
        raise ArithmeticError

    monkeypatch.setattr(relocation, "relocate", broken)
    search = RelocationThread(KNOWN)
    for _ in range(2):
        search.look_for(LUMAS[0])
        for thread in threading.enumerate():
            if thread.name == "relocation":
                thread.join(60)
        assert search.answer() == []
        assert not search._busy


def test_the_stepped_search_answers_so_many_frames_later() -> None:
    """Repeatable: for tests and the corpus."""
    search = SteppedRelocation(KNOWN, delay_frames=3)
    search.answer()
    search.look_for(seen(STREET, *FAR))
    assert [bool(search.answer()) for _ in range(4)] == [False, False, True, False]
