"""The small luma picture on which guard and detectors work: made once per frame, about 640 samples wide."""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.frame import RawFrame
from agent.picture.planes import Plane

ANALYSIS_WIDTH = 640


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the small luma for a picture of this size: 640 wide or less, same aspect, both even."""
    small_w = min(ANALYSIS_WIDTH, width)
    small_h = max(2, round(height * small_w / width / 2) * 2)
    return small_w, small_h


def analysis_luma(raw: RawFrame) -> Plane:
    """The frame's small luma, not masked yet; made on the first call and kept on the frame (pipeline thread only).

    The privacy mask covers this very plane in place when it makes the MaskedFrame: who needs the clear samples after
    that has to have copied them, and only the view guard may.
    """
    if raw.small is None:
        raw.small = _reduced(raw.planes.y)
    return raw.small


def _reduced(luma: Plane) -> Plane:
    height, width = luma.shape
    size = analysis_size(width, height)
    small = luma
    # Exact halvings average whole 2x2 blocks in SIMD; one AREA step by 3 costs six times as much.
    while width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = width // 2, height // 2
        small = resized(small[: 2 * height, : 2 * width], width, height, cv2.INTER_AREA)
    if (width, height) != size:
        return resized(small, *size, cv2.INTER_LINEAR)
    return small.copy() if small is luma else small  # never the camera's own buffer


def resized(luma: Plane, width: int, height: int, interpolation: int) -> Plane:
    """`luma` at another size; a new plane."""
    made = np.empty((height, width), np.uint8)
    cv2.resize(luma, (width, height), dst=made, interpolation=interpolation)
    return made
