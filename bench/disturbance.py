"""Everything that happens to a camera on a pole, frame by frame and by seed, with what is private in each frame known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.config.polygon import Polygon
from agent.picture.planes import Plane
from agent.view.cover_geometry import private_outlines
from bench.scene import WIDTH, Scene

Warp = NDArray[np.float64]
"""Shape (3, 3): from the scene as it was validated to the picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a sequence is made from: the generator, the picture's height, and the frame on which things happen."""

    rng: np.random.Generator
    height: int
    event: int


FPS = 25
FRAMES = 200
HOME: Warp = np.eye(3)
LEAST_GHOST = 0.08
"""A double exposure weaker than this shows nobody anything."""
_BOUNDARY = np.ones((3, 3), np.uint8)
_STRIP_EDGE = np.ones((7, 7), np.uint8)
"""How near to the view's own edge, in pixels, a strip that was never validated is not counted."""


@dataclass(frozen=True, eq=False)
class Slab:
    """Rows of one picture, and the weighted places the camera pointed at while they were exposed."""

    first_row: int
    end_row: int
    exposed: tuple[tuple[float, Warp], ...]


Pointing = Callable[[int], tuple[Slab, ...]]
Painting = Callable[[Plane, int], Plane]


def straight(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nothing bends."""
    return points


def _sides(corners: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    return list(zip(corners, np.roll(corners, -1, axis=0), strict=True))


def _as_is(picture: Plane, _: int) -> Plane:
    return picture


@dataclass(frozen=True, eq=False)
class Disturbance:
    """One sequence.

    `pointing`: where the camera looks; `paint`: what stands in the scene; `light`: what becomes of the picture; `bend`: what
    the lens does to it and to what is private; `drawn`: where points of the scene lie in the picture at the commissioning,
    in pixels; `arrives`: which of the pictures the camera delivers as its nth (frozen, dropped). It begins on frame `event`.
    """

    pointing: Pointing
    paint: Painting = _as_is
    light: Painting = _as_is
    bend: Callable[[Plane], Plane] = field(default=lambda p: p)
    drawn: Callable[[NDArray[np.float64]], NDArray[np.float64]] = field(default=straight)
    arrives: Callable[[int], int] = field(default=lambda n: n)
    event: int = 0
    frames: int = FRAMES
    reference_paint: Painting = _as_is
    reference_light: Painting = _as_is
    reference_pointing: Pointing | None = None
    """Where the camera looked during the commissioning, when it did not stand still."""
    copied: Painting = _as_is
    """From where a picture shows what is private as the scene lies to where else the camera shows it, with a number."""
    elsewhere: bool = False
    """The camera shows another scene from `event` on: it has to be closed."""
    strips: bool = False
    """Whether what lies outside of the validated view is looked for as well."""
    delivered: Painting = _as_is
    """What the camera makes of its picture last of all; it may be of another size."""

    def picture(self, scene: Scene, number: int, grain: Grain) -> Plane:
        """The `number`th picture as it is delivered; a new plane."""
        n = self.arrives(number)
        return self._film(scene, n, self.pointing(n), self.paint, self.light, grain)

    def reference_picture(self, scene: Scene, n: int, grain: Grain) -> Plane:
        """A picture of the commissioning, before anything happened."""
        slabs = whole(HOME, scene.height) if self.reference_pointing is None else self.reference_pointing(n)
        return self._film(scene, n, slabs, self.reference_paint, self.reference_light, grain)

    def _film(self, scene: Scene, n: int, slabs: tuple[Slab, ...], paint: Painting, light: Painting, grain: Grain) -> Plane:
        painted = paint(scene.at(n), n)
        out = np.empty((scene.height, WIDTH), np.uint8)
        for slab in slabs:
            out[slab.first_row : slab.end_row] = _expose(painted, slab)
        return grain.add(light(self.bend(out), n), n)

    def polygons_drawn(self, polygons: tuple[Polygon, ...], height: int) -> list[Polygon]:
        """The private spaces as a technician draws them over the commissioning still: what the guard is given."""
        size = np.array([WIDTH, height])
        out = []
        for polygon in polygons:
            corners = np.array(polygon)
            dense = np.concatenate([a + np.linspace(0, 1, 8, endpoint=False)[:, None] * (b - a) for a, b in _sides(corners)])
            if self.drawn is straight:
                dense = corners
            lies = (self.drawn(dense * size - 0.5) + 0.5) / size
            out.append(tuple((float(x), float(y)) for x, y in np.clip(lies, 0, 1)))
        return out

    def private(self, polygons: tuple[Polygon, ...], height: int, number: int) -> Plane:
        """255 where the `number`th picture shows a private space, 0 elsewhere; boundary pixels are not counted."""
        outlines = _outlines(polygons, height)
        truth = np.zeros((height, WIDTH), np.uint8)
        for slab in self.slabs(number):
            plane = np.zeros((height, WIDTH), np.uint8)
            for weight, warp in slab.exposed:
                if weight < LEAST_GHOST:
                    continue
                for outline in outlines:
                    lifted = outline @ warp[:, :2].T + warp[:, 2]
                    corners = np.round(np.clip(lifted[:, :2] / lifted[:, 2:], -5000, 5000) * 16).astype(np.int32)
                    cv2.fillPoly(plane, [corners], 255, shift=4)
            truth[slab.first_row : slab.end_row] = plane[slab.first_row : slab.end_row]
        truth = np.asarray(cv2.erode(np.asarray(self.copied(self.bend(truth), number), np.uint8), _BOUNDARY), np.uint8)
        return np.asarray(truth | self._never_validated(height, number), np.uint8) if self.strips else truth

    def slabs(self, number: int) -> tuple[Slab, ...]:
        """Where the camera pointed while the `number`th picture as delivered was taken."""
        return self.pointing(self.arrives(number))

    def _never_validated(self, height: int, number: int) -> Plane:
        outside = np.zeros((height, WIDTH), np.uint8)
        for slab in self.slabs(number):
            for _, warp in slab.exposed:
                seen = cv2.warpPerspective(np.full((height, WIDTH), 255, np.uint8), warp, (WIDTH, height))
                part = slice(slab.first_row, slab.end_row)
                outside[part] = cv2.bitwise_or(outside[part], cv2.bitwise_not(seen[part]))
        return np.asarray(cv2.erode(outside, _STRIP_EDGE), np.uint8)


class Grain:
    """Sensor noise, from a bank made once; another piece of it on every picture.

    Neighbours are mirrored against each other: no sensor's noise is that of the picture before, displaced.
    """

    def __init__(self, seed: int, sigma: float = 2.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._bank = np.clip(self._rng.normal(0, sigma, (768, 1024)), -40, 40).astype(np.int8)

    def add(self, picture: Plane, n: int) -> Plane:
        """The picture with noise on it; a new plane."""
        height, width = picture.shape
        top, left = (n * 7919) % (768 - height), (n * 104729) % (1024 - width)
        piece = self._bank[top : top + height, left : left + width]
        if n % 4:
            piece = np.asarray(cv2.flip(piece, (0, 1, -1)[n % 4 - 1]), np.int8)
        return np.asarray(cv2.add(picture, piece, dtype=cv2.CV_8U), np.uint8)


@cache
def _outlines(polygons: tuple[Polygon, ...], height: int) -> tuple[NDArray[np.float64], ...]:
    return tuple(o * (WIDTH, height) - 0.5 for o in private_outlines([np.array(p) for p in polygons]))


def _expose(scene: Plane, slab: Slab) -> Plane:
    rows = slab.end_row - slab.first_row
    mixed: NDArray[np.float32] | None = None
    for weight, warp in slab.exposed:
        shifted = np.array([[1, 0, 0], [0, 1, -slab.first_row], [0, 0, 1.0]]) @ warp
        if warp is HOME:
            view = scene[slab.first_row : slab.end_row]
        else:
            view = np.asarray(
                cv2.warpPerspective(scene, shifted, (WIDTH, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
                np.uint8,
            )
        if len(slab.exposed) == 1:
            return view
        part = view.astype(np.float32) * np.float32(weight)
        mixed = part if mixed is None else mixed + part
    assert mixed is not None
    return np.asarray(mixed, np.uint8)


def whole(warp: Warp, height: int) -> tuple[Slab, ...]:
    """The whole picture exposed in one place."""
    return (Slab(0, height, ((1.0, warp),)),)


def turned(dx: float, dy: float, degrees: float, zoom: float, focal: float, height: int) -> Warp:
    """The camera turned so that the middle of the scene moves by (dx, dy) pixels; `focal` in picture widths."""
    f = focal * WIDTH
    pan, tilt, roll = np.arctan2(dx, f), np.arctan2(-dy, f), np.deg2rad(degrees)
    about_y = np.array([[np.cos(pan), 0, np.sin(pan)], [0, 1, 0], [-np.sin(pan), 0, np.cos(pan)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    before = np.array([[f, 0, (WIDTH - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1]])
    after = np.array([[zoom * f, 0, (WIDTH - 1) / 2], [0, zoom * f, (height - 1) / 2], [0, 0, 1]])
    warp = after @ about_z @ about_x @ about_y @ np.linalg.inv(before)
    return np.asarray(warp / warp[2, 2], np.float64)
