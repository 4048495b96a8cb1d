"""What a camera does to its own picture: zoom, stabilisation, filters, focus, fields, lost and doubled pictures."""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench import disturbance_light as light
from bench.disturbance import FPS, HOME, Disturbance, Painting, Pointing, Slab, Stage, Warp, turned, whole
from bench.disturbance_moves import Kind, at_event, between, knocked_by
from bench.disturbance_second import EARLY
from bench.marks_changing import both, since
from bench.scene import WIDTH

_FRAMES = 110


def zooms(stage: Stage) -> Disturbance:
    """A digital zoom that drives in and, half of the time, out again; off the middle."""
    rng = stage.rng
    zoom, takes = rng.uniform(1.02, 1.6), int(rng.integers(1, 50))
    aside = rng.uniform(-0.5, 0.5, 2) * (zoom - 1) * (WIDTH, stage.height)
    far: Warp = np.array(
        [[zoom, 0, (1 - zoom) * WIDTH / 2 + aside[0]], [0, zoom, (1 - zoom) * stage.height / 2 + aside[1]], [0, 0, 1]]
    )
    back = stage.event + takes + int(rng.integers(0, 20)) if rng.random() < 0.5 else 1 << 20

    def pointing(n: int) -> tuple[Slab, ...]:
        share = (n - stage.event) / takes if n < back else 1 - (n - back) / takes
        return whole(between(HOME, far, share), stage.height)

    return Disturbance(pointing, event=stage.event, frames=_FRAMES)


def stabilised(stage: Stage) -> Disturbance:
    """Electronic stabilisation: sway is taken out until the crop reaches the sensor's edge; then the picture jumps."""
    rng = stage.rng
    sway, pace, reach = rng.uniform(4, 40), rng.uniform(0.05, 0.6), rng.uniform(2, 20)
    follows, jumps = rng.uniform(0, 0.3), rng.random() < 0.6
    held = np.zeros(2)
    offs = []
    for n in range(_FRAMES + 10):
        lively = 0.0 if n < stage.event else 1.0
        moved = lively * sway * np.array([np.sin(pace * (n - stage.event)), 0.4 * np.sin(1.7 * pace * (n - stage.event))])
        shown = moved + held
        held = -moved if jumps and np.abs(shown).max() > reach else held - follows * shown
        offs.append(moved + held)
    offs = [off - offs[0] for off in offs]

    def pointing(n: int) -> tuple[Slab, ...]:
        dx, dy = offs[max(0, n)]
        return whole(turned(float(dx), float(dy), 0, 1, 1.2, stage.height) if n >= stage.event else HOME, stage.height)

    return Disturbance(pointing, event=stage.event, frames=_FRAMES)


def _wide_range(stage: Stage) -> Painting:
    clip, tiles = float(stage.rng.uniform(2, 8)), int(stage.rng.integers(3, 12))
    equal = cv2.createCLAHE(clip, (tiles, tiles))
    return lambda p, _: np.asarray(equal.apply(p), np.uint8)


def wide_range_switches(stage: Stage) -> Disturbance:
    """Wide dynamic range goes on or off, by places; and a knock within some pictures of it."""
    wide, at = _wide_range(stage), stage.event + int(stage.rng.integers(-6, 7))
    on_before = stage.rng.random() < 0.5
    lit = since(wide, -100, at) if on_before else since(wide, at)
    pointing = at_event(stage, knocked_by(stage, 2, 60))
    before = wide if on_before else lambda p, _: p
    return Disturbance(pointing, light=lit, event=stage.event, frames=_FRAMES, reference_light=before)


def filter_clicks(stage: Stage) -> Disturbance:
    """The infrared filter swings away: some pictures dark or burnt out, then another light, softer, a little larger; a knock."""
    rng = stage.rng
    at = stage.event + int(rng.integers(-8, 6))
    lasts, bright = int(rng.integers(1, 10)), float(rng.choice([0.02, 0.3, 6.0]))
    other, soft = light.infrared(stage), light.soft(float(rng.uniform(0.5, 2.0)))
    blinded = light.toned(light.curve(lambda x: x * bright))
    lit = both(since(blinded, at, at + lasts), since(both(other, soft), at + lasts))
    after = knocked_by(stage, 2, 60)
    grows = turned(0, 0, 0, rng.uniform(0.985, 1.015), 1.2, stage.height)

    def pointing(n: int) -> tuple[Slab, ...]:
        knocked = HOME if n < stage.event else after
        return whole(np.asarray(grows @ knocked) if n >= at + lasts // 2 else knocked, stage.height)

    return Disturbance(pointing, light=lit, event=min(at + lasts // 2, stage.event), frames=_FRAMES)


def breathes(stage: Stage) -> Disturbance:
    """The focus hunts: the picture softens and grows together, again and again, and is knocked meanwhile."""
    rng = stage.rng
    depth, softest, pace = rng.uniform(0.004, 0.035), rng.uniform(0.6, 3.0), rng.uniform(0.08, 0.7)
    after = knocked_by(stage, 2, 50)

    def out(n: int) -> float:
        return float(abs(np.sin(pace * (n - stage.event + 12)))) if n >= stage.event - 12 else 0.0

    def pointing(n: int) -> tuple[Slab, ...]:
        if n < stage.event - 12:
            return whole(HOME, stage.height)
        grown = turned(0, 0, 0, 1 + depth * out(n), 1.2, stage.height)
        return whole(np.asarray(grown @ (HOME if n < stage.event else after)), stage.height)

    def soft(p: Plane, n: int) -> Plane:
        return p if softest * out(n) < 0.3 else np.asarray(cv2.GaussianBlur(p, (0, 0), softest * out(n)), np.uint8)

    return Disturbance(pointing, light=soft, event=stage.event - 12, frames=_FRAMES)


def out_of_order(stage: Stage) -> Disturbance:
    """Pictures are doubled, or come in another order than they were taken, while the camera is knocked."""
    rng, frames = stage.rng, _FRAMES + 20
    order = list(range(frames))
    way, block = int(rng.integers(3)), int(rng.integers(2, 6))
    for first in range(0, frames - block, block):
        part = order[first : first + block]
        others = part[::-1], [part[0]] * block, rng.permutation(part).tolist()
        order[first : first + block] = others[way]
    swaying = at_event(stage, knocked_by(stage, 3, 60))
    earliest = min(number for number, taken in enumerate(order) if taken >= stage.event)
    return Disturbance(swaying, arrives=lambda n: order[n] if n >= 0 else n, event=earliest, frames=_FRAMES)


def interlaced(stage: Stage) -> Disturbance:
    """Two fields woven into each picture: a knock lies in every other row, or a sway in all of them."""
    after, sways = knocked_by(stage, 3, 60), stage.rng.random() < 0.4
    far, pace, odd_first = stage.rng.uniform(1, 8), stage.rng.uniform(0.2, 1.5), int(stage.rng.integers(2))

    def field(half: float) -> Warp:
        if sways:
            return turned(far * np.sin(pace * (half - stage.event)), 0, 0, 1, 1.2, stage.height) if half > stage.event else HOME
        return HOME if half < stage.event + 0.5 else after

    def pointing(n: int) -> tuple[Slab, ...]:
        poses = field(n), field(n + 0.5)
        if poses[0] is poses[1]:
            return whole(poses[0], stage.height)
        return tuple(Slab(row, row + 1, ((1.0, poses[(row + odd_first) % 2]),)) for row in range(stage.height))

    return Disturbance(pointing, event=stage.event, frames=_FRAMES if not sways else 60)


def rare_pictures(stage: Stage) -> Disturbance:
    """A stream that shows a new picture now and then only, while the pole sways and is knocked."""
    every = int(stage.rng.integers(3, 26))
    after, sway = knocked_by(stage, 2, 40), stage.rng.uniform(0, 6)

    def pointing(n: int) -> tuple[Slab, ...]:
        if n < stage.event:
            return whole(HOME, stage.height)
        swung = turned(sway * np.sin(2 * np.pi * 0.7 * n / FPS), 0, 0, 1, 1.2, stage.height)
        return whole(np.asarray(after @ swung), stage.height)

    first = -(-stage.event // every) * every
    return Disturbance(pointing, arrives=lambda n: n // every * every if n >= 0 else n, event=first, frames=_FRAMES)


def exposures_alternate(stage: Stage) -> Disturbance:
    """A camera that takes long and short exposures in turn shows them as they are, dark and bright; and is knocked."""
    rng = stage.rng
    turn, gains = int(rng.integers(2, 5)), rng.uniform([0.1, 1.0], [0.6, 3.0]).tolist()
    tables = [np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8) for gain in gains]
    begins = stage.event - int(rng.integers(0, 15))
    pointing = at_event(stage, knocked_by(stage, 2, 60))

    def lit(p: Plane, n: int) -> Plane:
        return p if n < begins else np.asarray(cv2.LUT(p, tables[n % turn == 0]), np.uint8)

    return Disturbance(pointing, light=lit, event=stage.event, frames=_FRAMES)


def turned_upright(stage: Stage) -> Disturbance:
    """The camera's picture is set upright (a quarter turn) and squeezed into the size it had."""
    wide, high = WIDTH - 1.0, stage.height - 1.0
    clockwise = stage.rng.random() < 0.5
    rows = [[0, -wide / high, wide], [high / wide, 0, 0]] if clockwise else [[0, wide / high, 0], [-high / wide, 0, high]]
    pointing: Pointing = at_event(stage, np.array([*rows, [0, 0, 1.0]]))
    return Disturbance(pointing, event=stage.event, frames=_FRAMES)


CAMERA: dict[str, Kind] = {
    "digital zoom that drives": Kind(zooms, None, EARLY),
    "electronic stabilisation": Kind(stabilised, None, EARLY),
    "wide dynamic range switches, knock": Kind(wide_range_switches, None, EARLY),
    "infrared filter clicks, knock": Kind(filter_clicks, None, EARLY),
    "exposures alternate, knock": Kind(exposures_alternate, None, EARLY),
    "focus breathes, knock": Kind(breathes, None, (30, 40)),
    "pictures out of order, knock": Kind(out_of_order, None, EARLY),
    "interlaced": Kind(interlaced, None, EARLY),
    "a new picture now and then, knock": Kind(rare_pictures, None, EARLY),
    "turned upright": Kind(turned_upright, None, EARLY),
}
"""Kinds by name."""
