"""What one masked frame says of focus and exposure, in figures; what is covered by a mask counts for nothing."""

from __future__ import annotations

import cv2
import numpy as np
from msgspec import Struct

from agent.analytics.sharpness import Sharpness
from agent.mask.privacy_mask import MaskedFrame

LEAST_VISIBLE = 0.02
"""Of the picture; of less than this nothing can be said."""
BLACK, WHITE = 20, 230
"""Limited range is 16 to 235: at its ends, detail is lost."""


class PictureMetrics(Struct, frozen=True):
    """`focus` is the variance of the Laplacian of the full luma: compare it on one view only, turn the lens to its peak.

    `sharpness` tells blur on any scene (1 and more sharp, 0.2 blurred), None where a scene has no edges to tell by.
    Luma is 16 (black) to 235; shares are fractions of what is visible.
    """

    focus: float
    sharpness: float | None
    mean_luma: float
    dark_share: float
    bright_share: float
    visible_share: float


class PictureMeasure:
    """Measures frames of one view in a row; `sharpness` needs a few of them. One thread."""

    def __init__(self) -> None:
        self._sharpness = Sharpness()

    def measure(self, frame: MaskedFrame) -> PictureMetrics | None:
        """The figures of this frame; None when too little of it is visible to tell."""
        visible = np.where(frame.hidden == 0, np.uint8(255), np.uint8(0))
        share = cv2.countNonZero(visible) / visible.size
        if frame.opaque or frame.held or share < LEAST_VISIBLE:
            return None
        seen = frame.small[visible != 0]
        return PictureMetrics(
            focus=_focus(frame, visible),
            sharpness=self._sharpness.measure(frame.small, visible),
            mean_luma=float(seen.mean()),
            dark_share=float((seen <= BLACK).mean()),
            bright_share=float((seen >= WHITE).mean()),
            visible_share=share,
        )


def _focus(frame: MaskedFrame, visible: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    luma = frame.planes.y
    # A mask's own edge is the sharpest thing in the picture: keep three samples of the small luma away from it.
    inner = cv2.erode(visible, np.ones((7, 7), np.uint8), borderValue=1)
    whole = cv2.resize(inner, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_NEAREST)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_32F), mask=whole)
    return float(deviation[0, 0]) ** 2
