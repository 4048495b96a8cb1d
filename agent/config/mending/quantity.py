"""Numbers as people write them: with units, blanks between thousands, decimal commas; and what the key wants instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from agent.base.phrase import say

_SECONDS: Final = {"ms": 0.001, "s": 1, "sec": 1, "seconds": 1, "seconde": 1, "secondes": 1, "min": 60,
                   "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600, "heures": 3600}  # fmt: skip
_DAYS: Final = {"d": 1, "j": 1, "day": 1, "days": 1, "jour": 1, "jours": 1, "w": 7, "week": 7, "weeks": 7, "semaine": 7,
                "semaines": 7, "month": 30, "months": 30, "mois": 30, "h": 1 / 24, "hours": 1 / 24, "heures": 1 / 24}  # fmt: skip
_MEGABYTES: Final = {"mb": 1, "mo": 1, "m": 1, "gb": 1000, "go": 1000, "g": 1000, "kb": 0.001, "ko": 0.001}
_KBITS: Final = {"kbit/s": 1, "kbps": 1, "kb/s": 1, "kbits": 1, "k": 1, "kbit": 1, "mbit/s": 1000, "mbps": 1000, "mb/s": 1000,
                 "m": 1000, "mbit": 1000}  # fmt: skip
_MICROSECONDS: Final = {"us": 1, "µs": 1, "μs": 1, "ms": 1000, "s": 1e6}
_METRES: Final = {"m": 1, "metre": 1, "metres": 1, "mètres": 1, "meters": 1, "cm": 0.01, "km": 1000}
_DEGREES: Final = {"°": 1, "deg": 1, "degrees": 1, "degree": 1, "degrés": 1}
_NORTH_EAST: Final = {**_DEGREES, "n": 1, "°n": 1, "e": 1, "°e": 1, "s": -1, "°s": -1, "w": -1, "°w": -1, "o": -1, "°o": -1}
_CELSIUS: Final = {"°c": 1, "c": 1, "°": 1, "degrees": 1, "degrés": 1}
_PIXELS: Final = {"px": 1, "p": 1, "pixel": 1, "pixels": 1}
_RATE: Final = {"fps": 1, "hz": 1, "/s": 1, "per second": 1, "i/s": 1, "ips": 1, "images/s": 1, "im/s": 1}
_FRACTION: Final = {"%": 0.01}

_BY_NAME: Final[Mapping[str, Mapping[str, float]]] = {
    "width": _PIXELS, "height": _PIXELS, "fps": _RATE, "rotation": _DEGREES, "latitude": _NORTH_EAST, "longitude": _NORTH_EAST,
    "margin": _FRACTION, "min_area": _FRACTION, "sensitivity": _FRACTION,
}  # fmt: skip
_BY_END: Final[Mapping[str, Mapping[str, float]]] = {
    "_seconds": _SECONDS, "_days": _DAYS, "_mb": _MEGABYTES, "_kbps": _KBITS, "_us": _MICROSECONDS, "_c": _CELSIUS,
    "_degrees": _DEGREES, "_m": _METRES,
}  # fmt: skip
_BLANKS: Final = " \u00a0\u2009\u202f'\u2019_"
_WRITTEN = re.compile(rf"^(?P<number>[+-]?(?:\d[\d{_BLANKS}.,]*|[.,]\d[\d{_BLANKS}]*))(?P<unit>[^\d].*)?$")
_EXPONENT = re.compile(r"^[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+$")


class Quantity(Struct, frozen=True):
    """`toml` is what the key wants; `what` is wrong with what was written; `known` is False for a unit nobody knows."""

    toml: str
    what: str
    known: bool = True


def quantity(written: str, key: str, *, whole: bool) -> Quantity | None:
    """The number that was meant by `written` for this key; None when it is none."""
    text = written.strip()
    match = None if len(text) > 40 or _EXPONENT.match(text) else _WRITTEN.match(text)
    if match is None:
        return None
    digits, unit = match["number"].rstrip(_BLANKS), (match["unit"] or "").strip().lower()
    units = _units_of(key)
    factor = units.get(unit, 1) if unit else 1
    number = _number(digits, whole=whole and factor == 1)
    if number is None:
        return None
    value = number * factor
    if unit and unit not in units:
        return Quantity(
            _toml(value, whole=whole),
            say("{text} is no number: {unit!r} does not belong to it", text=text, unit=unit),
            known=False,
        )
    if unit:
        return Quantity(
            _toml(value, whole=whole),
            say("{text} is no number: the unit is known from the key", text=text) + _unit_of(key, factor),
        )
    if any(blank in digits for blank in _BLANKS[:-1]):
        return Quantity(_toml(value, whole=whole), say("{digits} is no number: nothing stands between its digits", digits=digits))
    if digits.count(",") == 1 and not whole and "." not in digits:
        point = digits.replace(",", ".")
        return Quantity(
            point if re.fullmatch(r"[+-]?(0|[1-9]\d*)\.\d+", point) else _toml(value, whole=False), say("decimals take a point")
        )
    return Quantity(_toml(value, whole=whole), say("{digits} is not how a number is written", digits=digits))


def _units_of(key: str) -> Mapping[str, float]:
    if key in _BY_NAME:
        return _BY_NAME[key]
    return next((units for end, units in _BY_END.items() if key.endswith(end)), {})


def _unit_of(key: str, factor: float) -> str:
    """In which unit the key counts, when it was another."""
    units = _units_of(key)
    if factor == 1 or units is _NORTH_EAST:
        return ""
    unit = next((unit for unit, size in units.items() if size == 1), "")
    return say(", which counts in {unit}", unit=unit) if unit else say(", which is a fraction, from 0 to 1")


def _number(digits: str, *, whole: bool) -> float | None:
    bare = re.sub(f"[{_BLANKS}]", "", digits)
    if whole and re.fullmatch(r"[+-]?\d{1,3}([.,]\d{3})+", bare):
        bare = re.sub(r"[.,]", "", bare)
    elif bare.count(".") > 1 or bare.count(",") > 1:
        thousands = "," if bare.count(",") > 1 else "."
        bare = bare.replace(thousands, "")
    elif "," in bare and "." in bare:
        thousands = min(",.", key=bare.index)
        bare = bare.replace(thousands, "")
    try:
        return float(bare.replace(",", "."))
    except ValueError:
        return None


def _toml(value: float, *, whole: bool) -> str:
    if whole or value == int(value):
        return str(round(value))
    return f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) >= 1e-6 else "0"
