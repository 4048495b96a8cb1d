"""What the configuration is made of: the base of every table, and the types that are checked by more than bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from agent.config.address import check_broker_url
from agent.config.geography import check_perimeter, check_place
from agent.config.polygon import Point, check_corner, check_polygon

CHECK: Final = "check"
"""Where a field keeps what its value is checked by: a function that raises Misfit."""


def checked(check: Callable[[Any], object]) -> Meta:
    """What its value is checked by."""
    return Meta(extra={CHECK: check})


# Corners are checked one by one, so that each wrong one is told.
Corner = Annotated[Point, checked(check_corner)]
CheckedPolygon = Annotated[tuple[Corner, ...], checked(check_polygon), Meta(examples=[((0.1, 0.1), (0.2, 0.1), (0.2, 0.2))])]
GeographicCorner = Annotated[tuple[float, float], checked(check_place)]
GeographicPolygon = Annotated[
    tuple[GeographicCorner, ...],
    checked(check_perimeter),
    Meta(examples=[((46.7795, 4.8528), (46.7795, 4.8568), (46.7815, 4.8568))]),
]
BrokerUrl = Annotated[str, checked(check_broker_url), Meta(examples=["mqtts://broker.example:8883"])]
Prefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z", max_length=120)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every table."""
