"""Walkers and vehicles of the drawn town square: small pictures with a shape, put over a larger one."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Planes

Colour = tuple[float, float, float]
PHASES = 8
"""Pictures of one stride."""


class Sprite:
    """A picture of even size and the shape of what is to be seen on it."""

    def __init__(self, bgr: NDArray[np.uint8], shape: NDArray[np.uint8]) -> None:
        self.height, self.width = shape.shape
        self._planes = to_planes(bgr)
        self._shape = shape > 0
        self._chroma_shape = self._shape[::2, ::2].copy()

    def blit(self, into: Planes, x: int, y: int) -> None:
        """Put it with its top left corner at (x, y), rounded to even; what lies outside is cut."""
        x, y = x // 2 * 2, y // 2 * 2
        left, top = max(0, -x), max(0, -y)
        right, bottom = min(self.width, into.width // 2 * 2 - x), min(self.height, into.height // 2 * 2 - y)
        if right <= left or bottom <= top:
            return
        own = np.s_[top:bottom, left:right]
        np.copyto(into.y[y + top : y + bottom, x + left : x + right], self._planes.y[own], where=self._shape[own])
        own = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        place = np.s_[(y + top) // 2 : (y + bottom) // 2, (x + left) // 2 : (x + right) // 2]
        np.copyto(into.u[place], self._planes.u[own], where=self._chroma_shape[own])
        np.copyto(into.v[place], self._planes.v[own], where=self._chroma_shape[own])


def to_planes(bgr: NDArray[np.uint8]) -> Planes:
    """BGR of even size to planar 4:2:0, BT.601 limited range."""
    rows, columns = bgr.shape[:2]
    return Planes.over(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False).reshape(-1), columns, rows)


def draw_walker(random: np.random.Generator, tall_px: int, goes_right: bool) -> list[Sprite]:
    """One walker of random dress, in every phase of a stride."""
    coat, trousers, hair = (_colour(random, low, high) for low, high in ((40, 230), (30, 140), (20, 160)))
    skin = (130.0, 160.0, 205.0) if random.integers(2) else (70.0, 95.0, 140.0)
    bag = bool(random.integers(2))
    rows = tall_px // 2 * 2 + 4
    columns = (rows * 5 // 8) // 2 * 2
    sprites = []
    for phase in range(PHASES):
        bgr, shape = np.zeros((rows, columns, 3), np.uint8), np.zeros((rows, columns), np.uint8)
        swing = math.sin(2 * math.pi * phase / PHASES)
        middle, unit = columns / 2, rows / 16

        def limb(top: tuple[float, float], angle: float, length: float, thick: float, colour: Colour, canvas: _Both) -> None:
            foot = top[0] + math.sin(angle) * length, top[1] + math.cos(angle) * length
            canvas.line(top, foot, colour, thick)

        canvas = _Both(bgr, shape)
        canvas.ellipse((middle, rows - unit * 0.6), (unit * 2.2, unit * 0.45), (50, 50, 50))
        limb((middle, unit * 9), -0.42 * swing, unit * 6.2, unit * 1.3, _darker(trousers), canvas)
        limb((middle, unit * 5), 0.5 * swing, unit * 4.2, unit * 0.9, _darker(coat), canvas)
        limb((middle, unit * 9), 0.42 * swing, unit * 6.2, unit * 1.3, trousers, canvas)
        canvas.ellipse((middle, unit * 6.8), (unit * 1.6, unit * 3.2), coat)
        limb((middle, unit * 5), -0.5 * swing, unit * 4.2, unit * 0.9, coat, canvas)
        if bag:
            canvas.ellipse((middle - unit * 1.6, unit * 9.5), (unit * 0.9, unit * 1.2), (30, 40, 110))
        canvas.ellipse((middle, unit * 2.2), (unit * 1.1, unit * 1.4), skin)
        canvas.ellipse((middle - unit * 0.2, unit * 1.5), (unit * 1.1, unit * 0.9), hair)
        if not goes_right:
            bgr, shape = bgr[:, ::-1].copy(), shape[:, ::-1].copy()
        sprites.append(Sprite(bgr, shape))
    return sprites


def draw_vehicle(random: np.random.Generator, tall_px: int, goes_right: bool) -> Sprite:
    """A car, seen from the side. It bears no number plate."""
    rows = tall_px // 2 * 2 + 4
    columns = (rows * 5 // 2) // 2 * 2
    bgr, shape = np.zeros((rows, columns, 3), np.uint8), np.zeros((rows, columns), np.uint8)
    canvas, body = _Both(bgr, shape), _colour(random, 40, 220)

    def outline(*points: tuple[float, float]) -> NDArray[np.int32]:
        return np.array([(x * columns, y * rows) for x, y in points]).round().astype(np.int32)

    canvas.ellipse((columns * 0.5, rows * 0.93), (columns * 0.46, rows * 0.06), (35, 35, 35))
    canvas.fill(
        outline((0.03, 0.5), (0.2, 0.44), (0.32, 0.12), (0.7, 0.1), (0.85, 0.45), (0.97, 0.55), (0.97, 0.85), (0.03, 0.85)), body
    )
    canvas.fill(outline((0.25, 0.44), (0.34, 0.18), (0.5, 0.17), (0.5, 0.44)), (120, 105, 90))
    canvas.fill(outline((0.53, 0.44), (0.53, 0.17), (0.68, 0.16), (0.79, 0.44)), (110, 95, 80))
    canvas.line((columns * 0.515, rows * 0.45), (columns * 0.515, rows * 0.82), _darker(body), max(1, rows / 40))
    for wheel in (0.22, 0.77):
        canvas.ellipse((columns * wheel, rows * 0.84), (rows * 0.15, rows * 0.15), (25, 25, 25))
        canvas.ellipse((columns * wheel, rows * 0.84), (rows * 0.07, rows * 0.07), (150, 150, 150))
    canvas.ellipse((columns * 0.95, rows * 0.62), (rows * 0.05, rows * 0.06), (190, 240, 250))
    return Sprite(bgr, shape) if goes_right else Sprite(bgr[:, ::-1].copy(), shape[:, ::-1].copy())


class _Both:
    """Draws on the picture and on its shape alike."""

    def __init__(self, bgr: NDArray[np.uint8], shape: NDArray[np.uint8]) -> None:
        self._layers: tuple[NDArray[np.uint8], NDArray[np.uint8]] = bgr, shape

    def ellipse(self, centre: tuple[float, float], axes: tuple[float, float], colour: Colour) -> None:
        at, radii = (round(centre[0]), round(centre[1])), (max(1, round(axes[0])), max(1, round(axes[1])))
        for layer, ink in zip(self._layers, (colour, (255.0, 255.0, 255.0)), strict=True):
            cv2.ellipse(layer, at, radii, 0, 0, 360, ink, -1)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour, thick: float) -> None:
        a, b = (round(start[0]), round(start[1])), (round(end[0]), round(end[1]))
        for layer, ink in zip(self._layers, (colour, (255.0, 255.0, 255.0)), strict=True):
            cv2.line(layer, a, b, ink, max(1, round(thick)))

    def fill(self, outline: NDArray[np.int32], colour: Colour) -> None:
        for layer, ink in zip(self._layers, (colour, (255.0, 255.0, 255.0)), strict=True):
            cv2.fillPoly(layer, [outline], ink)


def _colour(random: np.random.Generator, low: float, high: float) -> Colour:
    b, g, r = random.uniform(low, high, 3)
    return float(b), float(g), float(r)


def _darker(colour: Colour) -> Colour:
    return colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7
