"""What drives through the scene, stands in it, or stands before it: painted on the scene's own pictures."""

from __future__ import annotations

import cv2

from agent.picture.planes import Plane
from bench.disturbance import FPS, Painting, Stage
from bench.livery import livery
from bench.scene import WIDTH


def lorry(stage: Stage, share: float, px_per_frame: float, *, start: int) -> Painting:
    """A lorry that covers this share of the picture at its fullest drives through, and stops in the middle for a while."""
    rng, height = stage.rng, stage.height
    tall = int(min(height, height * max(share * 1.15, 0.3)))
    long = int(share * WIDTH * height / tall)
    body = livery(rng, long, tall)
    top = int(rng.uniform(0, height - tall)) if rng.random() < 0.5 else height - tall
    to_the_left = rng.random() < 0.5
    stops_for_px = int(rng.integers(20, 90)) * px_per_frame
    middle = (WIDTH + long) / 2

    def paint(scene: Plane, n: int) -> Plane:
        front = (n - start) * px_per_frame
        if front > middle:
            front = max(middle, front - stops_for_px)
        left = round(front - long)
        a, b = max(0, left), min(WIDTH, left + long)
        if a >= b:
            return scene
        out = scene.copy()
        seen = body[:, a - left : b - left]
        if to_the_left:
            out[top : top + tall, WIDTH - b : WIDTH - a] = seen[:, ::-1]
        else:
            out[top : top + tall, a:b] = seen
        return out

    return paint


def parked(
    stage: Stage,
    share: float,
    leaves: int,
    px_per_frame: float,
    *,
    gathers: bool = False,
    tall: tuple[float, float] = (0.35, 0.6),
) -> tuple[Painting, Painting]:
    """A lorry that stands in the reference and drives off: how the scene looks, and how it looked at the commissioning.

    `gathers`: it takes a second to reach its speed. `tall`: bounds of its height, as a share of the picture's.
    """
    rng, height = stage.rng, stage.height
    tall_px = int(height * rng.uniform(*tall))
    long = min(WIDTH, int(share * WIDTH * height / tall_px))
    body = livery(rng, long, tall_px)
    top, left = int(rng.uniform(0.1, 0.95) * (height - tall_px)), int(rng.uniform(0, WIDTH - long))

    def at(scene: Plane, x: int) -> Plane:
        a, b = max(0, x), min(WIDTH, x + long)
        if a >= b:
            return scene
        out = scene.copy()
        out[top : top + tall_px, a:b] = body[:, a - x : b - x]
        return out

    def gone_px(n: int) -> float:
        since = max(0, n - leaves)
        return px_per_frame * (min(since, FPS) ** 2 / (2 * FPS) + max(0, since - FPS) if gathers else since)

    return lambda s, n: at(s, left + round(gone_px(n))), lambda s, _: at(s, left)


def posts(stage: Stage, shift_px: float) -> Painting:
    """Posts near the camera that move against everything behind them from the event on."""
    rng, height = stage.rng, stage.height
    stand = [(int(rng.uniform(0, WIDTH)), int(rng.uniform(8, 22)), int(rng.uniform(20, 230))) for _ in range(6)]

    def paint(scene: Plane, n: int) -> Plane:
        out = scene.copy()
        off = round(shift_px) if n >= stage.event else 0
        for x, w, grey in stand:
            cv2.rectangle(out, (x + off, int(0.45 * height)), (x + off + w, height), grey, -1)
            cv2.rectangle(out, (x + off + 2, int(0.6 * height)), (x + off + w - 2, int(0.65 * height)), 255 - grey, -1)
        return out

    return paint
