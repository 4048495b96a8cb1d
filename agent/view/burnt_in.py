"""What is burnt into the frame, told from the scene while nothing moves: by ticking, by razor edges without noise, by place.

A lens and a sensor blur every edge over two or three samples and lay noise on it; letters that a camera writes afterwards
change from dark to bright within one, close together, in a row, and are the same on every frame. After a codec the noise is
gone everywhere, and the place has to speak: cameras write along the upper and the lower edge. It finds most texts and no
hood; a push (`agent.view.nudge`) finds all for certain.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.cover import Corners
from agent.picture.planes import Plane
from agent.view.cover_geometry import stamp
from agent.view.excluded_area import ExcludedArea, Ground, areas_from
from agent.view.pose import WorkingSize

WIDEST = 960
"""Samples across at which it is looked for: letters of any camera are a few samples strong there."""
_RAZOR, _EDGE = 140, 70
"""Levels between neighbours: more than a lens lets through, and a plain edge."""
_AROUND = 11
_RAZOR_DENSITY, _EDGE_DENSITY = 0.20, 0.40
"""Share of such samples in the square of _AROUND samples around one: letters stand close."""
_NOISE_REACH = 61
_MEASURABLE = 0.8
"""Mean deviation in levels from which the noise around tells anything."""
_CALM = 0.65
"""Of the noise around: letters have less on their edges, a scene has as much."""
_CALM_HERE = 0.75
"""The same for the few edges about one sample, which tell less."""
_BORDER = 0.22
"""Of the height, above and below: where cameras write."""
_TALLEST = 0.14
"""Of the height: a row of letters."""
_TICK = 50
"""Levels by which a digit that changes changes."""
_LEAST_TICKS = 3
_LEAST_TICKING = 6
_STILL_AROUND = 0.04
_JOIN = (25, 3)
"""Letters and words this near to each other, across and down, are one text."""


def burnt_in(lumas: Sequence[Plane], outlines: Sequence[Corners], frame: WorkingSize) -> tuple[ExcludedArea, ...]:
    """Areas in which something seems to be burnt in. `lumas`: the view at rest, whole frames about a second apart.

    Private samples (`outlines`) are greyed before anything is looked at.
    """
    seen = np.stack([_looked_at(luma, outlines) for luma in lumas])
    median = np.asarray(np.median(seen, axis=0), np.uint8)
    private = cv2.dilate(stamp(outlines, WorkingSize(median.shape[1], median.shape[0])), np.ones((9, 9), np.uint8)) > 0
    steep = np.asarray(cv2.morphologyEx(median, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)
    steep[private] = 0
    letters = (_density(steep >= _RAZOR) >= _RAZOR_DENSITY) | (_density(steep >= _EDGE) >= _EDGE_DENSITY)
    noise = np.abs(seen.astype(np.int16) - median.astype(np.int16)).mean(axis=0).astype(np.float32)
    letters &= _perhaps_written(steep >= _EDGE, noise)
    count, labels = cv2.connectedComponents(_joined(letters))
    texts = np.asarray(labels, np.int32)
    ticking = _ticking(seen) & ~private
    told = _texts(texts, count, steep, noise, letters)
    told |= np.isin(texts, np.setdiff1d(np.unique(texts[ticking]), [0])) & letters
    areas = areas_from(_at(ticking, frame), frame, Ground.TICKS) if ticking.any() else ()
    return (*areas, *areas_from(_at(told, frame), frame, Ground.BURNT_IN))


def _perhaps_written(edges: NDArray[np.bool_], noise: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the edges have less noise than what is around them; where there is none around, the upper and lower border."""
    around = cv2.boxFilter(noise, cv2.CV_32F, (_NOISE_REACH, _NOISE_REACH))
    near = cv2.boxFilter(noise * edges, cv2.CV_32F, (_AROUND, _AROUND)) / np.maximum(_density(edges), 1e-6)
    rows = np.arange(len(noise))[:, None]
    border = (rows < _BORDER * len(noise)) | (rows > (1 - _BORDER) * len(noise))
    return np.asarray(np.where(around >= _MEASURABLE, near <= _CALM_HERE * around, border), np.bool_)


def _texts(
    texts: NDArray[np.int32], count: int, steep: Plane, noise: NDArray[np.float32], letters: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which of the candidates are written by a camera: by the noise where there is any, else by their place."""
    height = steep.shape[0]
    around = cv2.boxFilter(noise, cv2.CV_32F, (_NOISE_REACH, _NOISE_REACH))
    told = np.zeros(texts.shape, np.bool_)
    for number in range(1, count):
        here = texts == number
        rows = np.flatnonzero(here.any(axis=1))
        if rows[-1] - rows[0] + 1 > _TALLEST * height + _AROUND:
            continue
        edges = here & (steep >= _EDGE)
        if np.count_nonzero(edges) < _LEAST_TICKING:
            continue
        level = float(around[here].mean())
        if level >= _MEASURABLE:
            written = float(noise[edges].mean()) <= _CALM * level
        else:
            razor = bool(np.count_nonzero(here & (steep >= _RAZOR)) >= 0.3 * np.count_nonzero(edges))
            written = razor and bool(rows[-1] < _BORDER * height or rows[0] > (1 - _BORDER) * height)
        if written:
            told |= here & letters
    return told


def _ticking(seen: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a place of a digit's size changes again and again, at once and by much, while all around it is still."""
    changes = np.abs(np.diff(seen.astype(np.int16), axis=0)) >= _TICK
    any_change: NDArray[np.bool_] = np.any(changes, axis=0)
    often = np.zeros_like(any_change)
    count, places = cv2.connectedComponents(cv2.dilate(any_change.astype(np.uint8), np.ones((5, 5), np.uint8)))
    height = len(often)
    for number in range(1, count):
        here = (places == number) & any_change
        rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
        tall, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        if np.count_nonzero(here) < _LEAST_TICKING or tall > _TALLEST * height / 2 or wide > 6 * max(tall, 5):
            continue
        if np.count_nonzero((changes & here).any(axis=(1, 2))) < _LEAST_TICKS:
            continue
        reach = max(6, int(tall))
        top, left = max(0, rows[0] - reach), max(0, columns[0] - reach)
        ring = any_change[top : rows[-1] + reach + 1, left : columns[-1] + reach + 1]
        outside = np.count_nonzero(ring) - np.count_nonzero(here)
        if outside <= _STILL_AROUND * ring.size:
            often[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return often


def _looked_at(luma: Plane, outlines: Sequence[Corners]) -> Plane:
    """At most WIDEST across, private samples grey: nothing below can tell what it never saw."""
    height, width = luma.shape
    out = luma.copy()
    out[stamp(outlines, WorkingSize(width, height)) > 0] = 128
    if width > WIDEST:
        out = np.asarray(cv2.resize(out, (WIDEST, round(height * WIDEST / width)), interpolation=cv2.INTER_AREA), np.uint8)
    return out


def _density(which: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(which.astype(np.float32), cv2.CV_32F, (_AROUND, _AROUND)), np.float32)


def _joined(letters: NDArray[np.bool_]) -> Plane:
    return np.asarray(cv2.morphologyEx(letters.astype(np.uint8), cv2.MORPH_CLOSE, np.ones(_JOIN[::-1], np.uint8)), np.uint8)


def _at(which: NDArray[np.bool_], frame: WorkingSize) -> NDArray[np.bool_]:
    """The same at the working size: whatever touches a sample marks it."""
    share = cv2.resize(which.astype(np.float32), (frame.width, frame.height), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0, np.bool_)
