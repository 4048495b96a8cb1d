"""A lost view is found again anywhere in the picture, beside the thread that films."""

from __future__ import annotations

import threading
from collections.abc import Callable

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


@pytest.mark.parametrize("search", [by_keypoints, by_patches])
def test_a_far_view_is_found_within_a_few_pixels(search: Callable[[Landmarks, Plane], Pose | None]) -> None:
    """By features and by patches, each alone."""
    pose = search(KNOWN, seen(STREET, *FAR))
    assert pose is not None
    middle = KNOWN.frame.centre[None]
    assert move(pose, middle) - middle == pytest.approx(np.array([FAR]) / 2, abs=3)


@pytest.mark.parametrize("search", [by_keypoints, by_patches])
def test_another_scene_or_none_is_not_found(search: Callable[[Landmarks, Plane], Pose | None]) -> None:
    """Grey finds nothing; another street may make a guess, which the proof then refuses."""
    assert search(KNOWN, np.full((HEIGHT, WIDTH), 90, np.uint8)) is None


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
    assert [len(search.answer()) for _ in range(4)] == [0, 0, 2, 0]
