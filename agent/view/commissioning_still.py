"""The commissioning still: what stands still in front of the camera, with the masks lying on it, for a technician's eyes.

Whether a mask reaches far enough shows at its outline; what it hides on a frame, its margin included, is hidden here too.
The still lives in the memory of the command that makes it and goes nowhere but where the technician says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.config.model import Mask
from agent.mask.as_drawn import covered_samples
from agent.mask.ruler import draw_corners, draw_grid, draw_margin, draw_name, label, stroke_of
from agent.picture.planes import Plane
from agent.view.excluded_area import ExcludedArea, Ground

Picture = NDArray[np.uint8]

_FILL = (16, 16, 16)
_COLOURS = ((60, 60, 255), (60, 220, 60), (255, 140, 40), (40, 210, 255), (255, 80, 220), (230, 230, 60))
_FIXED = (255, 255, 255)


_FIXED_BY: Final = {
    Ground.NAMED: say("no proof: named"),
    Ground.TICKS: say("no proof: changes"),
    Ground.BURNT_IN: say("no proof: sharp as text"),
    Ground.STAYED: say("no proof: stayed"),
}


def draw(
    still: Plane,
    masks: Sequence[Mask],
    margin: float,
    excluded: Sequence[ExcludedArea] = (),
    tell: Callable[[str], str] = str,
) -> Picture:
    """The still in colour, shape (rows, columns, 3), every mask filled as far as on a frame, its polygon outlined, its
    corners numbered, its margin dashed, and named; a grid in fractions over all.

    What is fixed to the camera (`excluded`) is hatched and named, and stays readable. `margin`: `[privacy] margin`, as a
    fraction of the width. `tell` puts a label into the reader's language.
    """
    picture: Picture = np.asarray(cv2.cvtColor(still, cv2.COLOR_GRAY2BGR), np.uint8)
    height, width = still.shape
    stroke = stroke_of(picture)
    for area in excluded:
        _hatch(picture, area, stroke)
    picture[covered_samples([mask.polygon for mask in masks], margin, width, height) > 0] = _FILL
    draw_grid(picture)
    for number, mask in enumerate(masks):
        colour = _COLOURS[number % len(_COLOURS)]
        corners = np.round(np.array(mask.polygon) * (width, height)).astype(np.int32)
        draw_margin(picture, mask.polygon, margin, colour)
        cv2.polylines(picture, [corners], True, colour, stroke, cv2.LINE_AA)
        draw_name(picture, mask.name, mask.polygon, margin, colour)
        draw_corners(picture, mask.polygon, margin, colour)
    for area in excluded:
        left, bottom = min(x for x, _ in area.polygon) * width, max(y for _, y in area.polygon) * height
        label(picture, area.name or tell(_FIXED_BY[area.ground]), (left, bottom + stroke + 1), _FIXED, stroke)
    return picture


def _hatch(picture: Picture, area: ExcludedArea, stroke: int) -> None:
    """Thin slanting lines within the area and its outline."""
    height, width = picture.shape[:2]
    corners = np.round(np.array(area.polygon) * (width, height)).astype(np.int32)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [corners], 1)
    down, across = np.mgrid[0:height, 0:width]
    picture[(inside > 0) & ((down + across) % (8 * stroke) < stroke)] = _FIXED
    cv2.polylines(picture, [corners], True, _FIXED, stroke)


def png(picture: Picture) -> bytes:
    """The frame as a PNG file's bytes."""
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise MaskError(say("the commissioning still cannot be drawn"))
    return bytes(data)


def terminal(picture: Picture, columns: int) -> str:
    """The frame as half blocks in 24-bit colours, so many columns wide."""
    height, width = picture.shape[:2]
    rows = max(2, round(columns * height / width / 2) * 2)
    small = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    lines = []
    for upper, lower in zip(small[::2].tolist(), small[1::2].tolist(), strict=True):
        cells = [
            f"\x1b[38;2;{u[2]};{u[1]};{u[0]}m\x1b[48;2;{d[2]};{d[1]};{d[0]}m\u2580" for u, d in zip(upper, lower, strict=True)
        ]
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
