"""Where the scene lies while the camera is being pushed, though part of what is in the frame does not go along.

What is fixed to the camera agrees with itself too: it agrees that nothing moved. So what no longer looks right where it was
is asked first, and whatever of the frame has once been seen to stay is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.patches import Patches, choose_patches
from agent.view.phase_correlation import overall_shift
from agent.view.pose import HOME, Pose, WorkingSize, fit_pose, move, panned
from agent.view.proof import Proof, prove

_AT_HOME_PX = 1.0
_STAYED_PX = 3.0
_LEAST_FLOW = 8
_FLOW_PX = 2.0
_LOOKED_RIGHT = 0.7
_MOST_FEATURES = 400
_SURE_SHARE = 0.6
"""Of the patches: when so many confirm, no other start is tried."""


class NudgedPose:
    """Follows one push, frame by frame. One thread."""

    def __init__(self, small: Plane, home: Plane, forbidden: Plane, frame: WorkingSize) -> None:
        """`small`, `home`: the still at the working size, as it is and normalised; `forbidden`: 255 in and near the masks."""
        self._frame = frame
        self._home = home
        self._patches, _ = choose_patches([small], small, forbidden.copy())
        self._stayed = np.zeros(len(self._patches), np.int32)
        self._last: Pose = HOME
        features = cv2.goodFeaturesToTrack(home, _MOST_FEATURES, 0.02, 5, mask=cv2.bitwise_not(forbidden), blockSize=5)
        self._features = np.zeros((0, 1, 2), np.float32) if features is None else np.asarray(features, np.float32)

    def find(self, now: Plane) -> Pose | None:
        """The scene's pose on this normalised working picture; HOME when it has not moved, None when it is not recognised."""
        goers = self._stayed < 2
        best = self._best(now, self._only(goers)) if np.count_nonzero(goers) >= _LEAST_FLOW else None
        if best is None:
            return None
        if self._frame.shift_px(best) > _STAYED_PX:
            there = self._patches.look(now, HOME).likeness > _LOOKED_RIGHT
            gone = self._patches.look(now, best).likeness > _LOOKED_RIGHT
            far = np.hypot(*(move(best, self._patches.at) - self._patches.at).T) > _STAYED_PX
            self._stayed += there & ~gone & far
        self._last = best
        return best

    def _best(self, now: Plane, patches: Patches) -> Pose | None:
        """The pose that most patches confirm; one away from home wins over home, which the fixed ones keep confirming."""
        home = self._prove(now, patches, HOME)
        kept = np.zeros(len(patches), np.bool_) if home is None else home.confirmed
        if home is not None and np.count_nonzero(kept) >= 0.9 * len(patches):
            return home.pose if self._frame.shift_px(home.pose) > _AT_HOME_PX else HOME
        best = self._away(now, patches, [self._last, panned(self._frame, HOME, *overall_shift(self._home, now))], None)
        if best is None or best.count < _SURE_SHARE * len(patches):
            best = self._away(now, patches, self._flows(now), best)
        # A vehicle that passes moves too: what moved must be more of the frame, by its parts, than half of what only stayed.
        if best is not None and self._cells(patches, best.confirmed) >= self._cells(patches, kept & ~best.confirmed) / 2:
            return best.pose
        return HOME if home is not None else None

    def _away(self, now: Plane, patches: Patches, starts: Sequence[Pose], best: Proof | None) -> Proof | None:
        """The proof with the most patches among `best` and those from these starts, as far as they lie away from home."""
        for start in starts:
            proof = self._prove(now, patches, start)
            if proof is None or self._frame.shift_px(proof.pose) <= _AT_HOME_PX:
                continue
            if best is None or proof.count > best.count:
                best = proof
        return best

    def _flows(self, now: Plane) -> list[Pose]:
        """By optical flow of what is no longer where it was, from home and from the last pose."""
        if len(self._features) < _LEAST_FLOW:
            return []
        found: list[Pose] = []
        for start in (HOME, self._last):
            guess = move(start, self._features.reshape(-1, 2).astype(np.float64)).astype(np.float32).reshape(-1, 1, 2)
            flags = cv2.OPTFLOW_USE_INITIAL_FLOW
            seen, status, _ = cv2.calcOpticalFlowPyrLK(
                self._home, now, self._features, guess, winSize=(21, 21), maxLevel=4, flags=flags
            )
            a, b = self._features.reshape(-1, 2).astype(np.float64), np.asarray(seen, np.float64).reshape(-1, 2)
            moved = (status.ravel() > 0) & (np.hypot(*(b - a).T) > _AT_HOME_PX)
            if np.count_nonzero(moved) < _LEAST_FLOW:
                continue
            turn, inliers = cv2.estimateAffinePartial2D(a[moved], b[moved], ransacReprojThreshold=_FLOW_PX)
            if turn is None or np.count_nonzero(inliers) < _LEAST_FLOW:
                continue
            those = np.flatnonzero(moved)[inliers.ravel() > 0]
            rough = np.vstack([turn, [0.0, 0.0, 1.0]])
            found.append(fit_pose(self._frame, a[those], b[those], rough).pose)
        return found

    def _prove(self, now: Plane, patches: Patches, start: Pose) -> Proof | None:
        return prove(now, patches, self._frame, self._frame.corners, start)

    def _only(self, which: NDArray[np.bool_]) -> Patches:
        return Patches(self._patches.at[which], self._patches.templates[which], self._patches.cell[which])

    @staticmethod
    def _cells(patches: Patches, which: NDArray[np.bool_]) -> int:
        return len(np.unique(patches.cell[which])) if which.any() else 0
