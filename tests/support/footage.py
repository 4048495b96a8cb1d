"""The town-square film for tests: real footage where the machine has it, a drawn square where it has not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from agent.demo.scene import TOWN_SQUARE
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from bench.film import footage

REPOSITORY = Path(__file__).parents[2]
WINDOWS = tuple(TOWN_SQUARE.values())
"""The private windows of the film, as corners from the top left."""
FPS = 10
START_NS = 1_795_600_000_000_000_000


def town_square(frames: int) -> Iterator[RawFrame]:
    """The first `frames` pictures, 10 a second: of the film, or of a drawn square with a walker when there is no film."""
    film = footage()
    pictures = _filmed(film) if film is not None else _drawn()
    for index, planes in zip(range(frames), pictures, strict=False):
        yield RawFrame(planes, FrameTime(index, 10**9 + index * 10**9 // FPS, START_NS + index * 10**9 // FPS))


def _filmed(film: Path) -> Iterator[Planes]:
    reader = cv2.VideoCapture(str(film))
    try:
        while True:
            read, bgr = reader.read()
            if not read:
                return
            yield i420(np.asarray(bgr, np.uint8))
    finally:
        reader.release()


def i420(bgr: Plane) -> Planes:
    """A picture of shape (rows, columns, 3), both even, as planes in a buffer of their own."""
    height, width = bgr.shape[:2]
    packed = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
    return Planes.over(packed.reshape(-1), width, height)


def drawn_square(walker_x: float | None, width: int = 768, height: int = 576, seed: int = 1) -> Planes:
    """A square of paving and houses with edges everywhere; a walker stands at `walker_x` (fraction of the width)."""
    rng = np.random.default_rng(seed)
    planes = Planes.empty(width, height)
    blocks = rng.integers(60, 180, (height // 24 + 1, width // 24 + 1), np.uint8)
    planes.y[...] = np.kron(blocks, np.ones((24, 24), np.uint8))[:height, :width]
    planes.u[...], planes.v[...] = 120, 135
    if walker_x is not None:
        left, top = round(walker_x * width), height // 2
        planes.y[top : top + height // 6, max(0, left) : max(0, left + width // 20)] = 20
    return planes


def _drawn() -> Iterator[Planes]:
    for index in range(10**6):
        yield drawn_square((index % 80) / 80)
