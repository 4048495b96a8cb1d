"""Reading letters behind masks: an attacker with every template, 100 frames and the source code, against each fill.

A letter stands on a panel in the private area. The attacker knows the fonts, the letter's size, the scene around it, how
the view sways and the program that masks; not where exactly the letter stands, nor the session's secret. He undoes the
sway, averages all frames, puts every letter at every place through the same program himself, and names the letter whose
picture differs from the mean of all in the way the observed one does. Reading at chance is 1 in 26.

Fills that are offered go through the real PrivacyMask. Three that are not offered stand beside them: they show that the
attacker can read, and why a mosaic made of the pixels it covers cannot be offered, however coarse.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import comb

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.mask.privacy_mask import Fill, PrivacyMask
from agent.picture.cover import Corners, Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from bench.fonts import fonts

LETTERS = string.ascii_uppercase
WIDTH, HEIGHT = 320, 180
LEFT, TOP, RIGHT, BOTTOM = 80, 36, 240, 144
"""The private area, in luma samples: 160 x 108 of 320 x 180."""
FRAMES = 100
SWAY_PX = 3.0
STRAY_PX = 4
"""The letter stands up to this far from where the attacker first looks."""
PLACES = (-3, 0, 3)
TEMPLATE_VIEWS = 8
"""Phases of the sway a template is averaged over."""
SIZES = {"a third of the mask": 36, "most of the mask": 84}
CHANCE_BOUND = 0.999
"""An attacker who guesses stays below the bound in this share of all measurements."""

Features = NDArray[np.float32]
Publisher = Callable[[Planes, tuple[float, float], int], Planes]
"""Masks one picture in place: the planes, by how much the view is shifted, the frame's number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often the attacker was right."""

    right: int
    asked: int

    @property
    def share(self) -> float:
        return self.right / self.asked

    @property
    def at_chance(self) -> bool:
        """No more often than guessing explains."""
        return self.right <= most_by_guessing(self.asked)


def most_by_guessing(asked: int) -> int:
    """The number of letters that somebody who guesses does not exceed in 99.9 % of all measurements."""
    p, below = 1 / len(LETTERS), 0.0
    for right in range(asked + 1):
        below += comb(asked, right) * p**right * (1 - p) ** (asked - right)
        if below >= CHANCE_BOUND:
            return right
    return asked


class Square:
    """The scene: a textured wall, and on it, in the private area, a light panel with a dark red letter."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        bricks = rng.normal(0, 14, (HEIGHT // 6, WIDTH // 10)).astype(np.float32)
        wall = 110 + cv2.resize(bricks, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        wall[TOP + 4 : BOTTOM - 4, LEFT + 4 : RIGHT - 4] = 200
        self._wall = np.asarray(wall, np.float32)
        self._noise = rng.normal(0, 2, (7, HEIGHT, WIDTH)).astype(np.float32)

    def picture(self, ink: Plane, at: tuple[int, int], shift: tuple[float, float], noise: int | None) -> Planes:
        """The scene with this letter, seen by a view shifted by so much; `noise` chooses the sensor's noise, None is none."""
        mark = np.zeros((HEIGHT, WIDTH), np.float32)
        top, left = (TOP + BOTTOM - ink.shape[0]) // 2 + at[1], (LEFT + RIGHT - ink.shape[1]) // 2 + at[0]
        mark[top : top + ink.shape[0], left : left + ink.shape[1]] = ink.astype(np.float32) / 255
        luma = self._wall - 150 * mark
        if shift != (0.0, 0.0):
            luma, mark = _shifted(luma, shift), _shifted(mark, shift)
        if noise is not None:
            luma = luma + np.roll(self._noise[noise % 7], noise, axis=1)
        half = cv2.resize(mark, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        planes = Planes.empty(WIDTH, HEIGHT)
        planes.y[...] = np.clip(luma, 16, 235)
        planes.u[...] = 124 - 20 * half
        planes.v[...] = 130 + 60 * half
        return planes


def _shifted(plane: NDArray[np.float32], shift: tuple[float, float]) -> NDArray[np.float32]:
    rows, columns = plane.shape
    by = np.array(((1, 0, shift[0]), (0, 1, shift[1])), np.float64)
    moved = cv2.warpAffine(plane, by, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def shifts(count: int, *, swaying: bool) -> list[tuple[float, float]]:
    """Where the view stands in each frame."""
    if not swaying:
        return [(0.0, 0.0)] * count
    steps = np.arange(count) * FRAMES / count
    return [(float(x), float(y)) for x, y in zip(SWAY_PX * np.sin(steps * 0.61), SWAY_PX * np.cos(steps * 0.37), strict=True)]


def offered(fill: Fill) -> Publisher:
    """The real privacy mask, a session of its own."""
    mask = PrivacyMask(fill)
    corners: Corners = np.array(((LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)), np.float64)

    def publish(planes: Planes, shift: tuple[float, float], index: int) -> Planes:
        polygon = (corners + shift) / (WIDTH, HEIGHT)
        cover = Cover((polygon,), 0.004, None, "", f"{index}", ViewState.VERIFIED)
        frame = mask.apply(RawFrame(planes, FrameTime(index, 10**9 + index * 40_000_000, 1)), cover)
        assert not frame.opaque, frame.reason
        return frame.planes

    return publish


def tiles_of_pixels(tile: int, *, anchored: bool, dither: float) -> Publisher:
    """The usual mosaic: every tile the mean of what it covers; optionally anchored to the scene, with a secret dither."""
    secret = np.random.default_rng().uniform(-dither, dither, (3, 64, 64)).astype(np.float32)

    def publish(planes: Planes, shift: tuple[float, float], _index: int) -> Planes:
        for number, (plane, span) in enumerate(((planes.y, 1), (planes.u, 2), (planes.v, 2))):
            size = tile // span
            x = round(shift[0] / 2) * 2 // span if anchored else 0
            y = round(shift[1] / 2) * 2 // span if anchored else 0
            left, top = LEFT // span + x, TOP // span + y
            right, bottom = left + -(-(RIGHT - LEFT) // tile) * size, top + -(-(BOTTOM - TOP) // tile) * size
            area = plane[top:bottom, left:right].astype(np.float32)
            rows, columns = area.shape[0] // size, area.shape[1] // size
            means = cv2.resize(area, (columns, rows), interpolation=cv2.INTER_AREA) + secret[number, :rows, :columns]
            plane[top : top + rows * size, left : left + columns * size] = np.clip(
                np.kron(means, np.ones((size, size), np.float32)), 16, 240
            )
        return planes

    return publish


def gaussian(sigma: float) -> Publisher:
    """The usual blur: a Gaussian over what it covers."""

    def publish(planes: Planes, shift: tuple[float, float], _index: int) -> Planes:
        x, y = round(shift[0]), round(shift[1])
        for plane, span in ((planes.y, 1), (planes.u, 2), (planes.v, 2)):
            rows, columns = slice((TOP + y) // span, (BOTTOM + y) // span), slice((LEFT + x) // span, (RIGHT + x) // span)
            plane[rows, columns] = cv2.GaussianBlur(plane, (0, 0), sigma / span)[rows, columns]
        return planes

    return publish


OFFERED: Mapping[str, Callable[[], Publisher]] = {
    "solid": lambda: offered("solid"),
    "mosaic": lambda: offered("mosaic"),
    "blur": lambda: offered("blur"),
}
NOT_OFFERED: Mapping[str, Callable[[], Publisher]] = {
    "mosaic of pixels, 8 px tiles, on the sensor's grid": lambda: tiles_of_pixels(8, anchored=False, dither=0.0),
    "mosaic of pixels, 1/16 of the width, anchored, secret dither of 24": lambda: tiles_of_pixels(20, anchored=True, dither=24.0),
    "blur of pixels, sigma 8 px": lambda: gaussian(8.0),
}


class Attacker:
    """Reads one fill at one size of letter. Builds his templates once, by the same program with a session of his own."""

    def __init__(self, square: Square, make: Callable[[], Publisher], inks: Mapping[str, Plane], *, swaying: bool) -> None:
        self._guess = np.random.default_rng(3)
        views = shifts(TEMPLATE_VIEWS if swaying else 1, swaying=swaying)
        publish = make()
        templates: list[Features] = []
        self._letters: list[str] = []
        for letter, ink in inks.items():
            for at in product(PLACES, PLACES):
                templates.append(averaged((publish(square.picture(ink, at, v, None), v, k), v) for k, v in enumerate(views)))
                self._letters.append(letter)
        self._mean = np.mean(templates, axis=0)
        self._away = np.stack(templates) - self._mean
        self._power = (self._away**2).sum(axis=1) / 2

    def read(self, seen: Features) -> str:
        """The letter of the nearest template; a guess where all are as near."""
        likeness = self._away @ (seen - self._mean) - self._power
        best = np.nonzero(likeness >= likeness.max() - 1e-9)[0]
        return self._letters[int(self._guess.choice(best))]


def averaged(published: Iterable[tuple[Planes, tuple[float, float]]]) -> Features:
    """The private area of all frames, brought back to where the view stood, averaged: Y, U and V in one row."""
    total: Features | None = None
    count = 0
    for planes, shift in published:
        parts = []
        for plane, span in ((planes.y, 1), (planes.u, 2), (planes.v, 2)):
            samples = plane.astype(np.float32)
            if shift != (0.0, 0.0):
                samples = _shifted(samples, (-shift[0] / span, -shift[1] / span))
            parts.append(samples[TOP // span : BOTTOM // span, LEFT // span : RIGHT // span].reshape(-1))
        row = np.concatenate(parts)
        total = row if total is None else total + row
        count += 1
    assert total is not None
    return np.asarray(total / count, np.float32)


def measure(
    make: Callable[[], Publisher], font: Callable[[str, int], Plane], height: int, *, swaying: bool, frames: int = FRAMES
) -> Verdict:
    """Show the attacker every letter once, `frames` pictures of each, each in a session of its own."""
    square = Square()
    inks = {letter: font(letter, height) for letter in LETTERS}
    attacker = Attacker(square, make, inks, swaying=swaying)
    views = shifts(frames, swaying=swaying)
    places = np.random.default_rng(17)
    right = 0
    for letter, ink in inks.items():
        publish = make()
        x, y = (int(p) for p in places.integers(-STRAY_PX, STRAY_PX + 1, 2))
        seen = averaged((publish(square.picture(ink, (x, y), v, k), v, k), v) for k, v in enumerate(views))
        right += attacker.read(seen) == letter
    return Verdict(right, len(inks))


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: frames (100), fonts (2; all known ones with `--fonts all`). Prints a table; returns the same figures."""
    cv2.setNumThreads(1)
    frames = int(str(options.get("frames", FRAMES)))
    wanted = str(options.get("fonts", 2))
    known = fonts()
    chosen = list(known.items()) if wanted == "all" else list(known.items())[: int(wanted)]
    table = Table(title=f"letters read behind each fill, {frames} frames each, fonts {', '.join(name for name, _ in chosen)}")
    for column in ("fill", "view", *SIZES, "at chance"):
        table.add_column(column, justify="left" if column in ("fill", "view") else "right")
    results: dict[str, object] = {}
    with_names = [*((n, m, True) for n, m in OFFERED.items()), *((n, m, False) for n, m in NOT_OFFERED.items())]
    for name, make, is_offered in track(with_names, "reading", transient=True):
        for swaying in (False, True):
            verdicts = []
            for height in SIZES.values():
                each = [measure(make, font, height, swaying=swaying, frames=frames) for _, font in chosen]
                verdicts.append(Verdict(sum(v.right for v in each), sum(v.asked for v in each)))
            view = "swaying" if swaying else "still"
            chance = all(v.at_chance for v in verdicts)
            table.add_row(name, view, *(f"{v.right}/{v.asked}" for v in verdicts), "yes" if chance else "no")
            results[f"{name}; {view}"] = {
                "offered": is_offered,
                "at_chance": chance,
                **{size: v.share for size, v in zip(SIZES, verdicts, strict=True)},
            }
    Console().print(table)
    print(f"a guesser stays at or below {most_by_guessing(26 * len(chosen))} of {26 * len(chosen)} in 99.9 % of runs")
    return results
