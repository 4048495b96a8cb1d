"""The section of a unit that is moved: [nomad]."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from agent.config.fields import GeographicPolygon, Section


class Perimeter(Section, frozen=True, kw_only=True):
    """[[nomad.perimeter]]: where a nomadic unit may be put up, by which authorisation, and until which day."""

    name: Annotated[str, Meta(min_length=2, max_length=80, examples=["place du marché"])]
    authorisation: Annotated[str, Meta(min_length=3, max_length=120, examples=["2026-0412"])]
    basis: Literal["permanent", "event", "urgency"] = "permanent"
    until: Annotated[date, Meta(examples=[date(2031, 1, 31)])]
    polygon: GeographicPolygon


class Nomad(Section, frozen=True, kw_only=True):
    """[nomad]: a unit that is moved. Nothing of it counts with role = "fixed"."""

    perimeter: Annotated[tuple[Perimeter, ...], Meta(max_length=64)] = ()
    gps: Literal["off", "gpsd"] = "off"
    modem: Literal["off", "modemmanager"] = "off"
    modem_interface: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,14})?\Z")] = ""
    battery: Literal["off", "sysfs", "upower", "vedirect"] = "off"
    battery_device: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]*\Z", max_length=200)] = ""
    tilt: Literal["off", "iio"] = "off"
    moved_m: Annotated[float, Meta(ge=20, le=10_000)] = 100.0
    tilt_degrees: Annotated[float, Meta(ge=1, le=45)] = 5.0
    low_percent: Annotated[float, Meta(gt=3, lt=50)] = 30.0
    critical_percent: Annotated[float, Meta(gt=3, lt=50)] = 12.0
    when_critical: Literal["record", "close"] = "record"
    power_off: bool = False
    least_fps: Annotated[float, Meta(ge=6, le=60)] = 12.0
    data_cap_mb: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    data_cap_day: Annotated[int, Meta(ge=1, le=28)] = 1
