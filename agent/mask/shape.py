"""What must not be seen, as shapes over one frame: simple polygons in luma samples, each with the disc it grows by.

A shape's true extent is the polygon dilated by a disc of `grow` (Minkowski sum). Everything drawn and everything
checked starts from here; how it is drawn (`agent.mask.outline`) and how that is checked (`agent.mask.check`) share nothing else.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.picture.cover import Cover

Points = NDArray[np.float64]
"""Shape (n, 2): x, y in luma samples; sample i spans i..i+1."""

FARTHEST = 20_000.0
"""Luma samples; OpenCV draws exactly within 16 bits, and no sane pose puts a corner farther out."""


class Shape(Struct, frozen=True, eq=False):
    """One polygon, simple, and how far it grows, in luma samples."""

    corners: Points
    grow: float


def shapes_of(cover: Cover, width: int, height: int) -> tuple[Shape, ...]:
    """The shapes of a cover over a frame of this size. MaskError when they cannot be drawn: then nothing may be shown."""
    grow = float(cover.grow) * width
    if not 0.0 <= grow <= width:  # NaN fails this too
        raise MaskError(say("the masks would grow by {grow:g} of the picture's width", grow=cover.grow))
    size = np.array((width, height), np.float64)
    polygons = [np.asarray(polygon, np.float64) * size for polygon in cover.polygons]
    for polygon in polygons:
        if polygon.ndim != 2 or polygon.shape[0] < 3 or polygon.shape[1] != 2 or not np.abs(polygon).max() <= FARTHEST:
            raise MaskError(say("a mask's corners are not to be drawn: fewer than three, or far outside of the picture"))
    shapes = [Shape(simple, grow) for simple in _made_simple(polygons)]
    if cover.view is not None:
        shapes += _outside(np.asarray(cover.view, np.float64) * size, width, height)
    return tuple(shapes)


def _made_simple(polygons: list[Points]) -> list[Points]:
    """Each polygon, or its convex hull where its edges cross: a crossing polygon has no certain inside."""
    if not polygons:
        return []
    most = max(len(p) for p in polygons)
    # One padded array, so that the test costs one round of numpy calls however many masks there are.
    padded = np.stack([np.concatenate([p, np.repeat(p[-1:], most - len(p), axis=0)]) for p in polygons])
    start, end = padded, np.roll(padded, -1, axis=1)
    edge = end - start
    to_start = start[:, None, :, :] - start[:, :, None, :]
    to_end = end[:, None, :, :] - start[:, :, None, :]
    side_a = edge[:, :, None, 0] * to_start[..., 1] - edge[:, :, None, 1] * to_start[..., 0]
    side_b = edge[:, :, None, 0] * to_end[..., 1] - edge[:, :, None, 1] * to_end[..., 0]
    parts = side_a * side_b < 0.0
    crosses = (parts & parts.transpose(0, 2, 1)).any(axis=(1, 2))
    return [_hull(p) if crossing else p for p, crossing in zip(polygons, crosses.tolist(), strict=True)]


def _hull(points: Points) -> Points:
    """The convex hull, by monotone chain."""
    ordered = sorted(map(tuple, points.tolist()))

    def chain(source: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        made: list[tuple[float, ...]] = []
        for x, y in source:
            while len(made) > 1 and (
                (made[-1][0] - made[-2][0]) * (y - made[-2][1]) - (made[-1][1] - made[-2][1]) * (x - made[-2][0]) <= 0
            ):
                made.pop()
            made.append((x, y))
        return made[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]), np.float64).reshape(-1, 2)


def _outside(view: Points, width: int, height: int) -> list[Shape]:
    """The frame outside of the validated view: one large quadrilateral behind each edge of the view."""
    if view.shape != (4, 2) or not np.abs(view).max() <= FARTHEST:
        raise MaskError(say("the validated view's corners are not to be drawn"))
    edge = np.roll(view, -1, axis=0) - view
    turn = edge[:, 0] * np.roll(edge, -1, axis=0)[:, 1] - edge[:, 1] * np.roll(edge, -1, axis=0)[:, 0]
    length = np.hypot(edge[:, 0], edge[:, 1])
    if not (turn > 0).all():  # clockwise on screen, strictly convex; NaN fails this too
        raise MaskError(say("the validated view is turned over or folded"))
    far = float(np.hypot(width, height)) + float(np.abs(view).max())
    picture = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float64)
    behind = []
    for start, along in zip(view, edge / length[:, None], strict=True):
        outward = np.array((along[1], -along[0]))
        if (((picture - start) @ outward) <= 0).all():
            continue  # nothing of the frame lies behind this edge
        a, b = start - along * far, start + along * far
        behind.append(Shape(np.stack((a, b, b + outward * far, a + outward * far)), 0.0))
    return behind
