"""A perimeter on the map: corners as latitude and longitude, WGS 84, in order around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from agent.base.phrase import say
from agent.config.misfit import Misfit
from agent.config.polygon import first_crossing, signed_area

MOST_CORNERS: Final = 256
LARGEST_KM: Final = 50.0
"""From corner to corner: no authorised perimeter of a town is wider, and a slip of the pen soon is."""
SMALLEST_M2: Final = 25.0
_METRES_A_DEGREE: Final = 111_320.0

Place = tuple[float, float]


def check_place(place: Place, index: int | None = None) -> Place:
    """The place itself, or Misfit when there is none such on earth."""
    latitude, longitude = place
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # NaN fails this too
        swapped = -90 <= longitude <= 90 and -180 <= latitude <= 180
        hint = say(" (these look swapped: latitude comes first)") if swapped else ""
        raise Misfit(
            say("({latitude}, {longitude}) is no place on earth", latitude=f"{latitude:g}", longitude=f"{longitude:g}"),
            at=() if index is None else (index,),
            remedy=say("write [latitude, longitude] in degrees, as [46.7803, 4.8537]{hint}", hint=hint),
        )
    if _in_france(longitude, latitude) and not _in_france(latitude, longitude):
        raise Misfit(
            say(
                "latitude and longitude look swapped: ({latitude:g}, {longitude:g}) is far from France",
                latitude=latitude,
                longitude=longitude,
            ),
            at=() if index is None else (index,),
            remedy=say("write [{latitude:g}, {longitude:g}]: latitude comes first", latitude=longitude, longitude=latitude),
            instead=(longitude, latitude),
        )
    return place


def _in_france(latitude: float, longitude: float) -> bool:
    """The mainland and Corsica, roughly: nothing overseas looks like it with its numbers swapped."""
    return 41 <= latitude <= 51.5 and -5.5 <= longitude <= 10


def check_perimeter(polygon: Sequence[Place]) -> tuple[Place, ...]:
    """The perimeter itself, or Misfit that says what is wrong and what would be right."""
    corners = tuple((float(latitude), float(longitude)) for latitude, longitude in polygon)
    if len(corners) < 3:
        raise Misfit(
            say("a perimeter needs at least three corners, this one has {count}", count=len(corners)),
            remedy=say("add the missing corners"),
        )
    if len(corners) > MOST_CORNERS:
        raise Misfit(
            say("a perimeter may have {most} corners, this one has {count}", most=MOST_CORNERS, count=len(corners)),
            remedy=say("leave out corners that lie on a straight edge, or split it in two perimeters"),
        )
    for index, corner in enumerate(corners):
        check_place(corner, index)
    for index, (a, b) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True)):
        if a == b:
            following = (index + 1) % len(corners)
            raise Misfit(
                say("corners {index} and {following} are the same point", index=index + 1, following=following + 1),
                at=(max(index, following),),
                remedy=say("remove one of the two; a perimeter closes by itself"),
            )
    _check_shape(corners)
    return corners


def _check_shape(corners: tuple[Place, ...]) -> None:
    flat = _flat(corners)
    crossing = first_crossing(flat)
    if crossing is not None:
        i, j = crossing
        raise Misfit(
            say("the edge {edge} crosses the edge {edge_2}", edge=_edge(i, len(corners)), edge_2=_edge(j, len(corners))),
            at=(j,),
            remedy=say("list the corners in order around the perimeter"),
        )
    widest_km = max(math.dist(a, b) for a in flat for b in flat) / 1000
    if widest_km > LARGEST_KM:
        raise Misfit(
            say("the perimeter is {widest:.0f} km wide", widest=widest_km),
            remedy=say("look for a slip in its corners: [latitude, longitude] in degrees"),
        )
    if abs(signed_area(flat)) < SMALLEST_M2:
        raise Misfit(
            say("the perimeter has an area of {area:.1f} m²: nothing can be put up in it", area=abs(signed_area(flat))),
            remedy=say("write the corners with five digits behind the point: a degree is 111 km"),
        )


def _flat(corners: tuple[Place, ...]) -> list[Place]:
    """In metres from the first corner, east and north."""
    latitude, longitude = corners[0]
    shrink = math.cos(math.radians(latitude))
    return [((lon - longitude) * shrink * _METRES_A_DEGREE, (lat - latitude) * _METRES_A_DEGREE) for lat, lon in corners]


def _edge(index: int, count: int) -> str:
    return say("from corner {index} to corner {following}", index=index + 1, following=(index + 1) % count + 1)
