"""Numbers on the command line: what is none is answered with what is wanted, and with the command that shows it."""

from __future__ import annotations

import math
from typing import Any

import click

from agent.base.phrase import say


class Whole(click.IntRange):
    """A whole number within its bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            int(value)
        except (TypeError, ValueError):
            self.fail(_wanted(say("whole number"), value, self), param, ctx)
        return int(super().convert(value, param, ctx))


class Measure(click.FloatRange):
    """A number within its bounds; decimals take a point."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            is_none = not math.isfinite(float(value))
        except (TypeError, ValueError):
            is_none = True
        if is_none:
            self.fail(_wanted(say("number"), value, self), param, ctx)
        return float(super().convert(value, param, ctx))


class HoldNumber(click.ParamType[int]):
    """The number of a hold; its reference is what people know of it, and is no name for it: two holds may have the same."""

    name = "hold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(value)
        except (TypeError, ValueError):
            self.fail(
                say("{value!r} is no hold's number: `vigie hold list` shows each with its reference", value=value), param, ctx
            )


def _wanted(noun: str, value: object, bounds: click.IntRange | click.FloatRange) -> str:
    least, most = bounds.min, bounds.max
    if least is not None and most is not None:
        return say("{value!r} is no {noun}: write one from {least:g} to {most:g}", value=value, noun=noun, least=least, most=most)
    if least is not None:
        return say("{value!r} is no {noun}: write one of at least {least:g}", value=value, noun=noun, least=least)
    return say("{value!r} is no {noun}", value=value, noun=noun)
