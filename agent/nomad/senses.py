"""What the sensors tell the watch of a deployment. All of it can close the picture, none of it opens one (N1, N9, N10)."""

from __future__ import annotations

from msgspec import Struct


class Senses(Struct, frozen=True):
    """As of now. Empty and None mean that nothing is known or nothing is amiss; both leave the picture as it is."""

    latitude: float | None = None
    longitude: float | None = None
    """Where it stands by its receiver, steadied over a minute; None while that has no fix, or there is none."""
    moved: str = ""
    """By its position it was carried off: how far, in words."""
    tilted: str = ""
    """It hangs otherwise than when it was commissioned, or was knocked: how much, in words."""
