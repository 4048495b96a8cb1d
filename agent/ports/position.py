"""Where the unit stands, as a satellite receiver tells it. Drivers in hardware/ implement it.

What is missing is told, never guessed: a receiver without a fix answers None, one that is gone raises DeviceError.
A position may raise an alarm and close the picture; it never opens one, since anybody near can spoof it.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Fix(Struct, frozen=True):
    """One position in WGS 84. None where the receiver did not say."""

    latitude: float
    """Degrees north, -90 to 90."""
    longitude: float
    """Degrees east, -180 to 180."""
    heard_ns: int
    """When it came, on the agent's monotonic clock."""
    error_m: float | None = None
    """Metres of horizontal error that the receiver expects in 95 of 100 cases; what it says, not what is so."""
    altitude_m: float | None = None
    """Metres above mean sea level; None for a fix in two dimensions."""
    speed_m_s: float | None = None
    at: str = ""
    """The receiver's own time, RFC 3339; empty before it knows the date."""


class Positions(Protocol):
    """A satellite receiver. One thread calls it."""

    def read(self) -> Fix | None:
        """The newest fix, the former one for a moment between two; None while the receiver answers and has none. Within 2 s.

        DeviceError: the receiver or its daemon is gone or talks nonsense, in words with a remedy. The next call tries again.
        """
        ...

    def close(self) -> None:
        """Let go of the receiver. Idempotent."""
        ...
