"""What the sensors say as of now, for whoever closes a picture by it."""

from __future__ import annotations

from msgspec import Struct


class Sensed(Struct, frozen=True):
    """None and empty mean that nothing is known, or nothing is amiss: neither is a reason to open anything."""

    latitude: float | None = None
    longitude: float | None = None
    """Where the unit stands, steadied over a minute, in WGS 84 degrees."""
    moved: str = ""
    """By its position it was carried off: how far, in words."""
    tilted: str = ""
    """It hangs otherwise than when it was commissioned, or was knocked: how much, in words."""
