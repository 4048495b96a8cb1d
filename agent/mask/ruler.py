"""A ruler on a frame: a grid in fractions of it, numbered corners, and the margin of each mask as it will lie.

A technician reads off it what to write in `polygon`. It is drawn in colours of its own, after the fill: nothing of what a mask
hides goes into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.base.phrase import say
from agent.config.polygon import Point, Polygon
from agent.mask import accents
from agent.mask.as_drawn import covered_samples

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red."""

_DARK: Colour = (20, 20, 20)
_LIGHT: Colour = (245, 245, 245)
_STEPS = 10


def stroke_of(picture: Picture) -> int:
    """How thick lines and letters are, so that they are read on a small screen whatever the picture's size. Samples."""
    return max(1, int(picture.shape[1]) // 640)


def draw_grid(picture: Picture) -> None:
    """Lines at every tenth, a dark and a light one side by side to be seen on any ground, named at the upper and left edge."""
    height, width = picture.shape[:2]
    stroke = stroke_of(picture)
    for step in range(1, _STEPS):
        x, y = round(step * width / _STEPS), round(step * height / _STEPS)
        for start, end in (((x, 0), (x, height - 1)), ((0, y), (width - 1, y))):
            _dashed(picture, start, end, _LIGHT, max(1, stroke // 2))
    for step in range(1, _STEPS):
        text = f"0.{step}"
        long, tall = text_size(text, stroke)
        label(picture, text, (round(step * width / _STEPS) - long // 2, 0), _LIGHT, stroke)
        label(picture, text, (0, round(step * height / _STEPS) - tall // 2), _LIGHT, stroke)


def draw_margin(picture: Picture, polygon: Polygon, margin: float, colour: Colour) -> None:
    """The rim of what the mask will cover, its margin with it, dashed."""
    height, width = picture.shape[:2]
    covered = covered_samples([polygon], margin, width, height)
    rims, _ = cv2.findContours(covered, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    dash = 5 * stroke_of(picture)
    for rim in rims:
        points = rim.reshape(-1, 2)
        for first in range(0, len(points), 2 * dash):
            cv2.polylines(picture, [points[first : first + dash]], False, colour, stroke_of(picture))


def draw_corners(picture: Picture, polygon: Polygon, margin: float, colour: Colour) -> None:
    """A dot on each corner and its number beside it, outside of the mask, counted from 1 as in every message."""
    height, width = picture.shape[:2]
    stroke = stroke_of(picture)
    corners = np.array(polygon) * (width, height)
    for number, corner in enumerate(corners, 1):
        at = corner + _outwards(corners, number - 1) * (margin * width + 9 * stroke)
        text = str(number)
        long, tall = text_size(text, stroke)
        cv2.circle(picture, _whole(corner), 2 + stroke, colour, -1, cv2.LINE_AA)
        label(picture, text, (round(at[0] - long / 2), round(at[1] - tall / 2)), colour, stroke)


def draw_name(picture: Picture, name: str, polygon: Polygon, margin: float, colour: Colour) -> None:
    """Inside of the mask, where it hides nothing that is not hidden; below it when it is too long for that."""
    height, width = picture.shape[:2]
    stroke = stroke_of(picture)
    corners = np.array(polygon) * (width, height)
    left, right = float(corners[:, 0].min()), float(corners[:, 0].max())
    top, bottom = float(corners[:, 1].min()), float(corners[:, 1].max())
    long, tall = text_size(name, stroke)
    if long < right - left and tall < bottom - top:
        middle = corners.mean(axis=0)
        label(picture, name, (round(middle[0] - long / 2), round(middle[1] - tall / 2)), colour, stroke)
    else:
        label(picture, name, (round(left), round(bottom + margin * width) + 12 * stroke), colour, stroke)


def text_size(text: str, stroke: int) -> tuple[int, int]:
    """Width and height of a label's field, in samples."""
    long, up, below = accents.size_of(text, stroke)
    return long + 4, up + below + 4


def label(picture: Picture, text: str, at: Point, colour: Colour, stroke: int) -> None:
    """The text on a dark field whose upper left corner is `at` (x, y), moved into the frame where it would leave it."""
    height, width = picture.shape[:2]
    long, tall = text_size(text, stroke)
    x, y = int(max(0, min(at[0], width - long))), int(max(0, min(at[1], height - tall)))
    cv2.rectangle(picture, (x, y), (x + long, y + tall), _DARK, -1)
    _, up, _ = accents.size_of(text, stroke)
    accents.write(picture, text, (x + 2, y + up + 2), colour, stroke)


def legend(name: str, polygon: Sequence[Point], margin: float, share: float) -> str:
    """What the drawing shows of a mask, in one line: its corners by their numbers, and how much of the frame it hides."""
    corners = "  ".join(f"{number} ({x:g}, {y:g})" for number, (x, y) in enumerate(polygon, 1))
    return say(
        "mask {name}: corners {corners}; with its margin of {margin} it hides {share:.1%} of the picture",
        name=name,
        corners=corners,
        margin=f"{margin:g}",  # as the file has it, with a point, like the corners
        share=share,
    )


def _outwards(corners: NDArray[np.float64], at: int) -> NDArray[np.float64]:
    """The direction, of length 1, that halves the outer angle of a corner."""
    corner = corners[at]
    edges = [other - corner for other in (corners[at - 1], corners[(at + 1) % len(corners)])]
    away = -sum((edge / (float(np.hypot(*edge)) or 1.0) for edge in edges), np.zeros(2))
    away = away / (float(np.hypot(*away)) or 1.0)
    inside = cv2.pointPolygonTest(corners.astype(np.float32), [float(value) for value in corner + away], False) > 0
    return -away if inside else away


def _dashed(picture: Picture, start: tuple[int, int], end: tuple[int, int], colour: Colour, stroke: int) -> None:
    a, b = np.array(start, float), np.array(end, float)
    length, dash = float(np.hypot(*(b - a))), 6.0 * stroke
    along = (b - a) / length
    shift = np.array((along[1], along[0])) * stroke
    at = 0.0
    while at < length:
        first, last = a + along * at, a + along * min(length, at + dash)
        cv2.line(picture, _whole(first + shift), _whole(last + shift), _DARK, stroke)
        cv2.line(picture, _whole(first), _whole(last), colour, stroke)
        at += 2 * dash


def _whole(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
