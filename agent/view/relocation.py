"""Finding a lost view again anywhere in the frame: slow, so it never happens on the frame's own way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.likeness_maps import likeness_maps
from agent.view.local_contrast import normalise, reduce
from agent.view.patches import REACH, SIDE, Patches
from agent.view.pose import HOME, Points, Pose, WorkingSize, fit_pose, move, panned

MOST_KEYPOINTS = 500
LEAST_MATCHES = 12
LEAST_AGREEING = 8
_NEIGHBOURHOOD_PX = 31
_LEVELS = 4
_DESCRIPTOR_BYTES = 32
_SEARCHED_PATCHES = 60
_PLACES_PER_PATCH = 3
_LEAST_LIKENESS = 0.6
_AGREEMENT_PX = 12.0
_CHANCE, _SPEAKS = 0.2, 0.4
"""Likeness that says nothing of a place, and how much more says all it can."""
_BLUR_PX = 1.5
_PLACES_TOGETHER = 3


@dataclass(frozen=True, eq=False)
class Keypoints:
    """ORB features from outside the masks. `at`: their places in the working picture; `descriptors`: uint8 (n, 32)."""

    at: Points
    descriptors: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at)


def find_keypoints(luma: Plane, frame: WorkingSize, forbidden: Plane | None = None) -> Keypoints:
    """The features of a luma plane of the analysis size; none whose descriptor could touch `forbidden` (255, working size)."""
    orb = cv2.ORB.create(MOST_KEYPOINTS, nlevels=_LEVELS, fastThreshold=8)
    scale = luma.shape[1] / frame.width
    found, descriptors = orb.detectAndCompute(normalise(luma, _NEIGHBOURHOOD_PX), None)
    if not found or descriptors is None:
        return Keypoints(np.zeros((0, 2)), np.zeros((0, _DESCRIPTOR_BYTES), np.uint8))
    at = (np.array([k.pt for k in found], np.float64) + 0.5) / scale - 0.5
    keep = np.ones(len(at), np.bool_)
    if forbidden is not None:
        away_px = cv2.distanceTransform(cv2.bitwise_not(forbidden), cv2.DIST_L2, 5)
        rows = np.clip(np.round(at[:, 1]).astype(int), 0, frame.height - 1)
        columns = np.clip(np.round(at[:, 0]).astype(int), 0, frame.width - 1)
        reach_px = np.array([0.75 * k.size + _NEIGHBOURHOOD_PX / 2 + 4 for k in found]) / scale
        keep = away_px[rows, columns] > reach_px
    return Keypoints(at[keep], np.asarray(descriptors, np.uint8)[keep])


@dataclass(frozen=True, eq=False)
class Landmarks:
    """All by which a lost view is looked for."""

    frame: WorkingSize
    patches: Patches
    keypoints: Keypoints


def relocate(known: Landmarks, luma: Plane) -> list[Pose]:
    """Where the known view may lie in this frame, within a few pixels: guesses to be proved, never a proof.

    Some 15 ms for the keypoints and 45 ms for the patches on a desktop processor.
    """
    return by_keypoints(known, luma) + by_patches(known, luma)


def by_keypoints(known: Landmarks, luma: Plane) -> list[Pose]:
    """By the features that find their like."""
    here = find_keypoints(luma, known.frame)
    if len(here) < LEAST_MATCHES or len(known.keypoints) < LEAST_MATCHES:
        return []
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(known.keypoints.descriptors, here.descriptors)
    a = known.keypoints.at[[m.queryIdx for m in matches]]
    b = here.at[[m.trainIdx for m in matches]]
    agreed = _agreed(known.frame, a, b)
    return [] if agreed is None else [agreed]


def by_patches(known: Landmarks, luma: Plane) -> list[Pose]:
    """By the best patches: where their likest places agree, and where all of them together are likest.

    The latter finds a view out of focus or in fog, in which no patch is like itself but all are a little, at one displacement.
    """
    picture = normalise(reduce(luma))
    height, width = picture.shape
    together = np.zeros((2 * height, 2 * width), np.float32)
    a, b = [], []
    searched = [template.reshape(SIDE, SIDE) for template in known.patches.templates[:_SEARCHED_PATCHES]]
    for number, likeness in enumerate(likeness_maps(picture, searched)):
        x, y = (int(v) for v in known.patches.at[number])
        rows, columns = likeness.shape
        top, left = height + REACH - y, width + REACH - x
        together[top : top + rows, left : left + columns] += np.clip(likeness - _CHANCE, 0, _SPEAKS)
        for place in _likest(likeness):
            a.append(known.patches.at[number])
            b.append(place)
    agreed = _most_agreed(known.frame, np.array(a), np.array(b))
    return ([] if agreed is None else [agreed]) + _likest_together(known.frame, together)


def _most_agreed(frame: WorkingSize, at: Points, seen: Points) -> Pose | None:
    """The pose of the most pairs that share a displacement."""
    if len(at) < LEAST_MATCHES:
        return None
    shift = seen - at
    apart = np.abs(shift[:, None, :] - shift[None, :, :]).max(axis=2)
    agreeing = apart < _AGREEMENT_PX
    centre = int(np.argmax(agreeing.sum(axis=1)))
    near = apart[centre] < 2 * _AGREEMENT_PX
    return _agreed(frame, at[near], seen[near])


def _likest_together(frame: WorkingSize, together: NDArray[np.float32]) -> list[Pose]:
    """The displacements at which the patches are likest as a whole; `together` has no displacement in its middle."""
    height, width = together.shape
    smooth = np.asarray(cv2.GaussianBlur(together, (0, 0), _BLUR_PX), np.float32)
    poses: list[Pose] = []
    for _ in range(_PLACES_TOGETHER):
        _, most, _, (x, y) = cv2.minMaxLoc(smooth)
        if most <= 0:
            break
        poses.append(panned(frame, HOME, x - width // 2, y - height // 2))
        smooth[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1] = 0
    return poses


def _likest(likeness: NDArray[np.float32]) -> list[Points]:
    """The likest places of one patch, none of them next to another; `likeness` is written into."""
    places: list[Points] = []
    for _ in range(_PLACES_PER_PATCH):
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if best < _LEAST_LIKENESS:
            break
        places.append(np.array([x + REACH, y + REACH], np.float64))
        likeness[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1] = -1
    return places


def _agreed(frame: WorkingSize, a: Points, b: Points) -> Pose | None:
    """The pose most of these pairs agree on, or None when too few do."""
    if len(a) < LEAST_MATCHES:
        return None
    turned, agree = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=4.0, maxIters=2000)
    if turned is None or np.count_nonzero(agree) < LEAST_AGREEING:
        return None
    pose = np.vstack([turned, [0.0, 0.0, 1.0]])
    for within_px in (8.0, 5.0, 3.0):
        off = move(pose, a) - b
        near = np.einsum("ij,ij->i", off, off) < within_px**2
        if np.count_nonzero(near) < LEAST_AGREEING:
            return None
        pose = fit_pose(frame, a[near], b[near], pose).pose
    return pose


class Relocation(Protocol):
    """Who looks for a lost view. The guard's thread calls both; neither blocks."""

    def look_for(self, luma: Plane) -> None:
        """Here is a frame the view was not proved on (the plane may be reused on return)."""
        ...

    def answer(self) -> list[Pose]:
        """Where the view may lie, as found since the last call."""
        ...


class SteppedRelocation:
    """Searches on the caller's thread and answers `delay_frames` later: for tests and the corpus, where runs must repeat."""

    def __init__(self, known: Landmarks, delay_frames: int = 2, every_frames: int = 3) -> None:
        self._known = known
        self._delay, self._every = delay_frames, every_frames
        self._now = 0
        self._asked = -(10**9)
        self._due: tuple[int, list[Pose]] | None = None

    def look_for(self, luma: Plane) -> None:
        if self._due is None and self._now - self._asked >= self._every:
            self._asked = self._now
            self._due = (self._now + self._delay, relocate(self._known, luma))

    def answer(self) -> list[Pose]:
        self._now += 1
        if self._due is None or self._now < self._due[0]:
            return []
        poses, self._due = self._due[1], None
        return poses


class RelocationThread:
    """Searches beside the caller's thread, one frame at a time; frames that come meanwhile are not looked at.

    Each search has a thread of its own that ends with it: the interpreter waits for it at its end, and nothing has to be closed.
    """

    def __init__(self, known: Landmarks) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._found: list[Pose] = []
        self._busy = False

    def look_for(self, luma: Plane) -> None:
        with self._lock:
            if self._busy:
                return
            self._busy = True
        # Said, since a thread inherits it: the pipeline's is a daemon, and the interpreter would end in the midst of OpenCV.
        threading.Thread(target=self._search, args=(luma.copy(),), name="relocation", daemon=False).start()

    def answer(self) -> list[Pose]:
        with self._lock:
            poses, self._found = self._found, []
            return poses

    def _search(self, luma: Plane) -> None:
        poses: list[Pose] = []
        try:
            poses = relocate(self._known, luma)
        finally:  # a search that failed found nothing; the next one may
            with self._lock:
                self._found, self._busy = poses, False
