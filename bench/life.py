"""Who walks and drives where a photograph was taken: people and vehicles laid over it, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench.livery import livery

WIDTH = 640
_OFF_STAGE = 160
"""Pixels that everybody walks on beyond the picture's edge before he comes back."""


@dataclass(frozen=True, slots=True)
class Walker:
    """Feet at `row`; `tall` and `px_per_frame` in pixels; `clothes`: coat, trousers, head as grey values."""

    row: float
    tall: float
    start: float
    px_per_frame: float
    clothes: tuple[int, int, int]

    def paint(self, picture: Plane, n: int) -> None:
        """Draw the walker of frame `n` into the picture."""
        x = (self.start + self.px_per_frame * n) % (WIDTH + 2 * _OFF_STAGE) - _OFF_STAGE
        if not -40 < x < WIDTH + 40:
            return
        coat, trousers, head = self.clothes
        stride = 0.22 * self.tall * np.sin(0.35 * n + self.start)
        hip, feet = self.row - 0.48 * self.tall, self.row
        for side in (-1, 1):
            _stroke(picture, (x, hip), (x + side * stride, feet), trousers, 0.1 * self.tall)
        _oval(picture, (x, self.row - 0.66 * self.tall), (0.12 * self.tall, 0.22 * self.tall), coat)
        _oval(picture, (x, self.row - 0.93 * self.tall), (0.06 * self.tall, 0.08 * self.tall), head)


@dataclass(frozen=True, eq=False, slots=True)
class Vehicle:
    """Passes along a lane once in `every` frames; `body` is what it looks like, to the right; `bottom` its wheels' row."""

    body: Plane
    bottom: int
    every: int
    offset: int
    px_per_frame: float

    def paint(self, picture: Plane, n: int) -> None:
        """Draw the vehicle of frame `n` into the picture."""
        tall, long = self.body.shape
        gone = (n + self.offset) % self.every
        left = round(gone * abs(self.px_per_frame)) - long
        if self.px_per_frame < 0:
            left = WIDTH - left - long
        a, b = max(0, left), min(WIDTH, left + long)
        if a >= b:
            return
        body = self.body if self.px_per_frame > 0 else self.body[:, ::-1]
        picture[self.bottom - tall : self.bottom, a:b] = body[:, a - left : b - left]


def street_life(seed: int, height: int, *, walkers: int = 6, vehicles: int = 2) -> Callable[[Plane, int], Plane]:
    """People and vehicles in the lower half of the picture: bigger the nearer. A picture and its number in, a new plane out."""
    rng = np.random.default_rng(seed)
    people = []
    for row in np.sort(rng.uniform(0.55, 0.98, walkers)).tolist():
        tall = height * (0.06 + 0.3 * (row - 0.5))
        pace = tall / 55 * rng.uniform(0.7, 1.3) * rng.choice([-1, 1])
        clothes = (int(rng.uniform(20, 235)), int(rng.uniform(20, 160)), int(rng.uniform(90, 200)))
        people.append(Walker(row * height, tall, float(rng.uniform(0, WIDTH)), float(pace), clothes))
    cars = []
    for _ in range(vehicles):
        row = rng.uniform(0.6, 0.95)
        tall = int(height * (0.08 + 0.28 * (row - 0.5)))
        body = livery(rng, int(tall * rng.uniform(1.6, 3.2)), tall)
        pace = rng.uniform(2, 9) * rng.choice([-1, 1])
        cars.append(Vehicle(body, int(row * height), int(rng.integers(450, 1100)), int(rng.integers(0, 1000)), float(pace)))
    everybody: list[Walker | Vehicle] = [*people, *cars]
    everybody.sort(key=lambda each: each.row if isinstance(each, Walker) else each.bottom)

    def paint(picture: Plane, n: int) -> Plane:
        out = picture.copy()
        for each in everybody:
            each.paint(out, n)
        return out

    return paint


def _stroke(picture: Plane, a: tuple[float, float], b: tuple[float, float], grey: int, width: float) -> None:
    points = [(round(x * 16), round(y * 16)) for x, y in (a, b)]
    cv2.line(picture, points[0], points[1], grey, max(1, round(width)), cv2.LINE_AA, 4)


def _oval(picture: Plane, middle: tuple[float, float], axes: tuple[float, float], grey: int) -> None:
    centre, half = (round(middle[0] * 16), round(middle[1] * 16)), (max(16, round(axes[0] * 16)), max(16, round(axes[1] * 16)))
    cv2.ellipse(picture, centre, half, 0, 0, 360, grey, -1, cv2.LINE_AA, 4)
