"""The third corpus does what its names say: it repeats by seed, moves what is private, and leaves marks where they are."""

from __future__ import annotations

import numpy as np
import pytest

from bench.disturbance import Disturbance, Grain, Stage
from bench.disturbance_camera import CAMERA
from bench.disturbance_third import THIRD
from bench.dome import ON_THE_DOME
from bench.marks_changing import CHANGING
from bench.scene import LAYOUTS, WIDTH, drawn_square
from bench.sequence import Plan, play

KINDS = THIRD | CAMERA
MARKS = CHANGING | ON_THE_DOME
GRAIN = Grain(1, 0.0)
HEIGHT = drawn_square().height
HELD_TO = (
    "electronic stabilisation",
    "infrared filter clicks, knock",
    "interlaced",
    "knocked and back",
    "pictures out of order, knock",
    "watermark new on the picture, knock",
)


def built(kind: str, seed: int = 3) -> Disturbance:
    """The sequence of a seed."""
    rng = np.random.default_rng(seed)
    return KINDS[kind].build(Stage(rng, HEIGHT, int(rng.integers(*KINDS[kind].events))))


def shown(disturbance: Disturbance) -> list[int]:
    """Some of its pictures: the first, those about the event, the last."""
    event, last = disturbance.event, disturbance.frames - 1
    return sorted({0, max(0, event - 1), event, min(event + 1, last), min(event + 20, last), last})


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pictures_again(kind: str) -> None:
    """Whatever order they are asked for in; another seed gives others."""
    scene, one, again = drawn_square(), built(kind), built(kind)
    numbers = shown(one)
    films = [one.picture(scene, n, GRAIN) for n in numbers], [again.picture(scene, n, GRAIN) for n in reversed(numbers)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(*films, strict=True))
    other = built(kind, 4)
    assert any(not np.array_equal(one.picture(scene, n, GRAIN), other.picture(scene, n, GRAIN)) for n in numbers)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_private_moves_from_the_event_on_and_not_before(kind: str) -> None:
    """A guard that leaves its masks where they were drawn would be found out by each of these kinds."""
    disturbance, doors = built(kind), LAYOUTS["doors"]
    at_home = built("knock under Christmas lights").private(doors, HEIGHT, 0)
    numbers = shown(disturbance)
    moved = [n for n in numbers if not np.array_equal(disturbance.private(doors, HEIGHT, n), at_home)]
    assert moved
    assert moved[0] >= disturbance.event


@pytest.mark.parametrize("marks", MARKS)
def test_marks_stay_on_the_sensor_and_leave_the_picture_as_large_as_it_was(marks: str) -> None:
    """Where they lie is the same on two scenes, but for those which what is behind shines through."""
    paint = MARKS[marks](Stage(np.random.default_rng(5), HEIGHT, 20))
    grey, white = np.full((HEIGHT, WIDTH), 90, np.uint8), np.full((HEIGHT, WIDTH), 160, np.uint8)
    lit = next(n for n in range(30, 130) if np.any(paint(grey, n) != grey))
    on_grey, on_white = paint(grey, lit), paint(white, lit)
    assert on_grey.shape == grey.shape
    assert on_grey.dtype == np.uint8
    there = on_grey != 90
    assert 0.001 < there.mean() < 1
    if marks not in ("drops", "reflection", "zones"):
        assert (there == (on_white != 160)).mean() > 0.9


@pytest.mark.parametrize("kind", HELD_TO)
def test_no_private_pixel_is_left_uncovered(kind: str) -> None:
    """On the drawn square, and the picture is there for most of the time."""
    number = HELD_TO.index(kind)
    outcome = play(drawn_square(), Plan(kind, list(LAYOUTS)[number % len(LAYOUTS)], 71 + number), frames=80)
    assert outcome.leaks == []
    assert outcome.clear > outcome.frames // 2
