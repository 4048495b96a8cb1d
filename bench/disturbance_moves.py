"""How a camera on a pole moves: knocks, wind and the way between two poses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.disturbance import FPS, HOME, Disturbance, Painting, Pointing, Slab, Stage, Warp, turned, whole

Build = Callable[[Stage], Disturbance]


@dataclass(frozen=True, slots=True)
class Kind:
    """`build` makes one sequence; `least` is the availability wanted on average, in percent, None where none is set.

    `events`: the first and the last frame, exclusive, on which things begin to happen.
    """

    build: Build
    least: float | None
    events: tuple[int, int] = (40, 80)


def unlit(_: Stage) -> Painting:
    """The light stays as it is."""
    return lambda p, _: p


def still(stage: Stage) -> Pointing:
    """Nobody touches the camera."""
    return lambda _: whole(HOME, stage.height)


def at_event(stage: Stage, after: Warp) -> Pointing:
    """Knocked between two pictures."""
    return lambda n: whole(HOME if n < stage.event else after, stage.height)


def knocked_by(stage: Stage, least_px: float, most_px: float) -> Warp:
    """A pose that moves the scene by a distance within the bounds, in any direction, with a little roll."""
    away, towards = stage.rng.uniform(least_px, most_px), stage.rng.uniform(0, 2 * np.pi)
    roll = stage.rng.normal(0, 0.01 * away)
    return turned(away * np.cos(towards), away * np.sin(towards), roll, 1.0, stage.rng.uniform(0.6, 1.8), stage.height)


def between(a: Warp, b: Warp, share: float) -> Warp:
    """On the way from one pose to another."""
    if share <= 0:
        return a
    return b if share >= 1 else (1 - share) * a + share * b


def swaying(stage: Stage, amplitude_px: float, hertz: float) -> Pointing:
    """A pole in the wind."""
    phase, pace = stage.rng.uniform(0, 6.3, 3), stage.rng.uniform(0.5, 1.5, 3)

    def pointing(n: int) -> tuple[Slab, ...]:
        a, b, c = np.sin(pace * 2 * np.pi * hertz * n / FPS + phase)
        return whole(turned(amplitude_px * a, 0.5 * amplitude_px * b, 0.1 * c, 1.0, 1.2, stage.height), stage.height)

    return pointing
