"""The masks where they were drawn, as if the camera had never moved: how much they cover, and a cover for figures only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.config.polygon import Polygon
from agent.video.cover import Cover, ViewState
from agent.video.mask_outline import Grid, Strokes
from agent.video.mask_shape import shapes_of


def cover_as_drawn(polygons: Sequence[Polygon], margin: float) -> Cover:
    """A cover without a proof that the camera still looks there: for figures of a picture, never for a picture that is shown."""
    corners = tuple(np.asarray(polygon, np.float64) for polygon in polygons)
    return Cover(corners, margin, None, "", "as-drawn", ViewState.UNCERTAIN)


def mask_share(polygons: Sequence[Polygon], margin: float, width: int, height: int) -> float:
    """The fraction of the luma samples that the masks cover together, grown by `margin`: drawn as on a frame, then counted."""
    if not polygons:
        return 0.0
    covered = np.zeros((height, width), np.uint8)
    Strokes(shapes_of(cover_as_drawn(polygons, margin), width, height), Grid.luma(width, height)).draw(covered, 1)
    return float(np.count_nonzero(covered)) / covered.size
