"""Looking at what came out, decoded: how far any sample that must be private is from the masks' fill."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.mask.colour import SOLID_YUV
from agent.picture.planes import Plane, Planes
from tests.support.decoded import still
from tests.support.whole_node import decoded

Polygons = Sequence[tuple[tuple[float, float], ...]]

AWAY_FROM_EDGES_PX = 3
CODEC_TOLERANCE = 8
JPEG_TOLERANCE = 20
"""Levels of B, G or R: JPEG smears over its own blocks of 16."""
GREY = round((SOLID_YUV[0] - 16) * 255 / 219)
WORDS = (0.25, 0.75)
"""Rows, as fractions of the height, where a closed picture says why it is closed."""
CLOSED_CHROMA, CLOSED_LUMA = 0.98, 0.8
"""Shares of a closed picture's samples that are as good as the fill; of luma outside of the words, where a caption may lie."""


def insides(polygons: Polygons, width: int, height: int) -> NDArray[np.uint8]:
    """1 for every sample well inside a polygon; shape (height, width)."""
    return _insides(tuple(polygons), width, height).copy()


@lru_cache(maxsize=64)
def _insides(polygons: Polygons, width: int, height: int) -> NDArray[np.uint8]:
    drawn = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(drawn, [np.round(np.array(polygon) * (width, height)).astype(np.int32)], 1)
    return np.asarray(cv2.erode(drawn, np.ones((2 * AWAY_FROM_EDGES_PX + 1,) * 2, np.uint8), borderValue=0), np.uint8)


def is_closed(planes: Planes) -> bool:
    """Whether it is a closed picture: nearly no colour anywhere, and nearly nothing but the fill above and below the words.

    Nearly: an encoder smears the words' edges and the caption's into a few samples around them, of chroma too.
    """
    around = np.concatenate([planes.y[: int(WORDS[0] * planes.height)], planes.y[int(WORDS[1] * planes.height) :]])
    shown = zip((around, planes.u, planes.v), SOLID_YUV, (CLOSED_LUMA, CLOSED_CHROMA, CLOSED_CHROMA), strict=True)
    return all(_share_off(plane, fill) <= 1 - least for plane, fill, least in shown)


def deviation(planes: Planes, polygons: Polygons) -> int:
    """How far any private sample of Y, U or V is from the fill.

    Where words may stand on a closed picture, each private space is judged by most of its samples instead: letters
    leave more than half of its luma as it was, and all but a few samples of its chroma.
    """
    worst, closed = 0, is_closed(planes)
    for plane, fill in zip((planes.y, planes.u, planes.v), SOLID_YUV, strict=True):
        height, width = plane.shape
        inside = insides(polygons, width, height)
        if closed:
            words = slice(int(WORDS[0] * height), int(WORDS[1] * height))
            inside[words] = 0
            most = 0.5 if plane is planes.y else 0.9
            for polygon in polygons:
                worst = max(worst, _most_off(plane[words][insides([polygon], width, height)[words] > 0], fill, most))
        worst = max(worst, _off(plane[inside > 0], fill))
    return worst


def worst_deviation(segments: Sequence[Path], polygons: Polygons) -> tuple[int, int]:
    """Pictures looked at, and how far any private sample of Y, U or V of any of them is from the fill."""
    pictures, worst = 0, 0
    for segment in segments:
        for planes in decoded(segment):
            pictures += 1
            worst = max(worst, deviation(planes, polygons))
    return pictures, worst


def jpeg_deviation(jpeg: bytes, polygons: Polygons) -> int:
    """The same for a JPEG of any size: how far B, G or R of any private sample is from grey."""
    picture = still(jpeg)
    height, width = picture.shape[:2]
    inside = insides(polygons, width, height)
    if np.ptp(picture[: height // 5].reshape(-1, 3), axis=0).max() <= JPEG_TOLERANCE:  # closed: one colour above the words
        inside[int(WORDS[0] * height) : int(WORDS[1] * height)] = 0
    assert inside.any(), "nothing private is large enough to be looked at"
    return _off(picture[inside > 0], GREY)


def _off(samples: Plane, value: int) -> int:
    return int(np.abs(samples.astype(np.int16) - value).max(initial=0))


def _share_off(samples: Plane, value: int) -> float:
    return float((np.abs(samples.astype(np.int16) - value) > CODEC_TOLERANCE).mean())


def _most_off(samples: Plane, value: int, most: float) -> int:
    """How far the best `most` of the samples are off, at the worst."""
    return int(np.quantile(np.abs(samples.astype(np.int16) - value), most)) if samples.size else 0
