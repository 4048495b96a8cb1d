"""Finding a lost view again anywhere in the picture: slow, so it never happens on the frame's own way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.video.local_contrast import normalise
from agent.video.picture import Plane
from agent.video.pose import Frame, Points, Pose, fit_pose, move

MOST_KEYPOINTS = 500
LEAST_MATCHES = 12
LEAST_AGREEING = 8
_NEIGHBOURHOOD_PX = 31
_LEVELS = 4
_DESCRIPTOR_BYTES = 32


@dataclass(frozen=True, eq=False)
class Keypoints:
    """ORB features from outside the masks. `at`: their places in the working picture; `descriptors`: uint8 (n, 32)."""

    at: Points
    descriptors: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at)


def find_keypoints(luma: Plane, frame: Frame, forbidden: Plane | None = None) -> Keypoints:
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


def relocate(known: Keypoints, luma: Plane, frame: Frame) -> list[Pose]:
    """Where the known view may lie in this picture, within a few pixels: guesses to be proved, never a proof."""
    pose = by_keypoints(known, luma, frame)
    return [] if pose is None else [pose]


def by_keypoints(known: Keypoints, luma: Plane, frame: Frame) -> Pose | None:
    """By the features that find their like."""
    here = find_keypoints(luma, frame)
    if len(here) < LEAST_MATCHES or len(known) < LEAST_MATCHES:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(known.descriptors, here.descriptors)
    if len(matches) < LEAST_MATCHES:
        return None
    a = known.at[[m.queryIdx for m in matches]]
    b = here.at[[m.trainIdx for m in matches]]
    turned, agree = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=3.0, maxIters=1000)
    if turned is None or np.count_nonzero(agree) < LEAST_AGREEING:
        return None
    pose = np.vstack([turned, [0.0, 0.0, 1.0]])
    for within_px in (5.0, 3.0):
        apart = move(pose, a) - b
        near = np.einsum("ij,ij->i", apart, apart) < within_px**2
        if np.count_nonzero(near) < LEAST_AGREEING:
            return None
        pose = fit_pose(frame, a[near], b[near], pose).pose
    return pose


class Relocation(Protocol):
    """Who looks for a lost view. The guard's thread calls both; neither blocks."""

    def look_for(self, luma: Plane) -> None:
        """Here is a picture the view was not proved on (the plane may be reused on return)."""
        ...

    def answer(self) -> list[Pose]:
        """Where the view may lie, as found since the last call."""
        ...


class SteppedRelocation:
    """Searches on the caller's thread and answers `delay_frames` later: for tests and the corpus, where runs must repeat."""

    def __init__(self, known: Keypoints, frame: Frame, delay_frames: int = 2, every_frames: int = 3) -> None:
        self._known, self._frame = known, frame
        self._delay, self._every = delay_frames, every_frames
        self._now = 0
        self._asked = -(10**9)
        self._due: tuple[int, list[Pose]] | None = None

    def look_for(self, luma: Plane) -> None:
        if self._due is None and self._now - self._asked >= self._every:
            self._asked = self._now
            self._due = (self._now + self._delay, relocate(self._known, luma, self._frame))

    def answer(self) -> list[Pose]:
        self._now += 1
        if self._due is None or self._now < self._due[0]:
            return []
        poses, self._due = self._due[1], None
        return poses


class RelocationThread:
    """Searches on a thread of its own, one picture at a time; pictures that come while it is busy are not looked at."""

    def __init__(self, known: Keypoints, frame: Frame) -> None:
        self._known, self._frame = known, frame
        self._wanted = threading.Condition()
        self._luma: Plane | None = None
        self._found: list[Pose] = []
        self._busy = self._closed = False
        self._thread: threading.Thread | None = None

    def look_for(self, luma: Plane) -> None:
        with self._wanted:
            if self._busy or self._closed:
                return
            self._luma, self._busy = luma.copy(), True
            if self._thread is None:
                self._thread = threading.Thread(target=self._search, name="relocation", daemon=True)
                self._thread.start()
            self._wanted.notify()

    def answer(self) -> list[Pose]:
        with self._wanted:
            poses, self._found = self._found, []
            return poses

    def close(self) -> None:
        """End the thread; it finishes the picture it is at."""
        with self._wanted:
            self._closed = True
            self._wanted.notify()

    def _search(self) -> None:
        while True:
            with self._wanted:
                while self._luma is None and not self._closed:
                    self._wanted.wait()
                if self._closed:
                    return
                luma, self._luma = self._luma, None
            assert luma is not None
            poses = relocate(self._known, luma, self._frame)
            with self._wanted:
                self._found, self._busy = poses, False
