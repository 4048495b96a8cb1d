"""The third corpus: marks that appear, a scene that is gone for a while, what is built before it and changes in it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench.disturbance import HOME, Disturbance, Painting, Pointing, Slab, Stage, Warp, turned, whole
from bench.disturbance_moves import Build, Kind, at_event, between, knocked_by, swaying
from bench.disturbance_second import EARLY
from bench.dome import ON_THE_DOME, sticking_snow
from bench.marks import usual_overlay
from bench.marks_changing import CHANGING, lamps_in_strings, since
from bench.scene import WIDTH

_FRAMES = 110
_MARKS_LATER = 20_000
"""Frames from the commissioning to the sequence, for marks that go on meanwhile."""


def knocked_at(stage: Stage, frame: int, after: Warp) -> Pointing:
    """Knocked before the picture of a number."""
    return lambda n: whole(HOME if n < frame else after, stage.height)


def appears(marks: Callable[[Stage], Painting]) -> Build:
    """Something lies over the picture that did not at the commissioning, from the start or from about the time of a knock."""

    def build(stage: Stage) -> Disturbance:
        first = 0 if stage.rng.random() < 0.5 else int(stage.rng.integers(0, stage.event + 10))
        seen = since(marks(stage), first)
        pointing = at_event(stage, knocked_by(stage, 2, 60))
        return Disturbance(pointing, light=seen, event=stage.event, frames=_FRAMES)

    return build


def knocked_under_lights(stage: Stage) -> Disturbance:
    """Christmas lights hang in the scene, blink, and go along with a knock."""
    lit = lamps_in_strings(stage)
    before = lit if stage.rng.random() < 0.5 else lambda p, _: p
    pointing = at_event(stage, knocked_by(stage, 2, 60))
    return Disturbance(pointing, lit, event=stage.event, frames=_FRAMES, reference_paint=before)


def comes_back(stage: Stage) -> Disturbance:
    """Knocked and back again within some pictures, more than once, never quite to where it was."""
    away, times = knocked_by(stage, 3, 60), np.cumsum(stage.rng.integers(1, 9, 9)) + stage.event
    rests = [turned(float(x), float(y), 0, 1, 1.2, stage.height) for x, y in stage.rng.uniform(-1.5, 1.5, (5, 2))]

    def pointing(n: int) -> tuple[Slab, ...]:
        turn = int(np.searchsorted(times, n, side="right")) if n >= stage.event else -1
        return whole(HOME if turn < 0 else away if turn % 2 == 0 else rests[turn // 2], stage.height)

    return Disturbance(pointing, event=stage.event, frames=_FRAMES)


def sags_under_marks(stage: Stage) -> Disturbance:
    """A bracket that gives way by some pixels in minutes, under a clock and a name: slower than any patch can tell at once."""
    far, marks, frames = knocked_by(stage, 6, 30), usual_overlay(stage), 1500
    return Disturbance(
        lambda n: whole(between(HOME, far, n / frames), stage.height),
        light=lambda p, n: marks(p, n + _MARKS_LATER),
        frames=frames,
        reference_light=marks,
    )


def scaffolded(stage: Stage) -> Disturbance:
    """A scaffold with its planks and net grows before half of the view, row by row; then a knock, which moves it otherwise."""
    rng, height = stage.rng, stage.height
    left = int(rng.choice([0, WIDTH // 2]))
    tubes, planks = int(rng.integers(24, 60)), int(rng.integers(30, 70))
    takes, net, nearer = int(rng.integers(10, 60)), rng.uniform(0.0, 0.8), rng.uniform(-8, 8)
    knock = stage.event + takes + 5
    after = knocked_by(stage, 2, 40)

    def paint(p: Plane, n: int) -> Plane:
        grown = int(height * min(1.0, max(0.0, (n - stage.event) / takes)))
        if grown <= 0:
            return p
        out, top, off = p.copy(), height - grown, round(nearer) if n >= knock else 0
        part = out[top:, left : left + WIDTH // 2]
        part[:] = part * (1 - net) + 150 * net
        for x in range(left + off, left + off + WIDTH // 2, tubes):
            cv2.line(out, (x, top), (x, height), 200, 3, cv2.LINE_AA)
        for y in range(height - 10, top, -planks):
            cv2.rectangle(out, (left + off, y), (left + off + WIDTH // 2, y + 6), 70, -1)
        return out

    def pointing(n: int) -> tuple[Slab, ...]:
        return whole(HOME if n < knock else after, height)

    return Disturbance(pointing, paint, event=stage.event, frames=knock + 50)


def shutters_open(stage: Stage) -> Disturbance:
    """A day in two minutes: shutters all over the fronts rise one by one, and the sun's side changes; then a knock."""
    rng, height = stage.rng, stage.height
    shutters = [
        (int(rng.uniform(0, WIDTH - 50)), int(rng.uniform(0, height - 60)), int(rng.uniform(14, 60)), int(rng.uniform(14, 70)))
        for _ in range(int(rng.integers(20, 60)))
    ]
    begins, frames = rng.uniform(0, 150, len(shutters)), 260
    knock, after = int(rng.integers(160, 220)), knocked_by(stage, 2, 40)

    def paint(p: Plane, n: int) -> Plane:
        out = p.copy()
        for (x, y, wide, tall), begin in zip(shutters, begins, strict=True):
            down = round(tall * (1 - min(1.0, max(0.0, (n - begin) / 40))))
            for slat in range(y, y + down, 4):
                cv2.rectangle(out, (x, slat), (x + wide, slat + 2), 190, -1)
        return out

    def pointing(n: int) -> tuple[Slab, ...]:
        return whole(HOME if n < knock else after, height)

    return Disturbance(pointing, paint, event=knock, frames=frames, reference_paint=lambda p, _: paint(p, -1))


def knocked_unseen(stage: Stage) -> Disturbance:
    """Dusk or fog takes the scene away by and by, what lies on the picture stays bright; a knock; and the scene returns."""
    rng = stage.rng
    pace, dawn, grey = rng.uniform(4, 60), rng.uniform(2, 40), int(rng.choice([8, 8, 40, 170]))
    least, quick, lasts = rng.uniform(0.002, 0.05), 10, int(rng.integers(4, 40))
    dark = stage.event + quick + int(pace * np.log(0.25 / least))
    knock, light_again = dark + int(rng.integers(lasts)), dark + lasts
    pointing = knocked_at(stage, knock, knocked_by(stage, 2, 60))

    def left(n: int) -> float:
        """The share of the scene's contrast."""
        if n < stage.event + quick:
            return min(1.0, 1 - 0.75 * (n - stage.event) / quick)
        if n < light_again:
            return float(max(least, 0.25 * np.exp(-(n - stage.event - quick) / pace)))
        return float(min(1.0, least * np.exp((n - light_again) / dawn)))

    def veil(p: Plane, n: int) -> Plane:
        share = left(n)
        return p if share >= 1 else np.asarray(cv2.addWeighted(p, share, np.full_like(p, grey), 1 - share, 0), np.uint8)

    frames = light_again + int(dawn * np.log(1 / least)) + 30
    return Disturbance(pointing, light=veil, event=knock, frames=frames)


def shown_again(stage: Stage) -> Disturbance:
    """From the event on the camera lays its own picture, small, into a corner of it: private spaces are seen twice."""
    rng = stage.rng
    share, right, low = rng.uniform(0.2, 0.5), rng.random() < 0.5, rng.random() < 0.5
    wide, tall = int(WIDTH * share), int(stage.height * share)
    left, top = WIDTH - wide - 6 if right else 6, stage.height - tall - 6 if low else 6

    def within(p: Plane, n: int, how: int = cv2.INTER_AREA) -> Plane:
        if n < stage.event:
            return p
        out = p.copy()
        out[top : top + tall, left : left + wide] = cv2.resize(p, (wide, tall), interpolation=how)
        return out

    pointing = at_event(stage, HOME.copy())  # another object: the same place, and other private samples
    copied: Painting = lambda truth, n: within(truth, n, cv2.INTER_NEAREST)  # noqa: E731
    return Disturbance(pointing, light=within, event=stage.event, frames=_FRAMES, copied=copied)


def validated_in_the_wind(stage: Stage) -> Disturbance:
    """The pole swayed while the view was validated; then the wind drops, and the camera is knocked."""
    windy = swaying(stage, stage.rng.uniform(0.5, 6), 0.7)
    pointing = at_event(stage, knocked_by(stage, 2, 40))
    return Disturbance(pointing, event=stage.event, frames=_FRAMES, reference_pointing=windy)


THIRD: dict[str, Kind] = {
    **{
        f"{name} new on the picture, knock": Kind(appears(marks), None, EARLY)
        for name, marks in (CHANGING | ON_THE_DOME | {"snow": sticking_snow}).items()
    },
    "knock while the scene is gone": Kind(knocked_unseen, None, EARLY),
    "knock under Christmas lights": Kind(knocked_under_lights, None, EARLY),
    "the picture within itself": Kind(shown_again, None, EARLY),
    "validated in the wind, knock": Kind(validated_in_the_wind, None, EARLY),
    "knocked and back": Kind(comes_back, None, EARLY),
    "slow sag under marks": Kind(sags_under_marks, None, EARLY),
    "scaffold, knock": Kind(scaffolded, None, EARLY),
    "shutters open, knock": Kind(shutters_open, None, EARLY),
}
"""Kinds by name."""
