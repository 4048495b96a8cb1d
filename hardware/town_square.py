"""A drawn town square, the same for the same seed: facades with private windows, cobbles, walkers and vehicles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Planes
from hardware.frame_number import BOTTOM, LEFT, write_frame_number
from hardware.passers_by import Sprite, draw_vehicle, draw_walker, to_planes
from hardware.square_painter import HORIZON, OVERSCAN, SquarePainter


class TownSquare:
    """Draws the picture of any moment. One thread.

    The standing part is drawn once; each frame costs a copy of it and the few rectangles where something moves.
    """

    def __init__(self, width: int, height: int, seed: int) -> None:
        self.width, self.height = width, height
        self._left, self._top = (round(OVERSCAN * n / 2) * 2 for n in (width, height))
        self._wide = Planes.empty(width + 2 * self._left, height + 2 * self._top)
        random = np.random.default_rng([seed, 1])
        _copy(to_planes(SquarePainter(width, height, self._left, self._top, seed).paint()), self._wide)
        lanes = sorted(random.uniform(0.68, 0.835, 12))
        self._walkers = [_Passing.walker(random, lane, width, height) for lane in lanes]
        self._vehicles = [_Passing.vehicle(random, lane, width, height) for lane in (0.615, 0.642)]
        self._digits = _digits(max(10, height // 36))

    def draw(self, seconds: float, number: int, into: Planes) -> None:
        """The square at `seconds` on its own clock, with `number` in digits and in blocks, as the camera sees it."""
        width, height = into.width, into.height
        inner = _cut(self._wide, self._left, self._top, width, height)
        _copy(inner, into)
        self._move(seconds, number, into, 0, 0)

    def draw_wide(self, seconds: float, number: int) -> Planes:
        """The same with the surroundings, the picture in the middle: what a moved view is cut from. Freshly allocated."""
        wide = Planes(self._wide.y.copy(), self._wide.u.copy(), self._wide.v.copy())
        self._move(seconds, number, wide, self._left, self._top)
        return wide

    def _move(self, seconds: float, number: int, into: Planes, left: int, top: int) -> None:
        for passing in (*self._vehicles, *self._walkers):
            passing.draw(seconds, into, left, top)
        view = _cut(into, left, top, self.width, self.height)
        write_frame_number(view.y, number)
        hundredths = int(seconds * 100 + 0.5)
        minutes, rest = divmod(hundredths, 6000)
        text = f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 100:02d}.{rest % 100:02d} #{number:07d}"
        self._write(text, view)

    def _write(self, text: str, view: Planes) -> None:
        x, y = round(LEFT * self.width / 2) * 2, round((BOTTOM + 0.008) * self.height / 2) * 2
        for character in text:
            glyph = self._digits.get(character)
            if glyph is None:
                x += self._digits["0"].shape[1] // 2
                continue
            rows, columns = glyph.shape
            view.y[y : y + rows, x : x + columns] = glyph
            view.u[y // 2 : (y + rows) // 2, x // 2 : (x + columns) // 2] = 128
            view.v[y // 2 : (y + rows) // 2, x // 2 : (x + columns) // 2] = 128
            x += columns


class _Passing:
    """A walker or a vehicle on its way across, again and again."""

    def __init__(
        self, phases: list[Sprite], foot_px: int, speed_px_s: float, start_px: float, span_px: int, steps_s: float
    ) -> None:
        self._phases = phases
        self._foot_px = foot_px
        self._speed_px_s = speed_px_s
        self._start_px = start_px
        self._span_px = span_px
        self._entry_px = span_px / 7
        self._steps_s = steps_s

    @classmethod
    def walker(cls, random: np.random.Generator, lane: float, width: int, height: int) -> _Passing:
        tall_px = round(height * (0.07 + 0.28 * (lane - HORIZON)))
        goes_right = bool(random.integers(2))
        phases = draw_walker(random, tall_px, goes_right)
        speed = float(random.uniform(0.03, 0.07)) * width * (1 if goes_right else -1)
        return cls(phases, round(lane * height), speed, float(random.uniform(0, 1.4 * width)), round(1.4 * width), 7.0)

    @classmethod
    def vehicle(cls, random: np.random.Generator, lane: float, width: int, height: int) -> _Passing:
        goes_right = lane > 0.63
        sprite = draw_vehicle(random, round(0.085 * height), goes_right)
        speed = float(random.uniform(0.12, 0.2)) * width * (1 if goes_right else -1)
        span = round(3.0 * width)
        return cls([sprite], round(lane * height), speed, float(random.uniform(0, span)), span, 1.0)

    def draw(self, seconds: float, into: Planes, left: int, top: int) -> None:
        sprite = self._phases[int(seconds * self._steps_s) % len(self._phases)]
        x = (self._start_px + self._speed_px_s * seconds) % self._span_px - self._entry_px
        sprite.blit(into, left + round(x), top + self._foot_px - sprite.height)


def _digits(rows: int) -> dict[str, NDArray[np.uint8]]:
    """Luma of every character the clock needs, of even height and width."""
    rows += rows % 2
    columns = rows * 2 // 3 // 2 * 2
    glyphs = {}
    for character in "0123456789:.#":
        glyph = np.full((rows, columns), 20, np.uint8)
        spot = (max(1, columns // 8), rows - max(2, rows // 7))
        cv2.putText(glyph, character, spot, cv2.FONT_HERSHEY_SIMPLEX, rows / 32, 225, max(1, rows // 14))
        glyphs[character] = glyph
    return glyphs


def _cut(planes: Planes, left: int, top: int, width: int, height: int) -> Planes:
    """A view of a part; `left` and `top` are even."""
    luma = np.s_[top : top + height, left : left + width]
    chroma = np.s_[top // 2 : top // 2 + (height + 1) // 2, left // 2 : left // 2 + (width + 1) // 2]
    return Planes(planes.y[luma], planes.u[chroma], planes.v[chroma])


def _copy(source: Planes, target: Planes) -> None:
    for here, there in zip((source.y, source.u, source.v), (target.y, target.u, target.v), strict=True):
        np.copyto(there, here)
