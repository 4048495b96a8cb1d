"""The masks where they were drawn, as if the camera had never moved: which samples they cover, for figures and drawings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.config.polygon import Polygon
from agent.mask.outline import Grid, Strokes
from agent.mask.shape import shapes_of
from agent.picture.cover import Cover, ViewState
from agent.picture.planes import Plane


def cover_as_drawn(polygons: Sequence[Polygon], margin: float) -> Cover:
    """A cover without a proof that the camera still looks there: for figures of a frame, never for a frame that is shown."""
    corners = tuple(np.asarray(polygon, np.float64) for polygon in polygons)
    return Cover(corners, margin, None, "", "as-drawn", ViewState.UNCERTAIN)


def covered_samples(polygons: Sequence[Polygon], margin: float, width: int, height: int) -> Plane:
    """1 for every luma sample that the masks cover, grown by `margin`, drawn as on a frame; else 0."""
    covered = np.zeros((height, width), np.uint8)
    Strokes(shapes_of(cover_as_drawn(polygons, margin), width, height), Grid.luma(width, height)).draw(covered, 1)
    return covered


def mask_share(polygons: Sequence[Polygon], margin: float, width: int, height: int) -> float:
    """The fraction of the luma samples that the masks cover together."""
    covered = covered_samples(polygons, margin, width, height)
    return float(np.count_nonzero(covered)) / covered.size
