"""The standing part of the drawn town square: sky, facades with private windows, shops, road and cobbles."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.frame_number import BOTTOM, LEFT, RIGHT, TOP

OVERSCAN = 0.125
"""How far the square goes on beyond each edge of the picture, as a fraction of it: a moved view shows what is there."""
HORIZON, _ROAD_TOP, _ROAD_BOTTOM = 0.55, 0.575, 0.65
_LETTERS = "ABEFGHJKMNPRSTUWXZ"
_SHOPS = ("BOULANGERIE", "TABAC", "PHARMACIE", "LIBRAIRIE", "CAFE DU COIN", "MAIRIE", "FLEURS", "OPTIQUE")
_WALLS = ((115, 150, 172), (135, 156, 162), (95, 118, 160), (132, 132, 128), (112, 140, 142), (142, 160, 172))

Corners = tuple[tuple[float, float], ...]
Canvas = NDArray[np.uint8]


class PrivateWindow(NamedTuple):
    """A private space of the square: its name, and the quadrilateral (0..1 of the picture) that holds all of it."""

    name: str
    polygon: Corners


def private_windows(seed: int) -> tuple[PrivateWindow, ...]:
    """The windows and the open door that a mask must cover, whole or cut by the picture's edge, for this seed's square."""
    return tuple(PrivateWindow(w.name, w.outline(0.006)) for w in windows(seed) if w.left < 1 and w.right > 0)


class Window(NamedTuple):
    name: str
    corners: Corners
    letters: str

    @property
    def left(self) -> float:
        return min(x for x, _ in self.corners)

    @property
    def right(self) -> float:
        return max(x for x, _ in self.corners)

    def outline(self, margin: float) -> Corners:
        """The corners pushed outward by `margin` of the picture's width; cut by the picture's edge: an upright box."""
        corners = self.corners
        if self.left < margin or self.right > 1 - margin:
            top, bottom = min(y for _, y in corners), max(y for _, y in corners)
            corners = ((self.left, top), (self.right, top), (self.right, bottom), (self.left, bottom))
        middle_x, middle_y = sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4
        grown = (
            (x + (margin if x > middle_x else -margin), y + (margin if y > middle_y else -margin) * 16 / 9) for x, y in corners
        )
        return tuple((round(min(1.0, max(0.0, x)), 5), round(min(1.0, max(0.0, y)), 5)) for x, y in grown)


def buildings(seed: int) -> list[float]:
    """Where one facade ends and the next begins, as fractions of the picture's width, from beyond left to beyond right."""
    random = np.random.default_rng([seed, 2])
    widths = random.uniform(0.8, 1.25, 8)
    return [float(x) for x in np.concatenate([[0.0], np.cumsum(widths) / widths.sum()]) * 1.3 - 0.15]


def windows(seed: int) -> list[Window]:
    """One private window on each facade, on alternating floors, and one open door: also those beyond the frame."""
    random = np.random.default_rng([seed, 3])
    edges = buildings(seed)
    found = []
    for number, (left, right) in enumerate(itertools.pairwise(edges)):
        wide = (right - left) * float(random.uniform(0.34, 0.44))
        high = wide * float(random.uniform(1.9, 2.3))
        x = left + (right - left - wide) * float(random.uniform(0.3, 0.7))
        y = 0.15 + 0.05 * (number % 2) + float(random.uniform(0, 0.02))
        skew = random.uniform(-0.004, 0.004, 8)
        upright = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
        corners = tuple((cx + float(skew[2 * i]), cy + float(skew[2 * i + 1])) for i, (cx, cy) in enumerate(upright))
        letters = "".join(random.choice(list(_LETTERS), 4))
        found.append(Window(f"window {number + 1}", corners, letters))
    door_left = edges[3] + 0.35 * (edges[4] - edges[3])
    door = ((door_left, 0.44), (door_left + 0.04, 0.44), (door_left + 0.04, 0.548), (door_left, 0.548))
    found.append(Window("entrance", door, "".join(random.choice(list(_LETTERS), 2))))
    return found


class SquarePainter:
    """Paints the standing part of the square in BGR, with its surroundings."""

    def __init__(self, width: int, height: int, left: int, top: int, seed: int) -> None:
        self._size = width, height
        self._offset = left, top
        self._seed = seed
        self._random = np.random.default_rng([seed, 4])
        self._canvas: Canvas = np.zeros((height + 2 * top, width + 2 * left, 3), np.uint8)
        self._line_px = max(1, height // 540)

    def paint(self) -> Canvas:
        self._sky()
        edges = buildings(self._seed)
        for number, (left, right) in enumerate(itertools.pairwise(edges)):
            self._facade(number, left, right)
        self._ground()
        self._weather()
        for window in windows(self._seed):
            self._window(window)
        self._panel()
        cv2.GaussianBlur(self._canvas, (3, 3), 0.6, dst=self._canvas)
        return self._canvas

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self._size[0]) + self._offset[0], round(y * self._size[1]) + self._offset[1]

    def _box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple[float, ...]) -> None:
        cv2.rectangle(self._canvas, self._at(x0, y0), self._at(x1, y1), colour, -1)

    def _shade(self, spread: float) -> tuple[float, float, float]:
        b, g, r = self._random.uniform(-spread, spread, 3) * 0.3 + self._random.uniform(-spread, spread)
        return float(b), float(g), float(r)

    def _sky(self) -> None:
        self._box(-1, -1, 2, HORIZON, (215, 190, 170))

    def _facade(self, number: int, left: float, right: float) -> None:
        random = self._random
        wall = _WALLS[(number + self._seed) % len(_WALLS)]
        roof = float(random.uniform(0.02, 0.1))
        self._box(left, roof, right, HORIZON, wall)
        slate = [
            self._at(left, roof),
            self._at(left + 0.02, roof - 0.07),
            self._at(right - 0.03, roof - 0.06),
            self._at(right, roof),
        ]
        cv2.fillPoly(self._canvas, [np.array(slate)], (95, 85, 80))
        chimney = float(random.uniform(left + 0.02, right - 0.04))
        self._box(chimney, roof - 0.1, chimney + 0.018, roof - 0.03, (70, 85, 130))
        self._stones(left, right, roof, wall)
        self._box(left, roof - 0.006, right, roof + 0.008, tuple(c * 0.7 for c in wall))
        pipe = right - 0.006
        cv2.line(self._canvas, self._at(pipe, roof), self._at(pipe, HORIZON), tuple(c * 0.5 for c in wall), 2 * self._line_px)
        self._shutters(left, right, wall)
        self._shop(number, left, right)

    def _stones(self, left: float, right: float, roof: float, wall: tuple[int, ...]) -> None:
        """Courses of unequal stones: what tells one spot of a facade from the next."""
        random = self._random
        y = roof + 0.01
        while y < HORIZON:
            high = float(random.uniform(0.010, 0.022))
            x = left
            while x < right:
                wide = float(random.uniform(0.008, 0.034))
                shade = self._shade(42)
                colour = tuple(min(255.0, max(0.0, c + s)) for c, s in zip(wall, shade, strict=True))
                self._box(x + 0.0008, y + 0.0012, min(x + wide, right) - 0.0008, y + high - 0.0012, colour)
                x += wide
            y += high

    def _shutters(self, left: float, right: float, wall: tuple[int, ...]) -> None:
        """Closed shutters: nothing private behind them."""
        random = self._random
        panes = [w.corners for w in windows(self._seed)]
        for _ in range(4):
            x = float(random.uniform(left + 0.008, right - 0.034))
            y = float(random.uniform(0.11, 0.33))
            if any(x < c[2][0] + 0.012 and c[0][0] < x + 0.038 and y < c[2][1] + 0.02 and c[0][1] < y + 0.09 for c in panes):
                continue
            colour = tuple(float(c) for c in np.array([85, 100, 90]) + random.uniform(-45, 45, 3))
            self._box(x, y, x + 0.026, y + 0.07, colour)
            for slat in np.sort(random.uniform(y, y + 0.068, 7)):
                cv2.line(
                    self._canvas,
                    self._at(x, float(slat)),
                    self._at(x + 0.026, float(slat)),
                    tuple(c * 0.6 for c in wall),
                    self._line_px,
                )

    def _shop(self, number: int, left: float, right: float) -> None:
        random = self._random
        colour = tuple(float(c) for c in np.array([70, 70, 70]) + random.uniform(-45, 45, 3))
        self._box(left + 0.01, 0.405, right - 0.012, 0.435, colour)
        name = _SHOPS[(number * 3 + self._seed) % len(_SHOPS)]
        scale = self._size[1] / 1080
        cv2.putText(
            self._canvas,
            name,
            self._at(left + 0.016, 0.429),
            cv2.FONT_HERSHEY_DUPLEX,
            0.72 * scale,
            (235, 240, 240),
            self._line_px,
        )
        pane = float(random.uniform(0.3, 0.6)) * (right - left)
        self._box(left + 0.012, 0.45, left + 0.012 + pane, 0.53, (80, 70, 60))
        for _ in range(26):  # goods on display
            x, y = float(random.uniform(left + 0.014, left + pane)), float(random.uniform(0.455, 0.515))
            shade = tuple(float(c) for c in random.uniform(40, 230, 3))
            self._box(x, y, x + float(random.uniform(0.003, 0.010)), y + float(random.uniform(0.004, 0.015)), shade)

    def _ground(self) -> None:
        random = self._random
        self._box(-1, HORIZON, 2, 2, (105, 112, 116))
        y = HORIZON
        while y < 1 + OVERSCAN:
            high = 0.006 + 0.045 * (y - HORIZON)
            x = -OVERSCAN - float(random.uniform(0, 0.02))
            while x < 1 + OVERSCAN:
                wide = high * float(random.uniform(0.5, 1.3))
                grey = float(random.uniform(95, 175))
                shade = self._shade(12)
                corners = np.array(
                    [
                        self._at(x + wide * a, y + high * b)
                        for a, b in ((0.1, 0.0), (0.9, 0.05), (1.0, 0.85), (0.5, 1.0), (0.0, 0.9))
                    ]
                )
                cv2.fillPoly(self._canvas, [corners], tuple(grey + s for s in shade))
                x += wide * 1.06
            y += high * 1.04
        self._box(-1, _ROAD_TOP, 2, _ROAD_BOTTOM, (88, 86, 84))
        x = -OVERSCAN
        while x < 1 + OVERSCAN:
            dash = float(random.uniform(0.015, 0.045))
            self._box(x, 0.609, x + dash, 0.613, (200, 205, 205))
            x += dash + float(random.uniform(0.02, 0.05))
        for _ in range(60):  # patched asphalt
            x, y = float(random.uniform(-OVERSCAN, 1 + OVERSCAN)), float(random.uniform(_ROAD_TOP, _ROAD_BOTTOM - 0.01))
            grey = float(random.uniform(60, 120))
            self._box(x, y, x + float(random.uniform(0.004, 0.03)), y + float(random.uniform(0.003, 0.009)), (grey, grey, grey))
        for _ in range(14):  # manholes and puddles
            spot = self._at(float(random.uniform(-OVERSCAN, 1 + OVERSCAN)), float(random.uniform(0.68, 1.1)))
            axes = (
                round(float(random.uniform(0.008, 0.03)) * self._size[0]),
                round(float(random.uniform(0.006, 0.02)) * self._size[1]),
            )
            grey = float(random.uniform(50, 190))
            cv2.ellipse(self._canvas, spot, axes, float(random.uniform(-10, 10)), 0, 360, (grey, grey * 0.97, grey * 0.95), -1)

    def _weather(self) -> None:
        """Stains and light of every size over everything, so that no two spots look alike."""
        rows, columns = self._canvas.shape[:2]
        light = np.ones((rows, columns), np.float32)
        for cells, depth in ((6, 0.14), (24, 0.14), (90, 0.16), (170, 0.14)):
            grain = self._random.normal(0, 1, (cells * 9 // 16 + 2, cells)).astype(np.float32)
            light += depth / 2 * cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_CUBIC)
        for channel in range(3):
            self._canvas[..., channel] = np.clip(self._canvas[..., channel] * light, 4, 250)

    def _window(self, window: Window) -> None:
        """A lit room behind glass: wallpaper and large letters, which nobody may ever read in a recording."""
        corners = np.array([self._at(x, y) for x, y in window.corners])
        random = np.random.default_rng([self._seed, 5, ord(window.letters[0]), ord(window.letters[1])])
        paper = tuple(float(c) for c in random.uniform(150, 245, 3))
        cv2.fillPoly(self._canvas, [corners], paper)
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        step = max(4, (right - left) // 6)
        for n, x in enumerate(range(int(left) + step, int(right) - step // 2, step)):
            cv2.line(
                self._canvas, (x, int(top) + step), (x, int(bottom) - step), tuple(c * (0.72 + 0.1 * (n % 2)) for c in paper), 2
            )
        rows = len(window.letters)
        cell = (bottom - top) / (rows + 0.4)
        for n, letter in enumerate(window.letters):
            scale = cell / 30
            spot = round(left + (right - left) * 0.5 - 10 * scale), round(top + cell * (n + 1.0))
            cv2.putText(self._canvas, letter, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 40), max(2, round(3 * scale)))
        cv2.polylines(self._canvas, [corners], True, (245, 245, 240), max(2, 3 * self._line_px))

    def _panel(self) -> None:
        """The board on the ground that carries clock and frame number."""
        self._box(LEFT - 0.01, TOP - 0.012, RIGHT + 0.01, BOTTOM + 0.046, (18, 18, 18))
