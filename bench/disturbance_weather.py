"""The weather and the nights of the second corpus."""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.planes import Plane
from bench import disturbance_light as light
from bench.disturbance import Disturbance, Grain, Painting, Stage
from bench.disturbance_moves import Build, Kind, at_event, knocked_by, still, unlit
from bench.disturbance_second import EARLY, knocked
from bench.scene import WIDTH

_FRAMES = 95


def haze(stage: Stage) -> Painting:
    """A share of the contrast is gone from the first picture on."""
    share, grey = stage.rng.uniform(0.35, 0.7), int(stage.rng.uniform(140, 215))
    return lambda p, _: np.asarray(cv2.addWeighted(p, 1 - share, np.full_like(p, grey), share, 0), np.uint8)


def snowfall(stage: Stage) -> Painting:
    """Heavy snow: flakes of all sizes, smeared by their fall, and the scene grey behind them."""
    flakes, seed = int(stage.rng.uniform(200, 700)), int(stage.rng.integers(1 << 30))
    veil = stage.rng.uniform(0.1, 0.3)

    def light_(p: Plane, n: int) -> Plane:
        rng = np.random.default_rng((seed, n + 1000))
        out = np.asarray(cv2.addWeighted(p, 1 - veil, np.full_like(p, 180), veil, 0), np.uint8)
        places = rng.integers([0, 0, 1, 1], [WIDTH, p.shape[0], 4, 9], (flakes, 4)).tolist()
        for x, y, size, fall in places:
            cv2.line(out, (x, y), (x + fall // 4, y + fall), 215 + 10 * size, size)
        return out

    return light_


def rainy_night(stage: Stage) -> Painting:
    """Night, and streaks of rain in the light of the lamps."""
    dark, wet = light.night(stage), light.rain(stage)
    return lambda p, n: wet(dark(p, n), n)


def night_haze(stage: Stage) -> Painting:
    """Night and mist."""
    dark, mist = light.night(stage), haze(stage)
    return lambda p, n: dark(mist(p, n), n)


def infrared_night(stage: Stage) -> Painting:
    """The infrared lamps are on and the sensor is noisy."""
    lit, grain = light.infrared(stage), Grain(int(stage.rng.integers(1 << 30)), float(stage.rng.uniform(3, 8)))
    return lambda p, n: grain.add(lit(p, n), n + 41)


def bright_leaves(stage: Stage, since: int) -> Painting:
    """What grows is bright in infrared: from a frame on such places of the scene are nearly their own negative."""
    knots = stage.rng.normal(0, 1, (stage.height // 60 + 1, WIDTH // 60 + 1)).astype(np.float32)
    grown = cv2.resize(knots, (WIDTH, stage.height), interpolation=cv2.INTER_CUBIC)
    share = np.asarray(np.clip(2 * (grown - stage.rng.uniform(0.8, 1.6)), 0, 1), np.float32)
    rest = 1 - share

    def paint(p: Plane, n: int) -> Plane:
        return (p * rest + (200 - p * np.float32(0.6)) * share).astype(np.uint8) if n >= since else p

    return paint


def at_infrared(most_px: float) -> Build:
    """Validated by day; the camera switched to infrared, and later on it is knocked, unless `most_px` is 0."""

    def build(stage: Stage) -> Disturbance:
        since = int(stage.rng.integers(3, 12))
        lit = light.switched(infrared_night(stage), since)
        pointing = at_event(stage, knocked_by(stage, 2, most_px)) if most_px else still(stage)
        return Disturbance(pointing, bright_leaves(stage, since), lit, event=stage.event, frames=_FRAMES)

    return build


def always(lighting: light.Lighting) -> Build:
    """Nobody touches the camera; it was validated on a clear day."""
    return lambda stage: Disturbance(still(stage), light=lighting(stage), event=stage.event, frames=_FRAMES)


def _both_ways(lighting: light.Lighting) -> Build:
    """A knock; half of the cameras were validated in that very light, half by day."""

    def build(stage: Stage) -> Disturbance:
        lit = lighting(stage)
        before = lit if stage.rng.random() < 0.5 else unlit(stage)
        pointing = at_event(stage, knocked_by(stage, 2, 40))
        return Disturbance(pointing, light=lit, event=stage.event, reference_light=before, frames=_FRAMES)

    return build


WEATHER: dict[str, Kind] = {
    "knock in haze": Kind(_both_ways(haze), None, EARLY),
    "knock in night haze": Kind(_both_ways(night_haze), None, EARLY),
    "knock under infrared night": Kind(at_infrared(40), 90, EARLY),
    "infrared night": Kind(at_infrared(0), None, EARLY),
    "heavy snow": Kind(always(snowfall), 90, EARLY),
    "heavy snow, knock": Kind(knocked(snowfall), None, EARLY),
    "night rain": Kind(always(rainy_night), None, EARLY),
    "night rain, knock": Kind(knocked(rainy_night, reference=True), 60, EARLY),
}
