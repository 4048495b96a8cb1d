"""What a satellite receiver says, sentence by sentence, of a walk that a test lays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import xor

CHALON = (46.7806, 4.8539)
METRES_A_DEGREE = 111_195.0


def walk(metres: Iterable[float], *, fix: bool = True, dated: bool = True) -> str:
    """A log of NMEA, a second for each entry of `metres`: so far north of the square. Without `dated` no date is told."""
    return "".join(sentence(body) for second, north in enumerate(metres) for body in _second(second, north, fix=fix, dated=dated))


def sentence(body: str) -> str:
    """With its checksum."""
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n"


def _second(second: int, north_m: float, *, fix: bool, dated: bool) -> Iterator[str]:
    at = f"12{second // 60 % 60:02d}{second % 60:02d}.00"
    latitude, longitude = CHALON[0] + north_m / METRES_A_DEGREE, CHALON[1]
    place = f"{_angle(latitude, 2)},N,{_angle(longitude, 3)},E" if fix else ",,,"
    yield f"GPGGA,{at},{place},{int(fix)},{'08' if fix else '00'},0.9,{'178.0,M,48.0,M' if fix else ',M,,M'},,"
    yield f"GPGSA,A,{3 if fix else 1},{'01,02,03,04,05,06,07,08' if fix else ',,,,,,,'},,,,,1.6,0.9,1.3"
    if dated:
        yield f"GPRMC,{at},{'A' if fix else 'V'},{place},0.0,0.0,010626,,,{'A' if fix else 'N'}"


def _angle(degrees: float, digits: int) -> str:
    whole = int(degrees)
    return f"{whole:0{digits}d}{(degrees - whole) * 60:08.5f}"
