"""Is a place inside a perimeter, and how far outside? On the small scale of a town the earth is flat enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from agent.nomad.deployment import Corner

_METRES_A_DEGREE: Final = 111_320.0


def metres_outside(polygon: Sequence[Corner], latitude: float, longitude: float) -> float:
    """How far the place lies from the perimeter; 0 inside. Good to 0.5 % up to 50 km, short of poles and date line."""
    shrink = math.cos(math.radians(latitude))
    flat = [((lon - longitude) * shrink * _METRES_A_DEGREE, (lat - latitude) * _METRES_A_DEGREE) for lat, lon in polygon]
    edges = list(zip(flat, (*flat[1:], *flat[:1]), strict=True))
    crossings = sum((ay > 0) != (by > 0) and ax + ay / (ay - by) * (bx - ax) > 0 for (ax, ay), (bx, by) in edges)
    return 0.0 if crossings % 2 else min((_distance(*a, *b) for a, b in edges), default=math.inf)


def _distance(ax: float, ay: float, bx: float, by: float) -> float:
    """From the origin to the edge."""
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length))
    return math.hypot(ax + along * dx, ay + along * dy)
