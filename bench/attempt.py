"""One attempt to make the guard show what is private: a string of bytes that says what happens, and a sequence made from it.

Every string of the right length is an attempt, so that a search may cross and change them as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from agent.config.polygon import Polygon
from agent.picture.planes import Plane
from bench import disturbance_light as light
from bench.disturbance import FPS, HOME, Disturbance, Grain, Painting, Pointing, Slab, Stage, Warp, turned, whole
from bench.disturbance_objects import lorry, parked
from bench.disturbance_weather import haze, infrared_night, rainy_night, snowfall
from bench.scene import LAYOUTS, WIDTH
from bench.wrapping import WRAPPINGS

GENES = 50
EVENT, FRAMES = 16, 76
_LIGHTS: tuple[Callable[[Stage], Painting] | None, ...] = (
    None,
    None,
    None,
    haze,
    light.night,
    infrared_night,
    rainy_night,
    snowfall,
    light.gamma_step,
    light.fog,
)


class Genes:
    """Reads a string of bytes one after the other: each is a share from 0 to 1 of what it stands for."""

    def __init__(self, genome: bytes) -> None:
        self._genome, self._at = genome, 0

    def share(self) -> float:
        """The next one."""
        value = self._genome[self._at % len(self._genome)] / 255
        self._at += 1
        return value

    def between(self, least: float, most: float) -> float:
        """The next one on this scale."""
        return least + self.share() * (most - least)

    def number(self, count: int) -> int:
        """The next one as a number below `count`."""
        return min(count - 1, int(self.share() * count))

    def chance(self, share: float) -> bool:
        """Whether the next one lies in the uppermost part of this size."""
        return self.share() > 1 - share


@dataclass(frozen=True, eq=False, slots=True)
class Move:
    """The camera goes from where it was to `pose` from frame `start` on, in so many frames."""

    start: float
    frames: float
    pose: Warp


@dataclass(frozen=True, eq=False, slots=True)
class Attempt:
    """What a genome stands for: what happens, what lies between, where the masks lie."""

    disturbance: Disturbance
    wrapping: str
    polygons: tuple[Polygon, ...]


def attempt(genome: bytes, height: int, wrapping: str | None = None) -> Attempt:
    """The attempt of a genome on a picture of this height; `wrapping` None: the genome's own."""
    genes = Genes(genome)
    stage = Stage(np.random.default_rng(genes.number(256)), height, EVENT)
    own = tuple(WRAPPINGS)[genes.number(len(WRAPPINGS))]
    polygons = _polygons(genes)
    pointing = _pointing(genes, stage)
    paint, before = _objects(genes, stage)
    lit, lit_before = _light(genes, stage)
    disturbance = Disturbance(
        pointing, paint, lit, event=EVENT, frames=FRAMES, reference_paint=before, reference_light=lit_before
    )
    return Attempt(disturbance, wrapping or own, polygons)


def _polygons(genes: Genes) -> tuple[Polygon, ...]:
    """One of the usual layouts, or one to three oblongs anywhere."""
    usual, count = genes.number(2 * len(LAYOUTS)), 1 + genes.number(3)
    boxes = []
    for _ in range(3):
        wide, high = genes.between(0.05, 0.4), genes.between(0.05, 0.3)
        left, top = genes.share() * (1 - wide), genes.share() * (1 - high)
        boxes.append(((left, top), (left + wide, top), (left + wide, top + high), (left, top + high)))
    if usual < len(LAYOUTS):
        return tuple(LAYOUTS.values())[usual]
    return tuple(boxes[:count])


def _pointing(genes: Genes, stage: Stage) -> Pointing:
    """Two moves, a share of each picture that is kept for the next ones, a read-out that takes time, a hum."""
    moves = []
    for number in range(2):
        away, towards, roll = genes.between(0, 80) ** 2 / 80, genes.between(0, 2 * np.pi), genes.between(-1.5, 1.5)
        zoom, focal = 1 + genes.between(-0.3, 0.3) ** 3, genes.between(0.6, 1.8)
        start, length = genes.between(0, 25) * number, genes.between(0, 1)
        there = turned(away * np.cos(towards), away * np.sin(towards), roll * away / 40, zoom, focal, stage.height)
        moves.append(Move(EVENT + start + genes.share(), 30 * length**4, there))
    kept = genes.chance(0.35) * genes.between(0, 0.93)
    read_out = genes.chance(0.4) * genes.share()
    hum_px, hum_hz = genes.chance(0.25) * genes.between(0, 5), genes.between(1, 30)
    if genes.chance(0.5):
        moves = moves[:1]
    known: dict[float, Warp] = {}

    def pose(at: float) -> Warp:
        """Where the camera points at a time, in frames; the very same object while nothing moves."""
        where = HOME
        for move in moves:
            gone = (at - move.start) / max(move.frames, 1e-6)
            if gone >= 1:
                where = move.pose
            elif gone > 0:
                where = (1 - gone) * where + gone * move.pose
        if hum_px and at >= EVENT:
            key = round(at, 3)
            if key not in known:
                off = hum_px * np.sin(2 * np.pi * hum_hz * at / FPS)
                known[key] = turned(off, 0.3 * off, 0, 1, 1.2, stage.height) @ where
            return known[key]
        return where

    def pointing(n: int) -> tuple[Slab, ...]:
        if kept and n >= EVENT:
            return (Slab(0, stage.height, _mixed([pose(m) for m in range(max(0, n - 40), n + 1)], kept)),)
        ends = pose(n + read_out)
        if pose(n) is ends or not read_out:
            return whole(pose(n), stage.height)
        edges = [*range(0, stage.height, 30), stage.height]
        middles = [(a, b, n + read_out * (a + b) / 2 / stage.height) for a, b in pairwise(edges)]
        return tuple(Slab(a, b, ((1.0, pose(at)),)) for a, b, at in middles)

    return pointing


def _mixed(poses: list[Warp], kept: float) -> tuple[tuple[float, Warp], ...]:
    """What a camera shows that keeps a share of every picture for the next: each pose with its weight, the latest first."""
    weights: list[float] = []
    different: list[Warp] = []
    left = 1.0
    for back, where in enumerate(reversed(poses)):
        own = left if back == len(poses) - 1 else left * (1 - kept)
        left -= own
        if different and different[-1] is where:
            weights[-1] += own
        else:
            weights.append(own)
            different.append(where)
    seen = [(weight, where) for weight, where in zip(weights, different, strict=True) if weight > 0.04]
    total = sum(weight for weight, _ in seen)
    return tuple((weight / total, where) for weight, where in seen)


def _objects(genes: Genes, stage: Stage) -> tuple[Painting, Painting]:
    """Nothing, a lorry that passes and stops, or a bus of the reference that drives off."""
    which, share, speed = genes.number(4), genes.between(0.1, 0.75), 0.5 + genes.share() ** 2 * 24
    when, gathers = genes.between(-20, 30), genes.chance(0.5)
    if which == 2:
        start = EVENT + round(when) - int(WIDTH * (0.5 + share / 2) / speed)
        return lorry(stage, share, speed, start=start), _nothing
    if which == 3:
        return parked(stage, min(share, 0.6), EVENT + round(when), speed, gathers=gathers, tall=(0.4, 0.95))
    return _nothing, _nothing


def _light(genes: Genes, stage: Stage) -> tuple[Painting, Painting]:
    """One of some lights, present at the commissioning or not, more noise, and a lens out of focus."""
    make, at_reference = _LIGHTS[genes.number(len(_LIGHTS))], genes.chance(0.5)
    sigma, blur = genes.between(0, 9), genes.between(0, 2.5)
    lit = _nothing if make is None else make(stage)
    grain = Grain(stage.event, sigma) if sigma > 2 else None

    def after(p: Plane, n: int) -> Plane:
        out = lit(p, n)
        if blur > 0.5:
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), blur), np.uint8)
        return out if grain is None else grain.add(out, n + 57)

    return after, after if at_reference else _nothing


def _nothing(picture: Plane, _: int) -> Plane:
    return picture
