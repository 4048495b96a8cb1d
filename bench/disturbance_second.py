"""The second corpus: pictures that fade, half a reference that drives off, views that are cut, turned over or toured."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench import disturbance_light as light
from bench.disturbance import FPS, HOME, Disturbance, Painting, Pointing, Slab, Stage, Warp, turned, whole
from bench.disturbance_moves import Build, Kind, at_event, between, knocked_by, still, unlit
from bench.disturbance_objects import lorry, parked
from bench.scene import WIDTH

EARLY = (15, 30)
"""Bounds of the event where nothing has to be waited for."""
_SHORT = 95
"""Frames of a sequence that has shown all it does after some fifty."""


def fades(least_kept: float, most_kept: float) -> Build:
    """Temporal noise reduction after a knock: of every picture a share of the one before is kept."""

    def build(stage: Stage) -> Disturbance:
        after, kept = knocked_by(stage, 4, 60), stage.rng.uniform(least_kept, most_kept)

        def pointing(n: int) -> tuple[Slab, ...]:
            old = kept ** max(0, n - stage.event + 1)
            if n < stage.event or old < 0.01:
                return whole(HOME if n < stage.event else after, stage.height)
            return (Slab(0, stage.height, ((1 - old, after), (old, HOME))),)

        return Disturbance(pointing, light=light.smoothed(stage), event=stage.event, frames=_SHORT)

    return build


def fades_again(stage: Stage) -> Disturbance:
    """Noise reduction, and a second knock while the first picture still fades."""
    once, twice = knocked_by(stage, 4, 50), knocked_by(stage, 4, 50)
    kept, later = stage.rng.uniform(0.6, 0.9), stage.event + int(stage.rng.integers(2, 12))

    def pointing(n: int) -> tuple[Slab, ...]:
        shares = {0: 1.0, 1: 0.0, 2: 0.0}
        for m in range(stage.event, min(n, stage.event + 80) + 1):
            shares = {which: share * kept for which, share in shares.items()}
            shares[2 if m >= later else 1] += 1 - kept
        poses = (HOME, once, twice)
        seen = tuple((share, poses[which]) for which, share in shares.items() if share >= 0.01)
        return (Slab(0, stage.height, seen if len(seen) > 1 else ((1.0, seen[0][1]),)),)

    return Disturbance(pointing, event=stage.event, frames=_SHORT)


def smears(stage: Stage) -> Disturbance:
    """An exposure as long as a frame: the whole way of a movement of some frames lies in each picture as a smear."""
    after, lasts = knocked_by(stage, 6, 80), stage.rng.uniform(0.3, 4.0)
    parts, exposure = 8, stage.rng.uniform(0.5, 1.0)

    def pointing(n: int) -> tuple[Slab, ...]:
        gone = [(n - stage.event + exposure * part / parts) / lasts for part in range(parts)]
        if gone[0] >= 1 or gone[-1] <= 0:
            return whole(HOME if gone[-1] <= 0 else after, stage.height)
        return (Slab(0, stage.height, tuple((1 / parts, between(HOME, after, share)) for share in gone)),)

    return Disturbance(pointing, event=stage.event, frames=_SHORT)


def bus_drives_off(most_px: float, *, smooth: bool) -> Build:
    """Half of the reference lies on a parked bus. `smooth`: it gathers speed, a fraction of a pixel a frame at first."""

    def build(stage: Stage) -> Disturbance:
        paint, before = parked(
            stage, stage.rng.uniform(0.35, 0.6), stage.event, stage.rng.uniform(0.5, 12), gathers=smooth, tall=(0.5, 0.95)
        )
        pointing = at_event(stage, knocked_by(stage, 2, most_px)) if most_px else still(stage)
        return Disturbance(pointing, paint, event=stage.event, reference_paint=before, frames=115)

    return build


def sags_far(stage: Stage) -> Disturbance:
    """A bracket that gives way slowly, and further than patches of marks can follow."""
    far, frames = knocked_by(stage, 20, 70), 120
    return Disturbance(lambda n: whole(between(HOME, far, n / frames), stage.height), frames=frames)


def wobbles(stage: Stage) -> Disturbance:
    """5 px at 15 to 30 Hz while the rows are read out one after the other."""
    hum, phase = stage.rng.uniform(15, 30), stage.rng.uniform(0, 6.3)
    across, read_out = stage.rng.uniform(0.3, 1.0), stage.rng.uniform(0.3, 0.9)
    rows = 16

    def pointing(n: int) -> tuple[Slab, ...]:
        slabs = []
        for row in range(0, stage.height, rows):
            off = 5 * np.sin(2 * np.pi * hum * (n + read_out * row / stage.height) / FPS + phase)
            warp = turned(across * off, 0.4 * (1 - across) * off, 0, 1, 1.2, stage.height)
            slabs.append(Slab(row, min(stage.height, row + rows), ((1.0, warp),)))
        return tuple(slabs)

    return Disturbance(pointing, frames=100)


def tours(stage: Stage) -> Disturbance:
    """A PTZ camera goes to another preset, stays there, and comes back: strips come in that nobody ever validated."""
    rng = stage.rng
    far, towards = rng.uniform(60, 520), rng.uniform(0, 2 * np.pi)
    dx, dy, pace, stays = far * np.cos(towards), 0.5 * far * np.sin(towards), rng.uniform(4, 25), int(rng.integers(10, 40))
    zoom, takes = rng.uniform(0.9, 1.3), max(2, int(far / pace))

    def pointing(n: int) -> tuple[Slab, ...]:
        since = n - stage.event
        share = since / takes if since < takes else 1.0 if since < takes + stays else 1 - (since - takes - stays) / takes
        share = float(np.clip(share, 0, 1))
        if share == 0:
            return whole(HOME, stage.height)
        return whole(turned(share * dx, share * dy, 0, zoom**share, 1.2, stage.height), stage.height)

    return Disturbance(pointing, event=stage.event, frames=min(260, stage.event + 2 * takes + stays + 20), strips=True)


def cropped(stage: Stage) -> Disturbance:
    """Somebody sets a digital zoom."""
    zoom, reach = stage.rng.uniform(1.06, 2.2), 0.5
    aside = stage.rng.uniform(-reach, reach, 2) * (zoom - 1) * (WIDTH, stage.height)
    warp = np.array(
        [[zoom, 0, (1 - zoom) * WIDTH / 2 + aside[0]], [0, zoom, (1 - zoom) * stage.height / 2 + aside[1]], [0, 0, 1]]
    )
    return Disturbance(at_event(stage, warp), event=stage.event, frames=_SHORT)


def another_aspect(stage: Stage) -> Disturbance:
    """The camera squeezes its picture, with black bars where nothing is left."""
    share = stage.rng.uniform(0.6, 0.92)
    upright = stage.rng.random() < 0.5
    warp = np.diag([share if upright else 1.0, 1.0 if upright else share, 1.0])
    warp[:2, 2] = (1 - warp[0, 0]) * WIDTH / 2, (1 - warp[1, 1]) * stage.height / 2
    inside = cv2.warpPerspective(np.full((stage.height, WIDTH), 255, np.uint8), warp, (WIDTH, stage.height))
    bars: Painting = lambda p, n: np.asarray(cv2.bitwise_and(p, inside), np.uint8) if n >= stage.event else p  # noqa: E731
    return Disturbance(at_event(stage, np.asarray(warp, np.float64)), light=bars, event=stage.event, frames=_SHORT)


def mirrored(stage: Stage) -> Disturbance:
    """Somebody sets mirror, flip, or both."""
    across, upside = ((-1, 1), (1, -1), (-1, -1))[int(stage.rng.integers(3))]
    warp = np.diag([float(across), float(upside), 1.0])
    warp[0, 2], warp[1, 2] = (WIDTH - 1 if across < 0 else 0), (stage.height - 1 if upside < 0 else 0)
    return Disturbance(at_event(stage, warp), event=stage.event, frames=_SHORT)


def resized(stage: Stage) -> Disturbance:
    """Pictures of another size than was validated."""
    factor = float(stage.rng.choice([0.5, 0.75, 1.25, 1.5]))

    def delivered(picture: Plane, n: int) -> Plane:
        if n < stage.event:
            return picture
        size = round(WIDTH * factor / 2) * 2, round(stage.height * factor / 2) * 2
        return np.asarray(cv2.resize(picture, size), np.uint8)

    return Disturbance(still(stage), event=stage.event, frames=100, elsewhere=True, delivered=delivered)


def creeps(stage: Stage) -> Disturbance:
    """Fractions of a pixel, of a degree and of a percent, back and forth: what leaves a hairline at a mask's edge."""
    far, roll, zoom = stage.rng.uniform(0.3, 4), stage.rng.uniform(-0.4, 0.4), stage.rng.uniform(0.994, 1.006)
    towards, pace = stage.rng.uniform(0, 6.3), stage.rng.uniform(0.02, 0.2)

    def pointing(n: int) -> tuple[Slab, ...]:
        share = np.sin(pace * n) * min(1.0, n / 30)
        dx, dy = far * share * np.cos(towards), far * share * np.sin(towards)
        return whole(turned(dx, dy, roll * share, zoom**share, 1.2, stage.height), stage.height)

    return Disturbance(pointing, frames=_SHORT)


def knocked(lighting: Callable[[Stage], Painting], most_px: float = 40, *, reference: bool = False) -> Build:
    """A knock in a light that does not change; `reference`: it was so at the commissioning already."""

    def build(stage: Stage) -> Disturbance:
        lit = lighting(stage)
        before = lit if reference else unlit(stage)
        pointing = at_event(stage, knocked_by(stage, 2, most_px))
        return Disturbance(pointing, light=lit, event=stage.event, reference_light=before, frames=_SHORT)

    return build


def knocked_before(lorry_share: float) -> Build:
    """A lorry stops before the camera first, covers a good part of it, and the knock comes while it stands there."""

    def build(stage: Stage) -> Disturbance:
        speed = stage.rng.uniform(8, 20)
        start = stage.event - int(WIDTH * (0.5 + lorry_share / 2) / speed) - 15
        paint = lorry(stage, lorry_share, speed, start=start)
        after: Warp = knocked_by(stage, 3, 25)
        pointing: Pointing = at_event(stage, after)
        return Disturbance(pointing, paint, event=stage.event, frames=115)

    return build


def _soft_always(stage: Stage) -> Painting:
    return light.soft(stage.rng.uniform(0.8, 2.2))


def _black(stage: Stage) -> Disturbance:
    after = knocked_by(stage, 2, 40) if stage.rng.random() < 0.5 else HOME
    lasts = int(stage.rng.integers(10, 50))
    dark: Painting = lambda p, n: p if not 0 <= n - stage.event < lasts else np.full_like(p, 8)  # noqa: E731
    pointing: Pointing = lambda n: whole(HOME if n < stage.event + lasts // 2 else after, stage.height)  # noqa: E731
    return Disturbance(pointing, light=dark, event=stage.event, frames=_SHORT)


SECOND: dict[str, Kind] = {
    "noise reduction, knock": Kind(fades(0.3, 0.92), None, EARLY),
    "noise reduction, two knocks": Kind(fades_again, None, EARLY),
    "long exposure of a movement": Kind(smears, None, EARLY),
    "half the reference drives off": Kind(bus_drives_off(0, smooth=False), None, EARLY),
    "half the reference drives off smoothly": Kind(bus_drives_off(0, smooth=True), None, EARLY),
    "half the reference drives off, knock": Kind(bus_drives_off(40, smooth=True), None, EARLY),
    "sag to 70 px": Kind(sags_far, None, EARLY),
    "knock, out of focus": Kind(knocked(_soft_always, reference=True), 99, EARLY),
    "knock under a lorry that stands": Kind(knocked_before(0.45), None, EARLY),
    "black for a while": Kind(_black, None, EARLY),
    "wobble 5 px, 15-30 Hz": Kind(wobbles, 85, EARLY),
    "sub-pixel creep": Kind(creeps, 100, EARLY),
    "PTZ tour": Kind(tours, None, EARLY),
    "digital zoom": Kind(cropped, None, EARLY),
    "another aspect": Kind(another_aspect, None, EARLY),
    "mirrored": Kind(mirrored, None, EARLY),
    "another size": Kind(resized, None, EARLY),
}
