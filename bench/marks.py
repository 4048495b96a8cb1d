"""What lies before the scene and never moves with it: burnt-in clock, name and logo, the camera's own hood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from bench.disturbance import FPS, Grain, Painting, Stage
from bench.scene import WIDTH

Marks = Callable[[Stage], Painting]
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX_SMALL)
_NAMES = ("CAM 07 TOWN", "PLACE DE LA MAIRIE", "Rue du Pont 3", "IPC", "Parking Nord", "Camera 01", "ECOLE J. FERRY")


@dataclass(frozen=True, slots=True)
class Text:
    """`text` of a second number, at a place, white with a dark edge as IP cameras burn it."""

    text: Callable[[int], str]
    place: tuple[int, int]
    font: int
    scale: float

    def paint(self, picture: Plane, n: int) -> None:
        """Into the picture, as it reads on frame `n`."""
        words = self.text(n // FPS)
        cv2.putText(picture, words, self.place, self.font, self.scale, 16, 3, cv2.LINE_AA)
        cv2.putText(picture, words, self.place, self.font, self.scale, 235, 1, cv2.LINE_AA)


def clock(start: int) -> Callable[[int], str]:
    """Date and time, ticking."""

    def text(second: int) -> str:
        now = start + second
        return f"2026-11-{1 + now // 86400 % 28:02d} {now // 3600 % 24:02d}:{now // 60 % 60:02d}:{now % 60:02d}"

    return text


def always(words: str) -> Callable[[int], str]:
    """The same words in every second."""
    return lambda _: words


def usual_overlay(stage: Stage) -> Painting:
    """A date with ticking seconds and a camera's name, in two of the corners."""
    rng = stage.rng
    font, scale = int(rng.choice(_FONTS)), float(rng.uniform(0.45, 0.9))
    name = str(rng.choice(_NAMES))
    corners = rng.permutation(4)[:2].tolist()
    texts = [
        Text(words, _corner(stage, corner, words(0), font, scale), font, scale)
        for corner, words in zip(corners, (clock(int(rng.integers(0, 10**6))), always(name)), strict=True)
    ]
    return _painted(texts)


def heavy_overlay(stage: Stage) -> Painting:
    """Five texts and a logo."""
    rng = stage.rng
    font, scale = int(rng.choice(_FONTS)), float(rng.uniform(0.6, 1.1))
    wordings: list[Callable[[int], str]] = [
        clock(int(rng.integers(0, 10**6))),
        *(always(str(name)) for name in rng.choice(_NAMES, 2, replace=False)),
        lambda second: f"{37 + second * 7 % 5} kbit/s 25 fps",
    ]
    texts = [Text(words, _corner(stage, corner, words(0), font, scale), font, scale) for corner, words in enumerate(wordings)]
    middle = int(rng.uniform(0.05, 0.5) * WIDTH), int(rng.uniform(0.3, 0.75) * stage.height)
    texts.append(Text(always("VIDEOPROTECTION 24h/24"), middle, font, scale))
    logo = _logo(rng)
    left = int(rng.uniform(0, WIDTH - logo.shape[1]))
    top = int(rng.uniform(0.1, 0.9) * (stage.height - logo.shape[0]))
    return _painted(texts, (top, left, logo))


def hood(stage: Stage) -> Painting:
    """A part of the camera's own housing at one or two edges: dark, a little out of focus, with bolts and a seam."""
    rng, height = stage.rng, stage.height
    shape = np.zeros((height, WIDTH), np.uint8)
    body = np.full((height, WIDTH), int(rng.uniform(15, 90)), np.uint8)
    for side in rng.permutation(4)[: int(rng.integers(1, 3))].tolist():
        cv2.fillPoly(shape, [_hood_outline(rng, side, height)], 255, cv2.LINE_AA)
    for _ in range(int(rng.integers(2, 9))):
        x, y, r = int(rng.uniform(0, WIDTH)), int(rng.uniform(0, height)), int(rng.uniform(3, 9))
        cv2.circle(body, (x, y), r, int(rng.uniform(100, 220)), -1, cv2.LINE_AA)
        cv2.line(body, (x - r, y), (x + r, y), 20, 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 5))):
        a, b = rng.uniform(0, 1, (2, 2)) * (WIDTH, height)
        cv2.line(body, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), int(rng.uniform(90, 200)), 2, cv2.LINE_AA)
    blur = float(rng.uniform(0.6, 2.5))
    share = np.asarray(cv2.GaussianBlur(shape, (0, 0), blur), np.float32)[..., None] / 255
    share = share[..., 0]
    body = np.asarray(cv2.GaussianBlur(body, (0, 0), blur), np.uint8)
    grain, rest = Grain(int(rng.integers(1 << 30))), 1 - share
    solid = np.nonzero(share.any(axis=1))[0]
    first, end = int(solid[0]), int(solid[-1]) + 1

    def paint(picture: Plane, n: int) -> Plane:
        out = picture.copy()
        noisy = grain.add(body, n + 31)
        part = slice(first, end)
        out[part] = (picture[part] * rest[part] + noisy[part] * share[part]).astype(np.uint8)
        return out

    return paint


def _painted(texts: list[Text], logo: tuple[int, int, Plane] | None = None) -> Painting:
    def paint(picture: Plane, n: int) -> Plane:
        out = picture.copy()
        for text in texts:
            text.paint(out, n)
        if logo is not None:
            top, left, image = logo
            out[top : top + image.shape[0], left : left + image.shape[1]] = image
        return out

    return paint


def _corner(stage: Stage, corner: int, words: str, font: int, scale: float) -> tuple[int, int]:
    (wide, tall), _ = cv2.getTextSize(words, font, scale, 2)
    edge = int(stage.rng.uniform(4, 24))
    x = edge if corner % 2 == 0 else max(0, WIDTH - wide - edge)
    return x, tall + edge if corner < 2 else stage.height - edge


def _logo(rng: np.random.Generator) -> Plane:
    """A shield with bars and a letter."""
    side = int(rng.uniform(40, 90))
    image = np.full((side, int(side * rng.uniform(0.8, 2.0))), int(rng.uniform(200, 250)), np.uint8)
    for _ in range(5):
        x, y = int(rng.uniform(0, image.shape[1])), int(rng.uniform(0, side))
        cv2.circle(image, (x, y), int(rng.uniform(4, side / 3)), int(rng.uniform(10, 160)), -1, cv2.LINE_AA)
    cv2.putText(image, "V", (4, side - 6), cv2.FONT_HERSHEY_DUPLEX, side / 40, 20, 2, cv2.LINE_AA)
    return image


def _hood_outline(rng: np.random.Generator, side: int, height: int) -> NDArray[np.int32]:
    """A tongue that reaches in from one side of the picture, with 5 to 25 % of it."""
    size = np.array([WIDTH, height])
    first, last = np.sort(rng.uniform(-0.2, 1.2, 2))
    if last - first < 0.4:
        first, last = first - 0.2, last + 0.2
    depth = rng.uniform(0.08, 0.28, 2)
    corners = np.array([(first, -0.1), (first + 0.05, depth[0]), (last - 0.05, depth[1]), (last, -0.1)])
    if side % 2:
        corners = corners[:, ::-1]
    if side >= 2:
        corners = 1 - corners
    return np.asarray(np.round(corners * size), np.int32)
