"""From polygons as drawn and poses as proved to the cover of one frame."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import cv2
import numpy as np

from agent.picture.cover import Corners, Cover, ViewState
from agent.picture.planes import Plane
from agent.view.pose import Points, Pose, WorkingSize, furthest_px, move

QUANTUM_PX = 0.5
"""In working pixels: the masks stay where they lie until the pose has moved by this much; every mask is grown by it."""
ELSEWHERE_PX = 3.0
"""A pose further than this from the proved one has a claim of its own to what lies outside of its view; nearer it is a sway."""
_GROW_STEP = 0.001
_EDGE = 0.006
_NEXT = [1, 2, 3, 0]
_BEHIND_EDGE = 0.5
"""Of the width: how far a private space that touches the frame's edge is taken to go on behind it."""


def private_outlines(polygons: Sequence[Corners]) -> tuple[Corners, ...]:
    """The polygons, and behind every side that lies on the frame's edge what the private space goes on to be."""
    outlines = [np.asarray(p, np.float64) for p in polygons]
    for polygon in tuple(outlines):
        for axis, border, behind in ((0, 0.0, -1.0), (0, 1.0, 1.0), (1, 0.0, -1.0), (1, 1.0, 1.0)):
            for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
                if abs(a[axis] - border) <= _EDGE and abs(b[axis] - border) <= _EDGE:
                    out = np.zeros(2)
                    out[axis] = behind * _BEHIND_EDGE
                    outlines.append(np.array([a, b, b + out, a + out]))
    return tuple(outlines)


def stamp(outlines: Sequence[Corners], frame: WorkingSize) -> Plane:
    """A plane of the frame's size, 255 inside the outlines: for choosing patches, never for covering a frame."""
    plane = np.zeros((frame.height, frame.width), np.uint8)
    for outline in outlines:  # one by one: overlapping contours in one call fill even-odd
        fixed = np.round(frame.from_fractions(outline) * 16).astype(np.int32)
        cv2.fillPoly(plane, [fixed], 255, shift=4)
        cv2.polylines(plane, [fixed], True, 255, 2, shift=4)
    return plane


class CoverGeometry:
    """Makes the covers of one mask set, and makes the same cover again while poses and doubt stay within a quantum."""

    def __init__(self, polygons: Sequence[Corners], frame: WorkingSize, margin: float) -> None:
        outlines = [frame.from_fractions(o) for o in private_outlines(polygons)]
        self._points = np.concatenate(outlines)
        self._starts = [0, *accumulate(map(len, outlines[:-1]))]
        self._frame = frame
        self._masks = len(polygons)
        self._margin = margin
        self._poses: list[Points] = []
        self._drawn: tuple[tuple[Corners, ...], Corners | None, bytes] = ((), None, b"")
        self._grow_steps = 0

    def cover(self, poses: Sequence[Pose], doubt_px: float, state: ViewState, shift_px: float, uncertainty_px: float) -> Cover:
        """The cover for these poses, the first being the one the frame was proved at, the others vouched for besides."""
        corners = [move(pose, self._frame.corners) for pose in poses]
        if not self._still_fits(corners):
            self._poses = corners
            self._drawn = self._draw(poses, corners[0])
        steps = math.ceil((self._margin + (doubt_px + QUANTUM_PX) / self._frame.width) / _GROW_STEP)
        if steps > self._grow_steps or steps < self._grow_steps - 1:
            self._grow_steps = steps
        polygons, view, digest = self._drawn
        grow = self._grow_steps * _GROW_STEP
        name = hashlib.sha256(digest + f"{grow:.3f}".encode()).hexdigest()[:16]
        return Cover(polygons, grow, view, "", name, state, shift_px, uncertainty_px)

    def _still_fits(self, corners: Sequence[Points]) -> bool:
        return len(corners) == len(self._poses) and all(
            furthest_px(new, old) <= QUANTUM_PX for new, old in zip(corners, self._poses, strict=True)
        )

    def _draw(self, poses: Sequence[Pose], corners: Points) -> tuple[tuple[Corners, ...], Corners | None, bytes]:
        polygons: list[Corners] = []
        for pose in poses:
            warped = self._frame.to_fractions(move(pose, self._points))
            most: Points = np.maximum.reduceat(warped, self._starts)
            least: Points = np.minimum.reduceat(warped, self._starts)
            reaches_in = np.logical_and(most > -0.25, least < 1.25).min(axis=1)
            for number, (start, end) in enumerate(pairwise([*self._starts, len(warped)])):
                if number < self._masks or reaches_in[number]:
                    polygons.append(warped[start:end])
        polygons += self._never_looked_at([other for other in self._poses[1:] if furthest_px(other, corners) > ELSEWHERE_PX])
        at_home = furthest_px(corners, self._frame.corners) <= QUANTUM_PX
        view = None if at_home else self._frame.to_fractions(corners)
        digest = hashlib.sha256()
        for polygon in polygons:
            digest.update(b"%d|" % len(polygon))
        digest.update(np.round(np.concatenate(polygons) * 1e6).astype(np.int64).tobytes())
        digest.update(b"" if view is None else np.round(view * 1e6).astype(np.int64).tobytes())
        return tuple(polygons), view, digest.digest()

    def _never_looked_at(self, corners: Sequence[Points]) -> list[Corners]:
        """What of the frame lies outside of the validated view if it lies at these corners: a rectangle behind each edge.

        The first pose's are `Cover.view`; other poses that carry masks, elsewhere, have as good a claim.
        """
        if not corners:
            return []
        a = np.stack(corners)
        b = a[:, _NEXT]
        along = b - a
        along /= np.sqrt(np.einsum("nij,nij->ni", along, along))[..., None] + 1e-9
        outwards = along[..., ::-1] * (1.0, -1.0)
        past = (np.einsum("kj,nij->nik", self._frame.corners, outwards) - np.einsum("nij,nij->ni", a, outwards)[..., None]).max(
            axis=2
        )
        bare = past > QUANTUM_PX
        a, b, aside, away = a[bare], b[bare], self._frame.width * along[bare], self._frame.width * outwards[bare]
        behind = np.stack([a - aside, b + aside, b + aside + away, a - aside + away], axis=1)
        return list(self._frame.to_fractions(behind))
