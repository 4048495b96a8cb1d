"""Random private shapes, and which samples of a plane they touch: by brute force, sharing nothing with the masks' code."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Corners = NDArray[np.float64]


@st.composite
def shapes(draw: st.DrawFn) -> Corners:
    """One simple polygon in fractions: concave or convex, tiny or large, warped, at or over an edge of the picture."""
    count = draw(st.integers(3, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    turns = (np.arange(count) + rng.uniform(0, 0.9, count)) * 2 * np.pi / count  # no gap of half a turn: no crossing edges
    reach = draw(st.sampled_from((0.01, 0.08, 0.25, 0.7))) * rng.uniform(0.15, 1.0, count)
    polygon = np.stack((reach * np.cos(turns), reach * np.sin(turns)), axis=1)
    warp = np.eye(2) + rng.uniform(-0.3, 0.3, (2, 2))
    middle = np.array((draw(st.sampled_from((-0.05, 0.0, 0.3, 0.5, 0.98, 1.04))), draw(st.sampled_from((-0.02, 0.2, 0.5, 1.0)))))
    return np.asarray(polygon @ warp.T + middle, np.float64)


def is_touched(polygons: tuple[Corners, ...], grow: float, size: tuple[int, int], rows: int, columns: int) -> NDArray[np.bool_]:
    """Which samples of a rows x columns plane over a picture of `size` (luma samples) touch a polygon.

    Polygons are grown by `grow` of the width. A sample's footprint is looked at in 5x5 points, corners and edges included.
    """
    width, height = size
    steps = np.linspace(0.0, 1.0, 5)
    x = ((np.arange(columns)[:, None] + steps) * width / columns).reshape(-1)
    y = ((np.arange(rows)[:, None] + steps) * height / rows).reshape(-1)
    touched = np.zeros((len(y), len(x)), np.bool_)
    for polygon in polygons:
        corners, reach = polygon * (width, height), grow * width + 1.0
        (left, top), (right, bottom) = corners.min(axis=0) - reach, corners.max(axis=0) + reach
        near = slice(*np.searchsorted(y, (top, bottom))), slice(*np.searchsorted(x, (left, right)))
        touched[near] |= _near(corners, grow * width, x[near[1]], y[near[0]])
    return np.asarray(touched.reshape(rows, 5, columns, 5).any(axis=(1, 3)))


def _near(corners: Corners, grow: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside = np.zeros((len(y), len(x)), np.bool_)
    nearest = np.full((len(y), len(x)), np.inf)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y < ay) != (y < by)
        at = ax + (y - ay) / np.where(by == ay, 1.0, by - ay) * (bx - ax)
        inside ^= crosses[:, None] & (x[None] < at[:, None])
        long = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
        part = np.clip(((x - ax)[None] * (bx - ax) + (y - ay)[:, None] * (by - ay)) / long, 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(x[None] - ax - part * (bx - ax), y[:, None] - ay - part * (by - ay)))
    return np.asarray(inside | (nearest <= grow))
