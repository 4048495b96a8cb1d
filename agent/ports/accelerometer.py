"""How the unit hangs, and whether it was knocked. Drivers in hardware/ implement it.

A tilt closes the picture at once, until a person commissions anew: it needs no figure of the road, and no satellite.
"""

from __future__ import annotations

import math
from typing import Final, Protocol, Self

from msgspec import Struct

STANDARD_GRAVITY: Final = 9.80665
"""m/s²."""


class Acceleration(Struct, frozen=True):
    """A short burst of readings: their mean in the sensor's own axes, and the strongest jolt among them. m/s².

    At rest the mean points upwards and is as long as gravity.
    """

    x: float
    y: float
    z: float
    shock: float = 0.0
    """How far the length of a single reading was from gravity, at most."""

    @property
    def length(self) -> float:
        return math.sqrt(self.x**2 + self.y**2 + self.z**2)

    def tilt_from(self, reference: Self) -> float | None:
        """Degrees between the two directions, 0 to 180; None when one of them has none: a free fall, a dead sensor."""
        lengths = self.length * reference.length
        if not math.isfinite(lengths) or lengths < 1.0:
            return None
        across = (
            self.y * reference.z - self.z * reference.y,
            self.z * reference.x - self.x * reference.z,
            self.x * reference.y - self.y * reference.x,
        )
        along = self.x * reference.x + self.y * reference.y + self.z * reference.z
        # The cosine alone would lose small angles in rounding.
        return math.degrees(math.atan2(math.hypot(*across), along))


class Accelerometer(Protocol):
    """A sensor of acceleration in three axes. One thread calls it."""

    def read(self) -> Acceleration:
        """As of now, within 0.5 s. DeviceError: gone or unreadable, in words with a remedy. The next call tries again."""
        ...

    def close(self) -> None:
        """Let go of it. Idempotent."""
        ...
