"""An area of the frame that is fixed to the camera and not to the scene: a burnt-in clock, a name, a piece of the housing.

Whatever the camera looks at, such an area looks the same, so it can vouch for no pose: nothing of it goes into a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.phrase import say
from agent.config.model import Overlay
from agent.config.polygon import MOST_CORNERS, Polygon, first_crossing
from agent.picture.planes import Plane
from agent.view.cover_geometry import stamp
from agent.view.pose import WorkingSize

MOST_AREAS = 192
"""In a reference: as many as can be named and found."""
MOST_FOUND = 48
LEAST_SAMPLES = 6
"""Of the working picture: a smaller place that seems fixed is chance."""
MOST_SHARE = 0.5
"""Of the frame: when more is fixed to the camera, what is left proves too little of the rest."""


class Ground(StrEnum):
    """Why an area is excluded."""

    NAMED = "named"
    TICKS = "ticks"
    BURNT_IN = "burnt-in"
    STAYED = "stayed"


_WORDS = {
    Ground.NAMED: say("named in the configuration"),
    Ground.TICKS: say("it changes while everything around it is still, as a burnt-in clock does"),
    Ground.BURNT_IN: say("razor edges and none of the noise around it, as a burnt-in text has"),
    Ground.STAYED: say("it stayed where it was when the camera was pushed"),
}


class ExcludedArea(Struct, frozen=True):
    """`polygon` in fractions of the frame; `name` is that of the configuration, empty for what was found."""

    polygon: Polygon
    ground: Ground
    name: str = ""

    @classmethod
    def named(cls, overlays: Sequence[Overlay]) -> tuple[ExcludedArea, ...]:
        """Those of the configuration."""
        return tuple(cls(overlay.polygon, Ground.NAMED, overlay.name) for overlay in overlays)

    def words(self) -> str:
        """Where and why, for a technician: `across 2-31 %, down 3-8 %`."""
        across, down = zip(*self.polygon, strict=True)
        return say(
            "{name} (across {left:.0f}-{right:.0f} %, down {top:.0f}-{bottom:.0f} %): {why}",
            name=self.name or say("an area"),
            left=100 * min(across),
            right=100 * max(across),
            top=100 * min(down),
            bottom=100 * max(down),
            why=_WORDS[self.ground],
        )


def excluded_plane(areas: Sequence[ExcludedArea], frame: WorkingSize) -> Plane:
    """A plane of the frame's size, 255 where something is fixed to the camera."""
    return stamp([np.asarray(area.polygon, np.float64) for area in areas], frame)


def areas_from(fixed: NDArray[np.bool_], frame: WorkingSize, ground: Ground) -> tuple[ExcludedArea, ...]:
    """Outlines around what is marked in a plane of the frame's size, grown a little; neighbours become one area.

    At most MOST_FOUND: with more, what lies further apart is taken together.
    """
    marked = np.where(fixed, 255, 0).astype(np.uint8)
    for gap in (7, 15, 31, 63):
        grown = cv2.dilate(_without_specks(marked), np.ones((5, 5), np.uint8))
        near = cv2.morphologyEx(grown, cv2.MORPH_CLOSE, np.ones((5, gap), np.uint8))
        outlines, _ = cv2.findContours(near, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if len(outlines) <= MOST_FOUND:
            break
    largest = sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_FOUND]
    return tuple(ExcludedArea(_polygon(np.asarray(outline), frame), ground) for outline in largest)


def _without_specks(marked: Plane) -> Plane:
    count, labels = cv2.connectedComponents(cv2.dilate(marked, np.ones((3, 3), np.uint8)))
    sizes = np.bincount(labels[marked > 0], minlength=count)
    keep = sizes >= LEAST_SAMPLES
    keep[0] = False
    return np.where((marked > 0) & keep[labels], 255, 0).astype(np.uint8)


def _polygon(outline: NDArray[np.int32], frame: WorkingSize) -> Polygon:
    """The outline in fractions: few corners, no edge across another."""
    for tolerance_px in (1.0, 2.0, 4.0):
        corners = cv2.approxPolyDP(outline, tolerance_px, True).reshape(-1, 2)
        if 3 <= len(corners) <= MOST_CORNERS:
            polygon = _fractions(corners, frame)
            if first_crossing(polygon) is None:
                return polygon
    hull = cv2.convexHull(outline).reshape(-1, 2)
    left, top, width, height = cv2.boundingRect(outline)
    box = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    return _fractions(hull if 3 <= len(hull) <= MOST_CORNERS else box, frame)


def _fractions(corners: NDArray[Any], frame: WorkingSize) -> Polygon:
    points = np.clip(frame.to_fractions(corners.astype(np.float64)), 0.0, 1.0)
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in points)
