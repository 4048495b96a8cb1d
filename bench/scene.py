"""What the disturbance corpus films: a few pictures of real film with its private spaces known exactly, or a drawn square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from agent.config.polygon import Polygon
from agent.demo.scene import TOWN_SQUARE
from agent.picture.planes import Plane
from bench.film import footage

WIDTH = 640
PICTURES = 160
_EVERY = 2

LAYOUTS: dict[str, tuple[Polygon, ...]] = {
    "square": tuple(TOWN_SQUARE.values()),
    "doors": (
        ((0.06, 0.42), (0.12, 0.42), (0.12, 0.62), (0.06, 0.62)),
        ((0.55, 0.35), (0.62, 0.34), (0.63, 0.48), (0.55, 0.48)),
        ((0.30, 0.60), (0.36, 0.58), (0.38, 0.70), (0.31, 0.72)),
    ),
    "edges": (
        ((0.0, 0.30), (0.10, 0.28), (0.10, 1.0), (0.0, 1.0)),
        ((0.80, 0.90), (1.0, 0.88), (1.0, 1.0), (0.80, 1.0)),
    ),
    "front": (((0.30, 0.0), (0.80, 0.0), (0.78, 0.24), (0.31, 0.20)),),
}
"""Mask layouts: that of the real film's windows, single doors, spaces that touch the frame's edge, one large front."""


@dataclass(frozen=True, eq=False)
class Scene:
    """`pictures`: luma, some 0.2 s apart; after the last they run back to the first, so that nothing jumps.

    `life`: who walks and drives there on the picture of a number; for photographs, in which nothing moves by itself.
    `guardable`: whether a commissioning is expected to take this view.
    """

    name: str
    pictures: tuple[Plane, ...]
    life: Callable[[Plane, int], Plane] | None = None
    guardable: bool = True

    @property
    def height(self) -> int:
        return int(self.pictures[0].shape[0])

    def at(self, index: int) -> Plane:
        """The picture that a 25 fps camera sees as its `index`th; read-only."""
        turn, place = divmod(index // 5, max(1, len(self.pictures) - 1))
        picture = self.pictures[-1 - place if turn % 2 else place]
        return picture if self.life is None else self.life(picture, index)


def town_square() -> Scene:
    """The real film where there is one (see bench.film), else the drawn square."""
    film = footage()
    return drawn_square() if film is None else filmed(str(film))


def filmed(path: str) -> Scene:
    """Any film FFmpeg reads, PICTURES of it, 640 wide."""
    import av

    pictures = []
    with av.open(path) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number % _EVERY == 0:
                luma = picture.to_ndarray(format="gray")
                size = (WIDTH, round(WIDTH * luma.shape[0] / luma.shape[1] / 2) * 2)
                pictures.append(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8))
            if len(pictures) == PICTURES:
                break
    return Scene("film", tuple(pictures))


def drawn_square(seed: int = 1, height: int = 360) -> Scene:
    """Fronts, kerbs and signs at random, and walkers on them: what there is when there is no film."""
    rng = np.random.default_rng(seed)
    scene = cv2.resize(rng.integers(90, 150, (9, 16)).astype(np.uint8), (WIDTH, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(260):
        middle = (float(rng.uniform(0, WIDTH)), float(rng.uniform(0, height)))
        box = cv2.boxPoints((middle, (float(rng.uniform(6, 50)), float(rng.uniform(6, 50))), float(rng.uniform(-20, 20))))
        cv2.fillPoly(scene, [box.astype(np.int32)], int(rng.integers(20, 235)), cv2.LINE_AA)
    scene = cv2.GaussianBlur(scene, (0, 0), 0.8)
    starts = rng.uniform(0, WIDTH, 8)
    rows = rng.uniform(0.4 * height, 0.9 * height, 8)
    pictures = []
    for number in range(40):
        picture = scene.copy()
        for start, row in zip(starts, rows, strict=True):
            x = int((start + 4 * number) % WIDTH)
            cv2.ellipse(picture, (x, int(row)), (5, 14), 0, 0, 360, int(30 + row % 150), -1, cv2.LINE_AA)
        pictures.append(np.asarray(picture, np.uint8))
    return Scene("drawn", tuple(pictures))
