"""The caption: UTC and local time, offset and node name on an opaque strip of the picture.

It is drawn before the masks, so it can never uncover one; what falls under a mask is lost to the caption, not to privacy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from msgspec import Struct

from agent.base.clock import NS, utc
from agent.base.errors import ConfigurationError
from agent.base.phrase import say
from agent.picture.letters import WHITE, Letters, plain
from agent.picture.planes import FrameTime, Plane, Planes

Position = Literal["bottom", "top", "off"]

BLACK = 16
NEUTRAL = 128
MOST_NAME = 40
"""Letters of the node's name that are written."""
_MILLISECONDS = "000"


class Rows(NamedTuple):
    """Rows of a plane, `top` included, `bottom` not."""

    top: int
    bottom: int


class Caption:
    """Draws the strip. One thread (the pipeline's). The text is set once a second; per frame only milliseconds change."""

    def __init__(self, node: str, position: Position, time_zone: str) -> None:
        """ConfigurationError when this machine does not know the time zone."""
        self._node = plain(node)[:MOST_NAME]
        self._position = position
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationError(
                say("encoding.time_zone: {time_zone!r} is no time zone this machine knows", time_zone=time_zone),
                remedy=say("Write one like Europe/Paris, or install tzdata"),
            ) from error
        self._layout: _Layout | None = None
        self._second = -1
        self._strip: Plane = np.empty((0, 0), np.uint8)

    def rows(self, width: int, height: int) -> Rows:
        """The rows of luma the strip takes on a picture of this size; none when it is off. Always even numbers."""
        if self._position == "off":
            return Rows(0, 0)
        deep = self._laid_out(width, height).deep
        return Rows(0, deep) if self._position == "top" else Rows((height - deep) // 2 * 2, height)

    def draw(self, planes: Planes, time: FrameTime) -> None:
        """Write the time of this frame over the strip's rows of Y, U and V, in place."""
        if self._position == "off":
            return
        layout = self._laid_out(planes.width, planes.height)
        second, part = divmod(time.wall_ns, NS)
        if second != self._second:
            self._strip = layout.strip(self._lines(second, layout.lines))
            self._second = second
        top, bottom = self.rows(planes.width, planes.height)
        planes.y[top:bottom] = self._strip[: bottom - top]
        for chroma in (planes.u, planes.v):
            chroma[top // 2 : (bottom + 1) // 2] = NEUTRAL
        layout.write(planes.y[top:bottom], layout.milliseconds_at, f"{part // 1_000_000:03d}")

    def _lines(self, second: int, count: int) -> Sequence[str]:
        moment = utc(second * NS)
        local = moment.astimezone(self._zone)
        offset = local.strftime("%z")
        return _broken(
            f"{moment:%Y-%m-%d %H:%M:%S}.{_MILLISECONDS} UTC", f"{local:%H:%M:%S} {offset[:3]}:{offset[3:5]}", self._node, count
        )

    def _laid_out(self, width: int, height: int) -> _Layout:
        if self._layout is None or (self._layout.width, self._layout.height) != (width, height):
            self._layout = _Layout.of(width, height, len(self._node))
            self._second = -1
        return self._layout


def _broken(universal: str, local: str, node: str, lines: int) -> Sequence[str]:
    """The three parts on one, two or three lines; the universal time always begins the first."""
    if lines == 1:
        return (f"{universal}  {local}  {node}",)
    return (universal, f"{local}  {node}") if lines == 2 else (universal, local, node)


class _Layout(Struct, frozen=True):
    """Cells of one size, `lines` lines of them: every letter has the same room, so digits never shift the text."""

    width: int
    height: int
    lines: int
    cell_width: int
    cell_height: int
    letters: Letters

    @classmethod
    def of(cls, width: int, height: int, name_length: int) -> _Layout:
        """Letters of about a fiftieth of the height; more lines where one is too narrow; smaller letters as the last resort."""
        wanted = max(10, round(height * 0.024))
        for lines in (1, 2, 3):
            longest = max(map(len, _broken("." * 27, "." * 15, "." * name_length, lines))) + 1
            fits = int(width / longest / 0.62)
            if fits >= wanted or lines == 3:
                break
        cell_height = max(6, min(wanted, fits))
        cell_width = max(3, round(cell_height * 0.62))
        return cls(width, height, lines, cell_width, cell_height, Letters(cell_width, cell_height, BLACK, WHITE))

    @property
    def deep(self) -> int:
        """Rows of the strip, even."""
        return min(self.height, (self.lines * round(self.cell_height * 1.25) + 4) // 2 * 2)

    @property
    def milliseconds_at(self) -> int:
        """Cells before the milliseconds on the first line."""
        return len("2026-11-23 10:25:57.")

    def strip(self, lines: Sequence[str]) -> Plane:
        """A luma strip with the lines on it, one row deeper than most pictures take: an odd height leaves a row more."""
        made = np.full((self.deep + 1, self.width), BLACK, np.uint8)
        for number, line in enumerate(lines):
            self.write(made, 0, line, number)
        return made

    def write(self, strip: Plane, first_cell: int, text: str, line: int = 0) -> None:
        """Write the text into the cells from `first_cell` on; what does not fit is cut."""
        top = 2 + line * round(self.cell_height * 1.25)
        self.letters.write(strip, text, self.cell_width // 2 + first_cell * self.cell_width, top)
