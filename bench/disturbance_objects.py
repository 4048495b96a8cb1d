"""What drives through the scene, stands in it, or stands before it: painted on the scene's own pictures."""

from __future__ import annotations

import cv2

from agent.picture.planes import Plane
from bench.disturbance import Painting, Stage
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


def parked(stage: Stage, share: float, leaves: int, px_per_frame: float) -> tuple[Painting, Painting]:
    """A lorry that stands in the reference and drives off: how the scene looks, and how it looked at the commissioning."""
    rng, height = stage.rng, stage.height
    tall = int(height * rng.uniform(0.35, 0.6))
    long = int(share * WIDTH * height / tall)
    body = livery(rng, long, tall)
    top, left = int(rng.uniform(0.1, 0.95) * (height - tall)), int(rng.uniform(0, WIDTH - long))

    def at(scene: Plane, x: int) -> Plane:
        a, b = max(0, x), min(WIDTH, x + long)
        if a >= b:
            return scene
        out = scene.copy()
        out[top : top + tall, a:b] = body[:, a - x : b - x]
        return out

    return lambda s, n: at(s, left + round(max(0, n - leaves) * px_per_frame)), lambda s, _: at(s, left)


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
