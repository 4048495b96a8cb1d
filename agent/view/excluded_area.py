"""An area of the picture that is fixed to the camera and not to the scene: a burnt-in clock, a name, a piece of the housing.

Whatever the camera looks at, such an area looks the same, so it can vouch for no pose: nothing of it goes into a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from msgspec import Struct

from agent.config.model import Overlay
from agent.config.polygon import Polygon
from agent.picture.planes import Plane
from agent.view.cover_geometry import stamp
from agent.view.pose import Frame

MOST_AREAS = 128
MOST_SHARE = 0.5
"""Of the picture: when more is fixed to the camera, what is left proves too little of the rest."""


class Ground(StrEnum):
    """Why an area is excluded."""

    NAMED = "named"
    TICKS = "ticks"
    BURNT_IN = "burnt-in"
    STAYED = "stayed"


_WORDS = {
    Ground.NAMED: "named in the configuration",
    Ground.TICKS: "it changes by the second while everything around it is still",
    Ground.BURNT_IN: "razor edges, and none of the noise around it",
    Ground.STAYED: "it stayed where it was when the camera was pushed",
}


class ExcludedArea(Struct, frozen=True):
    """`polygon` in fractions of the picture; `name` is that of the configuration, empty for what was found."""

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
        place = f"across {100 * min(across):.0f}-{100 * max(across):.0f} %, down {100 * min(down):.0f}-{100 * max(down):.0f} %"
        return f"{self.name or 'an area'} ({place}): {_WORDS[self.ground]}"


def excluded_plane(areas: Sequence[ExcludedArea], frame: Frame) -> Plane:
    """A plane of the frame's size, 255 where something is fixed to the camera."""
    return stamp([np.asarray(area.polygon, np.float64) for area in areas], frame)
