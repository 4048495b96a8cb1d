"""A place on the command line: `LAT,LON` in degrees."""

from __future__ import annotations

from typing import Any

import click

from agent.config.geography import check_place
from agent.config.misfit import Misfit


class PlaceOnEarth(click.ParamType[tuple[float, float]]):
    """Latitude and longitude, WGS 84; what looks swapped is refused."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            latitude, longitude = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no place: write it as 46.7803,4.8537", param, ctx)
        try:
            return check_place((latitude, longitude))
        except Misfit as misfit:
            self.fail(str(misfit), param, ctx)
