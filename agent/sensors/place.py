"""Places on the earth: how far apart two are, and the middle of several fixes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

EARTH_M: Final = 6_371_009.0
"""Mean radius."""


class Place(Struct, frozen=True):
    """WGS 84, in degrees."""

    latitude: float
    longitude: float

    def metres_to(self, other: Place) -> float:
        """Along the surface of a sphere: within 0.5 % of what a surveyor would measure."""
        north, north_too = math.radians(self.latitude), math.radians(other.latitude)
        half = (
            math.sin((north_too - north) / 2) ** 2
            + math.cos(north) * math.cos(north_too) * math.sin(math.radians(other.longitude - self.longitude) / 2) ** 2
        )
        return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def middle(places: Sequence[Place]) -> Place:
    """The median of each coordinate: a reflection off a wall that lasts less than half of the time counts for nothing.

    At least one place. Longitudes are taken relative to the first, so that the date line is no edge.
    """
    first = places[0].longitude
    east = statistics.median((place.longitude - first + 180) % 360 - 180 for place in places)
    return Place(statistics.median(place.latitude for place in places), (first + east + 180) % 360 - 180)
