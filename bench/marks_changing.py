"""Marks that a camera lays over its picture and that do not stand still: blinking, scrolling, growing, half transparent."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench.disturbance import Painting, Stage
from bench.marks import heavy_overlay, usual_overlay
from bench.scene import WIDTH, drawn_square

_FONT = cv2.FONT_HERSHEY_DUPLEX
_TICKER = "MAIRIE DE VILLENEUVE * MARCHE SAMEDI 8H-13H * RUE DU PONT FERMEE * COLLECTE LUNDI * "


def blinking(stage: Stage) -> Painting:
    """Texts and a logo that come and go, each for some pictures."""
    marks = heavy_overlay(stage)
    on, off, phase = (int(f) for f in stage.rng.integers([3, 2, 0], [40, 30, 40]))
    return lambda p, n: marks(p, n) if (n + phase) % (on + off) < on else p


def ticker(stage: Stage) -> Painting:
    """Words that run through a band from edge to edge, and a clock above them."""
    rng = stage.rng
    tall, pace, scale = int(rng.uniform(18, 60)), float(rng.uniform(0.5, 9)), float(rng.uniform(0.5, 1.3))
    top = stage.height - tall if rng.random() < 0.5 else 0
    (wide, _), _ = cv2.getTextSize(_TICKER, _FONT, scale, 1)
    strip = np.full((tall, 2 * wide + WIDTH), int(rng.choice([0, 20, 60])), np.uint8)
    for start in (0, wide, 2 * wide):
        cv2.putText(strip, _TICKER, (start, tall - tall // 4), _FONT, scale, 235, 1, cv2.LINE_AA)
    clock, opaque = usual_overlay(stage), rng.random() < 0.6

    def paint(p: Plane, n: int) -> Plane:
        out = clock(p, n).copy()
        left = round(pace * n) % wide
        seen = strip[:, left : left + WIDTH]
        out[top : top + tall] = seen if opaque else cv2.max(out[top : top + tall], seen)
        return out

    return paint


def progress(stage: Stage) -> Painting:
    """A bar with marks of its own that fills, and begins again: a card that is written, a firmware that is loaded."""
    rng = stage.rng
    top, tall, lasts = int(rng.uniform(0, stage.height - 60)), int(rng.uniform(12, 60)), int(rng.uniform(40, 400))
    name = usual_overlay(stage)

    def paint(p: Plane, n: int) -> Plane:
        out = name(p, n).copy()
        share = n % lasts / lasts
        cv2.rectangle(out, (20, top), (WIDTH - 20, top + tall), 20, -1)
        cv2.rectangle(out, (22, top + 2), (22 + round((WIDTH - 44) * share), top + tall - 2), 220, -1)
        for x in range(60, WIDTH - 20, 40):
            cv2.line(out, (x, top), (x, top + tall), 120, 1)
        cv2.putText(out, f"{100 * share:.0f} %", (WIDTH // 2 - 20, top + tall - 3), _FONT, tall / 40, 128, 1, cv2.LINE_AA)
        return out

    return paint


def another_picture_within(stage: Stage) -> Painting:
    """A second camera's picture in a corner of this one; people walk in it."""
    rng, other = stage.rng, drawn_square(int(stage.rng.integers(1 << 20)), stage.height)
    share = rng.uniform(0.2, 0.5)
    wide, tall = int(WIDTH * share), int(stage.height * share)
    left = int(rng.choice([8, WIDTH - wide - 8]))
    top = int(rng.choice([8, stage.height - tall - 8]))

    def paint(p: Plane, n: int) -> Plane:
        out = p.copy()
        out[top : top + tall, left : left + wide] = cv2.resize(other.at(n), (wide, tall), interpolation=cv2.INTER_AREA)
        cv2.rectangle(out, (left - 1, top - 1), (left + wide, top + tall), 235, 1)
        return out

    return paint


def watermark(stage: Stage) -> Painting:
    """Half-transparent words over the whole picture, aslant, as a recorder lays them on."""
    rng, height = stage.rng, stage.height
    layer = np.zeros((2 * height, 2 * WIDTH), np.uint8)
    scale, thick, dense = float(rng.uniform(0.6, 2.2)), int(rng.integers(1, 4)), float(rng.uniform(0.7, 2))
    for row, y in enumerate(range(20, 2 * height, int(40 * scale * dense))):
        for x in range(-40 * (row % 3), 2 * WIDTH, int(190 * scale * dense)):
            cv2.putText(layer, "VILLE 07", (x, y), _FONT, scale, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((WIDTH, height), float(rng.uniform(-35, 35)), 1)
    layer = np.asarray(cv2.warpAffine(layer, turn, (2 * WIDTH, 2 * height)), np.uint8)
    part = layer[height // 2 : height // 2 + height, WIDTH // 2 : WIDTH // 2 + WIDTH]
    seen = part * np.float32(rng.uniform(0.1, 0.5) / 255)
    grey = np.float32(rng.choice([255, 235, 0]))
    return lambda p, _: np.asarray(p * (1 - seen) + grey * seen, np.uint8)


def own_zones(stage: Stage) -> Painting:
    """Zones that the camera itself blackens or coarsens, fixed to its sensor: up to a third of the picture."""
    rng, height = stage.rng, stage.height
    zones = []
    for _ in range(int(rng.integers(2, 6))):
        wide, tall = int(rng.uniform(0.08, 0.3) * WIDTH), int(rng.uniform(0.1, 0.4) * height)
        left, top = int(rng.uniform(0, WIDTH - wide)), int(rng.uniform(0, height - tall))
        zones.append((left, top, wide, tall, int(rng.integers(0, 4)), int(rng.choice([0, 16, 128, 250]))))

    def paint(p: Plane, _: int) -> Plane:
        out = p.copy()
        for left, top, wide, tall, way, grey in zones:
            part = out[top : top + tall, left : left + wide]
            if way == 0:
                small = cv2.resize(part, (max(1, wide // 16), max(1, tall // 16)), interpolation=cv2.INTER_AREA)
                part[:] = cv2.resize(small, (wide, tall), interpolation=cv2.INTER_NEAREST)
            elif way == 1:
                part[:] = grey
                part[(np.add.outer(np.arange(tall), np.arange(wide)) // 12) % 2 == 0] = 255 - grey
            else:
                part[:] = grey
        return out

    return paint


def lamps_in_strings(stage: Stage) -> Painting:
    """Christmas lights on strings across the scene: they blink in groups. Part of the scene, and so knocked with it."""
    rng, height = stage.rng, stage.height
    lamps = []
    for _ in range(int(rng.integers(3, 12))):
        a, b, sag = rng.uniform(-0.1, 1.1, 2) * WIDTH, rng.uniform(0.05, 0.8, 2) * height, rng.uniform(5, 50)
        for share in np.linspace(0, 1, int(rng.integers(12, 40))):
            hang = 4 * sag * share * (1 - share)
            place = a[0] + share * (a[1] - a[0]), b[0] + share * (b[1] - b[0]) + hang
            lamps.append((round(place[0]), round(place[1]), int(rng.integers(4))))
    period, size = int(rng.integers(4, 50)), int(rng.integers(1, 5))

    def paint(p: Plane, n: int) -> Plane:
        out = p.copy()
        lit = n // period % 4
        for x, y, group in lamps:
            cv2.circle(out, (x, y), size, 250 if group == lit else 60, -1, cv2.LINE_AA)
        return out

    return paint


def since(painting: Painting, first: int, end: int = 1 << 30) -> Painting:
    """Only on these frames."""
    return lambda p, n: painting(p, n) if first <= n < end else p


def both(inner: Painting, outer: Painting) -> Painting:
    """One after the other."""
    return lambda p, n: outer(inner(p, n), n)


CHANGING: dict[str, Callable[[Stage], Painting]] = {
    "blinking": blinking,
    "ticker": ticker,
    "progress": progress,
    "picture-within": another_picture_within,
    "watermark": watermark,
    "zones": own_zones,
}
"""By name, as `--with` knows them."""
