"""What weather, lamps, lenses and dirt make of a picture, frame by frame: same shape in, same shape out."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from bench.disturbance import Grain, Painting, Stage
from bench.scene import WIDTH

Lighting = Callable[[Stage], Painting]


def curve(table: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Plane:
    """A table of 256 values."""
    return np.asarray(np.clip(table(np.arange(256, dtype=np.float64)), 0, 255), np.uint8)


def toned(table: Plane, since: int = 0) -> Painting:
    """Every sample through the table, from a frame on."""
    return lambda p, n: np.asarray(cv2.LUT(p, table), np.uint8) if n >= since else p


def gamma_step(stage: Stage) -> Painting:
    """The exposure steps at the event."""
    g = float(np.exp(stage.rng.uniform(np.log(1.3), np.log(2.2)) * stage.rng.choice([-1, 1])))
    return toned(curve(lambda x: 255 * (x / 255) ** g), stage.event)


def gamma_drift(stage: Stage) -> Painting:
    """The exposure comes and goes."""
    depth = stage.rng.uniform(0.3, 0.8)

    def light(p: Plane, n: int) -> Plane:
        g = np.exp(depth * np.sin(n / 30))
        return np.asarray(cv2.LUT(p, curve(lambda x: 255 * (x / 255) ** g)), np.uint8)

    return light


def night(stage: Stage) -> Painting:
    """A third of the light, a hard curve, lamps that bloom, and four times the noise."""
    grain = Grain(int(stage.rng.integers(1 << 30)), 5.0)
    table = curve(lambda x: 16 + 0.45 * x)
    lamps = [(int(stage.rng.uniform(0, WIDTH)), int(stage.rng.uniform(0, 200))) for _ in range(3)]

    def light(p: Plane, n: int) -> Plane:
        out = np.asarray(cv2.LUT(p, table), np.uint8)
        for x, y in lamps:
            cv2.circle(out, (x, y), 9, 250, -1)
        return grain.add(out, n + 13)

    return light


def overlay(stage: Stage) -> Painting:
    """Clock, name and logo that the camera itself burns in, and a few drops on its dome: they stay where they are."""
    rng = stage.rng
    texts = [("2026-11-23 10:41:07", (8, 18)), ("CAM 07 TOWN", (WIDTH - 150, stage.height - 8)), ("REC", (8, stage.height - 8))]
    drops = [(int(rng.uniform(0, WIDTH)), int(rng.uniform(0, stage.height)), int(rng.uniform(5, 12))) for _ in range(4)]

    def light(p: Plane, _: int) -> Plane:
        out = p.copy()
        for text, place in texts:
            cv2.putText(out, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 240, 1, cv2.LINE_AA)
        for x, y, radius in drops:
            cv2.circle(out, (x, y), radius, 40, 2, cv2.LINE_AA)
        return np.asarray(out, np.uint8)

    return light


def infrared(stage: Stage) -> Painting:
    """Another rendering of the same scene: greens bright, skies black, lit from the camera and falling off to the edge."""
    knots = [20, 95 + stage.rng.uniform(-25, 25), 105, 160 + stage.rng.uniform(-40, 40), 190]
    table = np.interp(np.arange(256), [0, 64, 128, 192, 255], knots).astype(np.uint8)
    rows, columns = np.mgrid[0 : stage.height, 0:WIDTH]
    fall = 1 - 0.55 * (((columns / WIDTH - 0.5) * 2) ** 2 + ((rows / stage.height - 0.6) * 2) ** 2) / 2
    fall = fall.astype(np.float32)

    def light(p: Plane, _: int) -> Plane:
        return np.asarray(np.clip(np.asarray(cv2.LUT(p, table)) * fall, 0, 255), np.uint8)

    return light


def switched(light: Painting, since: int, until: int = 10**9) -> Painting:
    """The light from a frame on, until another."""
    return lambda p, n: light(p, n) if since <= n < until else p


def noise(stage: Stage, sigma: float) -> Painting:
    """More noise."""
    grain = Grain(int(stage.rng.integers(1 << 30)), sigma)
    return lambda p, n: grain.add(p, n + 29)


def rain(stage: Stage) -> Painting:
    """Streaks, others on every picture."""
    streaks = int(stage.rng.uniform(200, 600))
    seed = int(stage.rng.integers(1 << 30))

    def light(p: Plane, n: int) -> Plane:
        drops = np.random.default_rng(seed + n)
        out = p.copy()
        for x, y, length in drops.integers([0, 0, 6], [WIDTH, p.shape[0], 22], (streaks, 3)).tolist():
            cv2.line(out, (x, y), (x + 2, y + length), int(p[y, x]) // 2 + 110, 1)
        return np.asarray(out, np.uint8)

    return light


def fog(stage: Stage) -> Painting:
    """Contrast goes over three seconds."""
    thick = stage.rng.uniform(0.4, 0.75)

    def light(p: Plane, n: int) -> Plane:
        share = thick * min(1.0, n / 80)
        return np.asarray(cv2.addWeighted(p, 1 - share, np.full_like(p, 190), share, 0), np.uint8)

    return light


def smoothed(stage: Stage) -> Painting:
    """Spatial noise reduction: a picture that is a little soft, or is not."""
    sigma_px = stage.rng.uniform(0.4, 1.0)
    return soft(sigma_px) if stage.rng.random() < 0.5 else lambda p, _: p


def coarse(step: int) -> Painting:
    """Luma in steps, as a bad encoder leaves it."""
    return toned(curve(lambda x: x // step * step))


def dim(divisor: int) -> Painting:
    """Hardly any light."""
    return toned(curve(lambda x: x / divisor + 8))


def lamp_off(stage: Stage) -> Painting:
    """The one lamp goes out."""
    x, y, radius = stage.rng.uniform(0, WIDTH), stage.rng.uniform(0, stage.height), stage.rng.uniform(120, 260)
    rows, columns = np.mgrid[0 : stage.height, 0:WIDTH]
    lit = (0.35 + 0.65 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / radius**2)).astype(np.float32)
    return lambda p, n: (p * lit).astype(np.uint8) if n < stage.event else (p * np.float32(0.35)).astype(np.uint8)


def soft(sigma_px: float, since: int = 0) -> Painting:
    """Out of focus, from a frame on."""
    return lambda p, n: np.asarray(cv2.GaussianBlur(p, (0, 0), sigma_px), np.uint8) if n >= since else p


def shadows(stage: Stage) -> Painting:
    """A hard shadow crosses the square."""
    slope, width = stage.rng.uniform(-0.6, 0.6), stage.rng.uniform(80, 260)
    rows, columns = np.mgrid[0 : stage.height, 0:WIDTH]

    def light(p: Plane, n: int) -> Plane:
        edge = -width + 4.0 * n
        dark = (np.abs(columns + slope * rows - edge) < width / 2).astype(np.float32)
        return np.asarray((p * (1 - 0.55 * dark)), np.uint8)

    return light


def dirt(stage: Stage) -> Painting:
    """Drops and grime on the dome: blurred, darkened blotches that stay where they are and grow in number."""
    blots = [
        (int(stage.rng.uniform(0, WIDTH)), int(stage.rng.uniform(0, stage.height)), int(stage.rng.uniform(8, 45)))
        for _ in range(int(stage.rng.integers(6, 22)))
    ]
    born = sorted(stage.rng.integers(20, 120, len(blots)).tolist())
    stains: dict[int, NDArray[np.float32]] = {}

    def light(p: Plane, n: int) -> Plane:
        count = int(np.searchsorted(born, n))
        if count not in stains:
            layer = np.zeros((stage.height, WIDTH), np.float32)
            for x, y, r in blots[:count]:
                cv2.circle(layer, (x, y), r, 1.0, -1)
            stains[count] = np.asarray(cv2.GaussianBlur(layer, (0, 0), 4))
        share = stains[count]
        smeared = 0.4 * np.asarray(cv2.GaussianBlur(p, (0, 0), 6)) + 30
        return np.asarray(p * (1 - share) + smeared * share, np.uint8)

    return light


def snow(stage: Stage) -> Painting:
    """Snow falls and stays on what is level: bright blotches grow over half of the ground."""
    field = cv2.GaussianBlur(stage.rng.normal(0, 1, (stage.height, WIDTH)).astype(np.float32), (0, 0), 6)
    field = np.asarray((field - field.min()) / (field.max() - field.min()), np.float32)
    field[: stage.height // 3] = field[: stage.height // 3] / 2  # roofs and walls hold less

    def light(p: Plane, n: int) -> Plane:
        lying = (field > 1 - 0.45 * min(1.0, n / 150)).astype(np.float32) * 0.8
        return np.asarray((p * (1 - lying) + 225 * lying), np.uint8)

    return light
