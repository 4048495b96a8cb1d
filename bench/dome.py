"""What lies on a camera's dome and so never moves with the scene: drops, a web, snow, the reflection of what is within."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from bench.disturbance import Grain, Painting, Stage
from bench.scene import WIDTH, drawn_square


def drops(stage: Stage) -> Painting:
    """Drops that stay: each shows the scene small and upside down, with a bright rim."""
    rng, height = stage.rng, stage.height
    count = int(rng.integers(8, 50))
    places = rng.integers([0, 0, 6], [WIDTH, height, 34], (count, 3)).tolist()
    rows, columns = np.mgrid[0:height, 0:WIDTH].astype(np.float32)
    share = np.zeros((height, WIDTH), np.float32)
    for x, y, r in places:
        near = slice(max(0, y - r), min(height, y + r)), slice(max(0, x - r), min(WIDTH, x + r))
        away = np.hypot(columns[near] - x, rows[near] - y)
        columns[near] = np.where(away < r, x - 5 * (columns[near] - x), columns[near])
        rows[near] = np.where(away < r, y - 5 * (rows[near] - y), rows[near])
        share[near] = np.maximum(share[near], np.clip((away - r + 3) / 3, 0, 1) * (away < r))
    blur = float(rng.uniform(0.5, 3))
    share = np.asarray(cv2.GaussianBlur(share, (0, 0), blur), np.float32) * np.float32(rng.uniform(0.3, 0.9))

    def paint(p: Plane, _: int) -> Plane:
        seen = cv2.remap(p, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(seen * (1 - share) + 230 * share, np.uint8)

    return paint


def web(stage: Stage) -> Painting:
    """A spider's web: threads lit by the camera's lamps, a little out of focus, that stir in the wind. And its spider."""
    rng, height = stage.rng, stage.height
    middle = np.array([rng.uniform(0.1, 0.9) * WIDTH, rng.uniform(0.1, 0.9) * height])
    spokes = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(7, 18))))
    rings = np.cumsum(rng.uniform(8, 40, int(rng.integers(5, 16))))
    layer = np.zeros((height, WIDTH), np.uint8)
    for at, towards in enumerate(spokes):
        on, after = (np.array([np.cos(t), np.sin(t)]) for t in (towards, spokes[(at + 1) % len(spokes)]))
        cv2.line(layer, _point(middle), _point(middle + 800 * on), 200, 1, cv2.LINE_AA)
        for radius in rings:
            cv2.line(layer, _point(middle + radius * on), _point(middle + radius * after), 160, 1, cv2.LINE_AA)
    bright, soft = np.float32(rng.uniform(0.6, 2)), float(rng.uniform(0.7, 2.5))
    lit = bright * np.asarray(cv2.GaussianBlur(layer, (0, 0), soft), np.float32)
    stirs, pace = rng.uniform(0, 2), rng.uniform(0.05, 0.6)
    spider = _point(middle + rng.uniform(-60, 60, 2)), int(rng.uniform(3, 16))

    def paint(p: Plane, n: int) -> Plane:
        off = np.array([[1, 0, stirs * np.sin(pace * n)], [0, 1, stirs * np.cos(1.3 * pace * n)]])
        threads = cv2.warpAffine(lit, off, (WIDTH, height))
        out = np.asarray(np.clip(p + threads, 0, 255), np.uint8)
        x = spider[0][0] + round(20 * np.sin(n / 40))
        cv2.circle(out, (x, spider[0][1]), spider[1], 235, -1, cv2.LINE_AA)
        return out

    return paint


def sticking_snow(stage: Stage) -> Painting:
    """Wet snow that sticks to the dome: white lumps with edges, more of them on every picture for a while."""
    rng, height = stage.rng, stage.height
    field = np.asarray(cv2.GaussianBlur(rng.normal(0, 1, (height, WIDTH)).astype(np.float32), (0, 0), rng.uniform(4, 25)))
    field = field + np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(field.std())
    ranked = np.sort(field.ravel())
    most, takes = rng.uniform(0.25, 0.65), rng.uniform(20, 90)
    lumps = np.asarray(cv2.GaussianBlur(rng.normal(215, 25, (height, WIDTH)).astype(np.float32), (0, 0), 2))

    def paint(p: Plane, n: int) -> Plane:
        stuck = most * min(1.0, max(0.0, n / takes))
        if stuck <= 0:
            return p
        least = ranked[int((1 - stuck) * (len(ranked) - 1))]
        lies = cv2.GaussianBlur((field > least).astype(np.float32), (0, 0), 1.2)
        return np.asarray(p * (1 - lies) + lumps * lies, np.uint8)

    return paint


def reflection(stage: Stage) -> Painting:
    """The dome mirrors what is behind it, a tenth to a third as bright as the scene: another picture that never moves."""
    rng = stage.rng
    other = drawn_square(int(rng.integers(1 << 20)), stage.height).at(0)[:, ::-1]
    soft = cv2.GaussianBlur(other, (0, 0), float(rng.uniform(0.4, 4)))
    rows, columns = np.mgrid[0 : stage.height, 0:WIDTH]
    x, y, wide = rng.uniform(0, WIDTH), rng.uniform(0, stage.height), rng.uniform(120, 700)
    share = (np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / wide**2) * rng.uniform(0.1, 0.35)).astype(np.float32)
    return lambda p, _: np.asarray(p * (1 - share) + soft * share, np.uint8)


def grained(marks: Callable[[Stage], Painting]) -> Callable[[Stage], Painting]:
    """The same, with a sensor's noise where they lie: laid on a finished picture they would be told by having none."""

    def build(stage: Stage) -> Painting:
        grain, paint = Grain(int(stage.rng.integers(1 << 30))), marks(stage)

        def over(p: Plane, n: int) -> Plane:
            out = paint(p, n)
            return np.asarray(np.where(out == p, p, grain.add(out, n + 31)), np.uint8)

        return over

    return build


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


ON_THE_DOME: dict[str, Callable[[Stage], Painting]] = {
    "drops": drops,
    "web": web,
    "reflection": reflection,
}
"""What may lie there at the commissioning as well; by name, as `--with` knows it."""
