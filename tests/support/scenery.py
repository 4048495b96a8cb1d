"""A drawn street to look at, and a camera that can be knocked: lumas and frames for the guard's tests, repeatable by seed."""

from __future__ import annotations

import cv2
import numpy as np

from agent.config.polygon import Polygon
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

WIDTH, HEIGHT = 640, 360
AROUND = 160
WINDOW: Polygon = ((0.40, 0.30), (0.60, 0.30), (0.60, 0.50), (0.40, 0.50))
DOOR: Polygon = ((0.80, 0.70), (0.90, 0.70), (0.90, 1.0), (0.80, 1.0))


def street(seed: int = 1, fronts: int = 420) -> Plane:
    """Fronts, doors, kerbs and signs, larger than the picture by AROUND on every side."""
    rng = np.random.default_rng(seed)
    width, height = WIDTH + 2 * AROUND, HEIGHT + 2 * AROUND
    scene = cv2.resize(rng.integers(90, 150, (9, 16)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(fronts):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(6, 50, 2)
        turned = cv2.boxPoints(((float(x), float(y)), (float(w), float(h)), float(rng.uniform(-20, 20)))).astype(np.int32)
        cv2.fillPoly(scene, [turned], int(rng.integers(20, 235)), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), 0.8), np.uint8)


def seen(
    scene: Plane, dx: float = 0.0, dy: float = 0.0, degrees: float = 0.0, zoom: float = 1.0, noise: int = 2, seed: int = 0
) -> Plane:
    """The picture of a camera whose view sits (dx, dy) pixels off; the scene moves by that much in the picture."""
    middle = (AROUND + WIDTH / 2, AROUND + HEIGHT / 2)
    turn = cv2.getRotationMatrix2D(middle, degrees, zoom)
    turn[:, 2] += np.array((dx - AROUND, dy - AROUND))
    picture = cv2.warpAffine(scene, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    grain = np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def frame(luma: Plane, index: int = 0, fps: float = 25.0) -> RawFrame:
    """A raw frame of this luma (copied), grey."""
    height, width = luma.shape
    grey = np.full((height // 2, width // 2), 128, np.uint8)
    planes = Planes(luma.copy(), grey, grey.copy())
    return RawFrame(planes, FrameTime(index, round(index * 1e9 / fps), 1_760_000_000_000_000_000 + round(index * 1e9 / fps)))
