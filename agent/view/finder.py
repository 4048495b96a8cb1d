"""Finding where the validated view lies in a frame: from where it lay, by the overall shift, by flow, by search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.patches import Patches
from agent.view.phase_correlation import overall_shift
from agent.view.pose import HOME, Points, Pose, WorkingSize, fit_pose, move, panned
from agent.view.proof import LEAST_CONFIRMED, Proof, prove
from agent.view.relocation import Relocation

SURE_KEPT = 0.85
"""A pose at which so much of what is expected is there needs no other beside it."""
BRIEF_FRAMES = 3
"""A view not recognised for longer is looked for less eagerly, and shown again only after several proofs."""
FLOW_EVERY = 4
"""A view lost for longer is looked for by optical flow on every so many frames only."""

_OUTWEIGHS = 0.15
"""Of the known area."""
_LEAST_ASIDE = 0.1
"""Of the known area: when so much agrees on another place nearby, that place is looked at."""
_ASIDE_PX = 0.8
_TOGETHER_PX = 1.2
_FAINT = 0.3

Kept = Callable[[Proof], float]


class Before(Struct, frozen=True, eq=False):
    """The last frame shown, and the pose it was proved at; `tracked` is the last pose proved, shown or not."""

    picture: Plane | None
    pose: Pose
    tracked: Pose
    lost_frames: int


class Finder:
    """One thread."""

    def __init__(self, patches: Patches, frame: WorkingSize, corners: Points, relocation: Relocation) -> None:
        self.patches = patches
        self._frame, self._corners, self._relocation = frame, corners, relocation

    def find(self, picture: Plane, before: Before, kept: Kept, least_alike: int) -> tuple[Proof | None, list[Pose]]:
        """The best proof of this frame, and other poses that deserve a look."""
        quick = self._prove(picture, before.tracked, before, least_alike)
        found = self._relocation.answer()
        if quick is not None and kept(quick) >= SURE_KEPT and not found:
            return quick, self._aside(quick)
        if quick is not None and kept(quick) >= SURE_KEPT:
            best, others = self._best(picture, quick, found, before, kept)
            return best, others + self._aside(quick)
        shift = (0.0, 0.0)
        if before.picture is not None and before.lost_frames <= BRIEF_FRAMES:
            shift = overall_shift(before.picture, picture)
            shifted = self._prove(picture, panned(self._frame, before.pose, *shift), before)
            if shifted is not None and kept(shifted) >= SURE_KEPT and not self._outweighs(quick, shifted):
                left = shifted.inside & ~shifted.confirmed
                return shifted, self._follow(before.picture, picture, before.pose, shift, left) + self._aside(shifted)
        proof = quick if quick is not None else self._prove(picture, before.tracked, before)
        candidates = found + ([] if proof is None else self._aside(proof))
        if before.pose is not before.tracked:
            candidates.append(before.pose)
        if before.lost_frames % 5 == 1:
            candidates.append(HOME)
        if before.picture is not None and (before.lost_frames <= BRIEF_FRAMES or before.lost_frames % FLOW_EVERY == 0):
            candidates += self._follow(before.picture, picture, before.pose, (0.0, 0.0))
        best, others = self._best(picture, proof, candidates, before, kept)
        if (best is None or kept(best) < SURE_KEPT) and before.picture is not None and before.lost_frames < BRIEF_FRAMES:
            more = self._follow(before.picture, picture, before.pose, shift)
            best, again = self._best(picture, best, more, before, kept)
            others += again
        return best, others

    def _best(
        self, picture: Plane, best: Proof | None, candidates: Sequence[Pose], before: Before, kept: Kept
    ) -> tuple[Proof | None, list[Pose]]:
        """The proof at which most of what is expected is, or much more of what is known; and where else patches may be."""
        others = list(candidates)
        for start in candidates:
            rival = self._prove(picture, start, before)
            if rival is None:
                continue
            more = kept(rival) > (kept(best) if best is not None else -1.0)
            if self._outweighs(rival, best) or (more and not self._outweighs(best, rival)):
                others += [] if best is None else [best.pose]
                best = rival
            else:
                others.append(rival.pose)
        return best, others

    def _outweighs(self, proof: Proof | None, other: Proof | None) -> bool:
        """Whether so much more of the known area confirms by one proof than by the other that what is expected does not count.

        What lies on the frame is all that is expected while it hides the scene, or the night does; the scene that comes back
        elsewhere is more.
        """
        if proof is None or other is None:
            return proof is not None
        area = self.patches.area
        return float(area[proof.confirmed].sum()) > float(area[other.confirmed].sum()) + _OUTWEIGHS

    def _prove(self, picture: Plane, start: Pose, before: Before, least_alike: int = 0) -> Proof | None:
        known = before.pose if before.picture is not None else None
        return prove(picture, self.patches, self._frame, self._corners, start, known, least_alike=least_alike)

    def _aside(self, proof: Proof) -> list[Pose]:
        """Where a part of the frame that is not at the proved pose went, when it went together and not far."""
        left = proof.inside & ~proof.confirmed & (proof.likeness > _FAINT)
        if float(self.patches.area[left].sum()) < _LEAST_ASIDE or np.count_nonzero(left) < LEAST_CONFIRMED / 2:
            return []
        off = proof.off_px[left]
        most = np.array([middle(off[:, 0]), middle(off[:, 1])])
        if float(np.hypot(*most)) < _ASIDE_PX:
            return []
        together = left.copy()
        together[left] = np.hypot(*(off - most).T) < _TOGETHER_PX
        if np.count_nonzero(together) < max(LEAST_CONFIRMED / 2, np.count_nonzero(left) / 2):
            return []
        at = self.patches.at[together]
        seen = move(proof.pose, at) + proof.off_px[together]
        return [fit_pose(self._frame, at, seen, proof.pose, 2, self.patches.area[together]).pose]

    def _follow(
        self,
        before: Plane,
        now: Plane,
        pose: Pose,
        shift: tuple[float, float],
        those: NDArray[np.bool_] | None = None,
    ) -> list[Pose]:
        """Poses by optical flow from the last frame shown: the main motion, and a second one among what is left over.

        `shift` is by how much the frame as a whole seems to have moved: where the flow starts to look. `those` are the
        patches to follow, all of them if not given.
        """
        asked = self.patches.inside(pose, self._frame.width, self._frame.height)
        if those is not None:
            asked &= those
        if np.count_nonzero(asked) < LEAST_CONFIRMED / 2:
            return []
        at = self.patches.at[asked]
        start = move(pose, at).astype(np.float32).reshape(-1, 1, 2)
        guess = np.asarray(start + np.array(shift), np.float32)
        flow, status, _ = cv2.calcOpticalFlowPyrLK(
            before, now, start, guess, winSize=(15, 15), maxLevel=3, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
        )
        seen = np.asarray(flow, np.float64).reshape(-1, 2)
        left = np.asarray(status).ravel() == 1
        poses: list[Pose] = []
        for _ in range(2):
            found = self._consensus(at, seen, left)
            if found is None:
                break
            poses.append(found)
            apart = move(found, at) - seen
            left = left & (np.einsum("ij,ij->i", apart, apart) > 4.0**2)
        return poses

    def _consensus(self, at: Points, seen: Points, left: NDArray[np.bool_]) -> Pose | None:
        """The pose that most of what is left agrees on, or None when too few do."""
        if np.count_nonzero(left) < LEAST_CONFIRMED / 2:
            return None
        turned, agree = cv2.estimateAffinePartial2D(
            at[left], seen[left], method=cv2.RANSAC, ransacReprojThreshold=2.5, maxIters=200, confidence=0.995, refineIters=0
        )
        if turned is None or np.count_nonzero(agree) < LEAST_CONFIRMED / 2:
            return None
        pose: Pose = np.vstack([turned, [0.0, 0.0, 1.0]])
        for within_px in (4.0, 2.5):
            apart = move(pose, at) - seen
            near = left & (np.einsum("ij,ij->i", apart, apart) < within_px**2)
            if np.count_nonzero(near) < LEAST_CONFIRMED / 2:
                break
            pose = fit_pose(self._frame, at[near], seen[near], pose).pose
        return pose


def middle(values: NDArray[np.float64]) -> float:
    """The median of at least one value. numpy's own would import its masked arrays, 1 MB, to look for missing ones."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
