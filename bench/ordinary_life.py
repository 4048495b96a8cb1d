"""Minutes in which nobody touches the camera: people, vehicles, clouds, lamps, flicker; the picture should stay clear."""

from __future__ import annotations

from itertools import groupby

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench.disturbance import FPS, Disturbance, Painting, Stage
from bench.disturbance_moves import still
from bench.life import street_life
from bench.scene import WIDTH

NAME = "ordinary life"
_MAINS_BEAT_HZ = 0.7
"""What is left of 50 Hz lamps in a picture taken 25 times a second, by a camera whose clock is not exact."""


def life_kind(minutes: float) -> str:
    """The name of that kind, as a plan holds it."""
    return f"{NAME}, {minutes:g} minutes"


def minutes_of(kind: str) -> float | None:
    """The minutes in the name of such a kind; None for any other."""
    return float(kind.removeprefix(f"{NAME}, ").removesuffix(" minutes")) if kind.startswith(NAME) else None


def ordinary(stage: Stage, minutes: float) -> Disturbance:
    """Nobody knocks. What passes by passes at the commissioning as well."""
    passing = street_life(int(stage.rng.integers(1 << 30)), stage.height, walkers=2, vehicles=2)
    light = ordinary_light(stage)
    return Disturbance(
        still(stage),
        passing,
        light,
        frames=round(minutes * 60 * FPS),
        reference_paint=lambda p, n: passing(p, n + 9000),
        reference_light=light,
    )


def ordinary_light(stage: Stage) -> Painting:
    """Shadows of clouds drift over, the exposure follows; a lamp goes on and off; mains flicker runs over the rows."""
    rng, height = stage.rng, stage.height
    coarse = rng.normal(0, 1, (height // 40 + 1, WIDTH // 40 + 1)).astype(np.float32)
    sky = np.asarray(cv2.resize(coarse, (WIDTH, height), interpolation=cv2.INTER_CUBIC), np.float32)
    sky = np.asarray(np.hstack([sky, sky[:, ::-1], sky]), np.float32)
    sky = 1 - rng.uniform(0.03, 0.12) * np.clip(sky, -1, 2)
    pace, depth = rng.uniform(0.3, 1.5), rng.uniform(0.05, 0.15)
    lamp = int(rng.uniform(0, WIDTH)), int(rng.uniform(0, 0.6 * height))
    lit_for, dark_for = int(rng.uniform(300, 1500)), int(rng.uniform(500, 3000))
    flicker = rng.uniform(0, 0.02)
    rows = np.arange(height, dtype=np.float32)[:, None] / height

    def light(p: Plane, n: int) -> Plane:
        aside = round(pace * n) % (2 * WIDTH)
        shade = sky[:, aside : aside + WIDTH]
        beat = 1 + flicker * np.sin(2 * np.pi * (2 * rows + _MAINS_BEAT_HZ * n / FPS), dtype=np.float32)
        gain = np.float32(1 + depth * np.sin(n / 260)) * beat
        out = np.asarray(cv2.multiply(p, shade * gain, dtype=cv2.CV_8U), np.uint8)
        if n % (lit_for + dark_for) < lit_for:
            cv2.circle(out, lamp, 5, 250, -1, cv2.LINE_AA)
        return out

    return light


def closures(shut: list[int]) -> list[int]:
    """How many frames each closure lasted."""
    return [len(list(run)) for _, run in groupby(enumerate(shut), lambda pair: pair[1] - pair[0])]
