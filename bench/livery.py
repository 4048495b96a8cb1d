"""What vehicles look like from the side: plates, stripes and seams at random."""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.planes import Plane


def livery(rng: np.random.Generator, width: int, height: int) -> Plane:
    """A new plane of this size."""
    body = np.full((height, width), int(rng.uniform(40, 210)), np.uint8)
    for _ in range(int(rng.integers(3, 14))):
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        w, h = int(rng.uniform(4, width / 2 + 5)), int(rng.uniform(3, height / 3 + 4))
        cv2.rectangle(body, (x, y), (x + w, y + h), int(rng.uniform(10, 245)), -1)
    for x in range(0, width, int(rng.integers(12, 60))):
        cv2.line(body, (x, 0), (x, height), int(rng.uniform(30, 220)), 1)
    return np.asarray(cv2.GaussianBlur(body, (0, 0), 0.7), np.uint8)
