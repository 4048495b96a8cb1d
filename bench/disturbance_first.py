"""The first corpus: everything that happens to a camera on a pole, sequence by sequence and by seed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from bench import disturbance_light as light
from bench.disturbance import FPS, FRAMES, HOME, Disturbance, Painting, Slab, Stage, turned, whole
from bench.disturbance_light import Lighting
from bench.disturbance_moves import Build, Kind, at_event, between, knocked_by, still, swaying, unlit
from bench.disturbance_objects import lorry, parked, posts
from bench.scene import WIDTH, drawn_square


def calm(lighting: Lighting = unlit) -> Build:
    """Only the light changes."""
    return lambda stage: Disturbance(still(stage), light=lighting(stage), event=stage.event)


def sways(amplitude_px: float, hertz: float) -> Build:
    """In the wind, up to this amplitude."""
    return lambda stage: Disturbance(swaying(stage, stage.rng.uniform(0.3, 1) * amplitude_px, hertz))


def sags(stage: Stage) -> Disturbance:
    """A bracket that gives way slowly."""
    far = knocked_by(stage, 8, 30)
    return Disturbance(lambda n: whole(between(HOME, far, n / FRAMES), stage.height))


def hums(stage: Stage) -> Disturbance:
    """A pole that hums faster than the read-out: every row looks elsewhere."""
    swing, hum = stage.rng.uniform(1, 4), stage.rng.uniform(4, 15)

    def pointing(n: int) -> tuple[Slab, ...]:
        slabs = []
        for row in range(0, stage.height, 24):
            off = swing * np.sin(2 * np.pi * hum * (n / FPS + 0.8 * row / stage.height / FPS))
            warp = turned(off, 0, 0, 1, 1.2, stage.height)
            slabs.append(Slab(row, min(stage.height, row + 24), ((1.0, warp),)))
        return tuple(slabs)

    return Disturbance(pointing)


def knocks(least_px: float, most_px: float, lighting: Lighting = unlit, *, always: bool = False) -> Build:
    """A knock between two frames; `always`: the light was so when the view was validated already."""

    def build(stage: Stage) -> Disturbance:
        lit = lighting(stage)
        return Disturbance(
            at_event(stage, knocked_by(stage, least_px, most_px)),
            light=lit,
            event=stage.event,
            reference_light=lit if always else unlit(stage),
        )

    return build


def knocked_twice(stage: Stage) -> Disturbance:
    """And once more before anybody came."""
    later = int(stage.rng.integers(100, 140))
    once, twice = knocked_by(stage, 5, 40), knocked_by(stage, 5, 60)

    def pointing(n: int) -> tuple[Slab, ...]:
        return whole(HOME if n < stage.event else once if n < later else twice, stage.height)

    return Disturbance(pointing, event=stage.event)


def rings_out(stage: Stage) -> Disturbance:
    """A blow that rings out: blurred while it moves fast."""
    far, swing = knocked_by(stage, 5, 30), knocked_by(stage, 10, 40)

    def pointing(n: int) -> tuple[Slab, ...]:
        since = n - stage.event
        if since < 0:
            return whole(HOME, stage.height)
        ring = [np.exp(-(since + part) / 10) * np.cos(1.3 * (since + part)) for part in (0.0, 0.2, 0.4)]
        return (Slab(0, stage.height, tuple((1 / 3, far + float(r) * (swing - HOME)) for r in ring)),)

    return Disturbance(pointing, event=stage.event)


def turns(degrees: float, least_zoom: float, most_zoom: float) -> Build:
    """Rolled and zoomed."""

    def build(stage: Stage) -> Disturbance:
        roll, zoom = stage.rng.uniform(-degrees, degrees), stage.rng.uniform(least_zoom, most_zoom)
        return Disturbance(at_event(stage, turned(0, 0, roll, zoom, 1.2, stage.height)), event=stage.event)

    return build


def lorries(least: float, most: float, lighting: Lighting = unlit, *, slow: bool = False, sway: bool = False) -> Build:
    """A lorry that covers a share of the picture drives through, or stops in it for a while."""

    def build(stage: Stage) -> Disturbance:
        lit = lighting(stage)
        speed = stage.rng.uniform(2, 5) if slow else stage.rng.uniform(6, 20)
        paint = lorry(stage, stage.rng.uniform(least, most), speed, start=20)
        pointing = swaying(stage, 4, 0.7) if sway else still(stage)
        return Disturbance(pointing, paint, lit, event=stage.event, reference_light=lit)

    return build


def knocks_under_a_lorry(least: float, most: float, most_px: float) -> Build:
    """Knocked while the lorry is at its fullest."""

    def build(stage: Stage) -> Disturbance:
        share, speed = stage.rng.uniform(least, most), stage.rng.uniform(6, 20)
        start = stage.event - int(WIDTH * (0.5 + share / 2) / speed)
        paint = lorry(stage, share, speed, start=start)
        return Disturbance(at_event(stage, knocked_by(stage, 2, most_px)), paint, event=stage.event)

    return build


def drives_off(most_px: float) -> Build:
    """A lorry parked in the reference drives off; with a knock meanwhile unless `most_px` is 0."""

    def build(stage: Stage) -> Disturbance:
        leaves = stage.event + int(stage.rng.integers(-30, 10)) if most_px else stage.event
        paint, before = parked(stage, stage.rng.uniform(0.15, 0.35), leaves, stage.rng.uniform(1.5, 12))
        pointing = at_event(stage, knocked_by(stage, 2, most_px)) if most_px else still(stage)
        return Disturbance(pointing, paint, event=stage.event, reference_paint=before)

    return build


def during_read_out(stage: Stage) -> Disturbance:
    """Rows above the tear from before the knock, rows below from after it; or a movement that takes some of the rows."""
    after, height = knocked_by(stage, 4, 90), stage.height
    tear = int(stage.rng.uniform(0.05, 0.95) * height)
    length = int(stage.rng.uniform(0.1, 0.4) * height) if stage.rng.random() < 0.5 else 0
    edges = sorted({0, height, *(min(height, row) for row in range(tear, tear + length + 1, 16))})
    slabs = []
    for first, end in pairwise(edges):
        share = (first - tear) / length if length else float(first >= tear)
        slabs.append(Slab(first, end, ((1.0, between(HOME, after, share)),)))
    usual = at_event(stage, after)
    return Disturbance(lambda n: tuple(slabs) if n == stage.event else usual(n), event=stage.event)


def within_exposure(stage: Stage) -> Disturbance:
    """One picture exposed partly before and partly after the knock, and partly on the way."""
    after = knocked_by(stage, 4, 90)
    shares = stage.rng.dirichlet([1.0, 0.4, 1.0]).tolist()
    mixed = (Slab(0, stage.height, tuple(zip(shares, (HOME, between(HOME, after, 0.5), after), strict=True))),)
    usual = at_event(stage, after)
    return Disturbance(lambda n: mixed if n == stage.event else usual(n), event=stage.event)


def bent(stage: Stage) -> Disturbance:
    """A lens that is no pinhole: what a knock does to its picture is no homography."""
    height, bend = stage.height, stage.rng.uniform(-0.12, -0.02)
    middle = np.array([(WIDTH - 1) / 2, (height - 1) / 2])

    def stretch(points: NDArray[np.float64]) -> NDArray[np.float64]:
        off = (points - middle) / (WIDTH / 2)
        return np.asarray(1 + bend * (off**2).sum(axis=-1, keepdims=True), np.float64)

    rows, columns = np.mgrid[0:height, 0:WIDTH]
    mesh = np.stack([columns, rows], axis=-1).astype(np.float64)
    comes_from = (middle + (mesh - middle) * stretch(mesh)).astype(np.float32)

    def lens(p: Plane) -> Plane:
        x, y = comes_from[..., 0], comes_from[..., 1]
        return np.asarray(cv2.remap(p, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)

    def drawn(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lies = points
        for _ in range(12):
            lies = middle + (points - middle) / stretch(lies)
        return lies

    pointing = at_event(stage, knocked_by(stage, 5, 40))
    return Disturbance(pointing, bend=lens, drawn=drawn, event=stage.event)


def parallax(stage: Stage) -> Disturbance:
    """Posts in front move against the rest, as when the pole itself is pushed aside."""
    paint = posts(stage, stage.rng.uniform(-8, 8))
    pointing = at_event(stage, knocked_by(stage, 2, 25))
    return Disturbance(pointing, paint, event=stage.event, reference_paint=lambda s, _: paint(s, 0))


def frozen(stage: Stage) -> Disturbance:
    """The camera repeats one picture for a while, and is knocked meanwhile."""
    event, ends = stage.event, stage.event + int(stage.rng.integers(3, 60))
    after = knocked_by(stage, 4, 60)
    return Disturbance(
        lambda n: whole(HOME if n <= event else after, stage.height),
        arrives=lambda n: event if event <= n < ends else n,
        event=event,
    )


def lost_pictures(stage: Stage) -> Disturbance:
    """Pictures are lost before they reach us, and the camera moves in the gap."""
    event, gap = stage.event, int(stage.rng.integers(2, 50))
    pointing = at_event(stage, knocked_by(stage, 4, 60))
    return Disturbance(pointing, arrives=lambda n: n if n < event else n + gap, event=event)


def elsewhere(stage: Stage) -> Disturbance:
    """Another scene altogether."""
    other = drawn_square(int(stage.rng.integers(1 << 20)), stage.height)
    paint: Painting = lambda s, n: s if n < stage.event else other.at(n)  # noqa: E731
    return Disturbance(still(stage), paint=paint, event=stage.event, elsewhere=True)


def turned_away(stage: Stage) -> Disturbance:
    """By more than half a picture."""
    far = float(stage.rng.choice([-1, 1]) * stage.rng.uniform(420, 600))
    away = turned(far, stage.rng.uniform(-40, 40), 0, 1.0, 1.2, stage.height)
    return Disturbance(at_event(stage, away), event=stage.event, elsewhere=True)


def turned_away_under_overlay(stage: Stage) -> Disturbance:
    """By more than half a picture, with marks on the picture that do not move."""
    lit = light.overlay(stage)
    return replace(turned_away(stage), light=lit, reference_light=lit)


def switches(lighting: Lighting) -> Build:
    """Another light at the event, for 80 pictures."""

    def build(stage: Stage) -> Disturbance:
        lit = light.switched(lighting(stage), stage.event, stage.event + 80)
        return Disturbance(still(stage), light=lit, event=stage.event)

    return build


def _softened(stage: Stage) -> Painting:
    return light.soft(stage.rng.uniform(1.0, 2.0), stage.event if stage.rng.random() < 0.5 else 0)


FIRST: dict[str, Kind] = {
    "calm": Kind(calm(), 100),
    "sag": Kind(sags, 100),
    "sway to 6 px": Kind(sways(6, 0.7), 100),
    "vibration": Kind(sways(4, 9.0), 100),
    "rolling shutter": Kind(hums, 100),
    "gamma drifts": Kind(calm(light.gamma_drift), 100),
    "gamma steps": Kind(calm(light.gamma_step), 100),
    "noise": Kind(calm(lambda s: light.noise(s, s.rng.uniform(6, 14))), 100),
    "rain": Kind(calm(light.rain), 100),
    "luma / 8": Kind(calm(lambda _: light.dim(8)), 100),
    "luma in steps of 16": Kind(calm(lambda _: light.coarse(16)), 100),
    "fog": Kind(calm(light.fog), 100),
    "lamp off": Kind(calm(light.lamp_off), 100),
    "defocus": Kind(calm(lambda s: light.soft(s.rng.uniform(1.0, 2.5), s.event)), 100),
    "hard shadows": Kind(calm(light.shadows), 99.3),
    "snow": Kind(calm(light.snow), None),
    "dirt on the dome": Kind(calm(light.dirt), None),
    "night falls at once": Kind(switches(light.night), None),
    "infrared switch": Kind(switches(light.infrared), None),
    "knock to 40 px": Kind(knocks(2, 40), 99.6),
    "knock to 40 px at night": Kind(knocks(2, 40, light.night, always=True), 99.4),
    "knock to 40 px, gamma step": Kind(knocks(2, 40, light.gamma_step), 99.4),
    "knock to 40 px, soft": Kind(knocks(2, 40, _softened), 99.4),
    "knock to 60 px, overlay": Kind(knocks(2, 60, light.overlay, always=True), None),
    "turned away, overlay": Kind(turned_away_under_overlay, None),
    "knock 50-120 px": Kind(knocks(50, 120), 69),
    "knock 120-200 px": Kind(knocks(120, 200), None),
    "knocked twice": Kind(knocked_twice, None),
    "knocked, ringing out": Kind(rings_out, None),
    "rotation to 5 degrees, zoom": Kind(turns(5, 0.97, 1.05), 99.8),
    "lorry 20-60 %": Kind(lorries(0.2, 0.6), 99.9),
    "lorry 20-60 %, slow": Kind(lorries(0.2, 0.6, slow=True), 99.9),
    "lorry 20-60 % at night": Kind(lorries(0.2, 0.6, light.night), 99.9),
    "lorry 20-60 %, sway": Kind(lorries(0.2, 0.6, sway=True), 99.9),
    "lorry 80 %": Kind(lorries(0.78, 0.82), 85),
    "knock under a lorry 30-60 %": Kind(knocks_under_a_lorry(0.3, 0.6, 40), 95),
    "parked lorry drives off": Kind(drives_off(0), 97),
    "parked lorry drives off, knock": Kind(drives_off(40), 97),
    "knock in mid read-out": Kind(during_read_out, 99.3),
    "knock within the exposure": Kind(within_exposure, None),
    "barrel lens": Kind(bent, 99.3),
    "parallax": Kind(parallax, 99.3),
    "frozen, then a knock": Kind(frozen, None),
    "pictures lost, and a knock": Kind(lost_pictures, None),
    "another scene": Kind(elsewhere, None),
    "turned away": Kind(turned_away, None),
}
