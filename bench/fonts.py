"""Letters of fonts that everybody has, drawn large and cut to size: what an attacker on fills lays beside what he sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")


def fonts() -> dict[str, Callable[[str, int], Plane]]:
    """Fonts by name; each draws a letter `height` samples high as a plane of ink, 0..255."""
    drawn: dict[str, Callable[[str, int], Plane]] = {
        "simplex": partial(_stroked, cv2.FONT_HERSHEY_SIMPLEX),
        "complex": partial(_stroked, cv2.FONT_HERSHEY_COMPLEX),
    }
    for name in ("DejaVuSans-Bold", "DejaVuSerif"):
        path = DEJAVU / f"{name}.ttf"
        if path.is_file():
            drawn[name] = partial(_outlined, path)
    return drawn


def _stroked(font: int, letter: str, height: int) -> Plane:
    canvas = np.zeros((300, 300), np.uint8)
    cv2.putText(canvas, letter, (40, 240), font, 6.0, 255, 22, cv2.LINE_8)
    return _cut(canvas, height)


def _outlined(path: Path, letter: str, height: int) -> Plane:
    """A TrueType letter, filled from its outline."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    font = TTFont(str(path))
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[font.getBestCmap()[ord(letter)]].draw(pen)
    contours: list[list[tuple[float, float]]] = []
    for operation, points in pen.value:
        if operation == "moveTo":
            contours.append([points[0]])
        elif operation == "lineTo":
            contours[-1].append(points[0])
        elif operation == "qCurveTo":
            contours[-1] += _quadratic(contours[-1][-1], points)
    scale = 220 / font["head"].unitsPerEm
    canvas = np.zeros((300, 300), np.uint8)
    shapes = [np.rint(np.array(c) * (scale, -scale) + (30, 240)).astype(np.int32) for c in contours]
    cv2.fillPoly(canvas, shapes, 255)  # one call: counters are cut out by even-odd
    return _cut(canvas, height)


def _quadratic(start: tuple[float, float], points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points along a TrueType curve with implied on-curve points."""
    made: list[NDArray[np.float64]] = []
    at = np.array(start, np.float64)
    controls, end = [np.array(p) for p in points[:-1]], np.array(points[-1])
    for number, control in enumerate(controls):
        target = end if number == len(controls) - 1 else (control + controls[number + 1]) / 2
        made.extend((1 - t) ** 2 * at + 2 * t * (1 - t) * control + t * t * target for t in np.linspace(0.125, 1.0, 8))
        at = target
    return [(float(x), float(y)) for x, y in made]


def _cut(canvas: Plane, height: int) -> Plane:
    x, y, w, h = cv2.boundingRect(canvas)
    width = max(2, round(w * height / h))
    return np.asarray(cv2.resize(canvas[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_AREA), np.uint8)
