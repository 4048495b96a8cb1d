"""The frame norm of the French order of 3 August 2007 on video protection systems: size and rate by purpose."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from agent.base.phrase import say
from agent.commissioning.line import Line, fail, left_open, ok
from agent.config.words import PURPOSES

RATE_TOLERANCE = 0.97
"""A camera's 12 frames a second are measured as 11.9 when one of them falls on the wrong side of the watch."""


class PictureNorm(Struct, frozen=True):
    """The least the order asks: `width` x `height` and `fps`, for what it calls `plan` (narrow or other views)."""

    plan: str
    width: int
    height: int
    fps: float


NORMS = {
    "identification": PictureNorm(PURPOSES["identification"], 704, 576, 12.0),
    "overview": PictureNorm(PURPOSES["overview"], 352, 288, 6.0),
}


def judge_picture(purpose: str, width: int, height: int, fps: float | None, *, came: bool = True) -> Iterator[Line]:
    """The picture's size, and its measured rate when one could be measured, against the norm of its purpose.

    `came` False: no frame came, and the size is what the camera is asked for.
    """
    norm = NORMS[purpose]
    wanted = say(
        "{plan} wants {width}x{height} and {fps:g} per second", plan=norm.plan, width=norm.width, height=norm.height, fps=norm.fps
    )
    size = {"width": width, "height": height, "norm_width": norm.width, "norm_height": norm.height}
    if not came and width >= norm.width and height >= norm.height:
        yield left_open("picture size", say("waits for the camera; it is asked for {width}x{height}", width=width, height=height))
    elif width >= norm.width and height >= norm.height:
        yield ok("picture size", say("{width}x{height}; {wanted}", width=width, height=height, wanted=wanted), **size)
    else:
        remedy = say(
            "set the camera's own picture, and [camera] width and height, to at least {width}x{height}",
            width=norm.width,
            height=norm.height,
        )
        yield fail(
            "picture size",
            say("{width}x{height} is below the norm; {wanted}", width=width, height=height, wanted=wanted),
            remedy,
            **size,
        )
    if fps is None:
        return
    rate = {"fps": round(fps, 2), "norm_fps": norm.fps}
    if fps >= norm.fps * RATE_TOLERANCE:
        yield ok("picture rate", say("{fps:.1f} per second; {wanted}", fps=fps, wanted=wanted), **rate)
    else:
        remedy = say("set [camera] fps to {fps} or more, and the camera's own rate as well", fps=f"{norm.fps:g}")
        yield fail(
            "picture rate", say("{fps:.1f} per second is below the norm; {wanted}", fps=fps, wanted=wanted), remedy, **rate
        )
