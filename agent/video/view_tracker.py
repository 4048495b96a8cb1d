"""Follows the validated view from frame to frame, and says of every frame whether its masks' places are proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.video.cover import Corners, ViewState
from agent.video.local_contrast import normalise, reduce
from agent.video.patches import Patches
from agent.video.picture import Plane
from agent.video.pose import HOME, Frame, Points, Pose, fit_pose, furthest_px, move
from agent.video.relocation import Relocation
from agent.video.view_proof import LEAST_CONFIRMED, SIGMAS, Proof, prove, vouchers

HOLD_RATIO = 0.75
"""Of the patches expected in this picture, this share must confirm, else the frame is not shown."""
MASK_HOLD_RATIO = 0.5
"""The same of the patches next to one mask."""
NEXT_TO_MASK = 8
SURE_RATIO = 0.85
"""A jump is followed on its very frame when this share confirms at the new pose."""
REOPEN_FRAMES = 3
LENS_DOUBT = 0.06
"""Of the shift: a lens that is no pinhole bends a mask by this much on its way across the picture, at most."""
MOVED = 0.02
"""Of the width: a view proved further than this from where it was validated has moved."""
LOST_FOR_GOOD_FRAMES = 250

_FORGET = 0.5
_TRAIL_FRAMES = 2
_DISTINCT_PX = 1.5
_RIVAL_PATCHES = 3
_RIVAL_CELLS = 2
_JUMP_PX = 1.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame's verdict. `poses` is empty when the picture must be covered whole; `reason` then says why.

    Pixels are those of the working picture. The first pose is the proved one; masks lie at all of them, grown by `doubt_px`.
    """

    poses: tuple[Pose, ...]
    doubt_px: float
    state: ViewState
    reason: str
    shift_px: float = 0.0
    uncertainty_px: float = 0.0


class ViewTracker:
    """One thread calls `track`, once per frame. Holds the last proved picture (normalised, small) and nothing older."""

    def __init__(self, patches: Patches, frame: Frame, polygons: Sequence[Corners], relocation: Relocation) -> None:
        self._patches = patches
        self._frame = frame
        self._corners = frame.from_fractions(np.concatenate([np.asarray(p, np.float64) for p in polygons]))
        self._next_to = [_nearest(patches, frame.from_fractions(np.asarray(p))) for p in polygons]
        self._relocation = relocation
        self._pose: Pose = HOME
        self._picture: Plane | None = None
        self._trust = np.zeros(len(patches))
        self._open = False
        self._proved_in_a_row = 0
        self._lost_frames = 0
        self._trail: list[Pose] = []
        self._rivals: list[Pose] = []

    def track(self, luma: Plane) -> Sighting:
        """Prove one picture; `luma` is its luma at the analysis size."""
        picture = normalise(reduce(luma))
        proof, candidates = self._find(picture)
        if proof is None:
            return self._not_proved(luma)
        return self._proved(picture, proof, candidates)

    def _find(self, picture: Plane) -> tuple[Proof | None, list[Pose]]:
        """The best proof of this picture, and other poses that deserve a look."""
        proof = self._prove(picture, self._pose)
        if proof is not None and self._share(proof) >= SURE_RATIO:
            return proof, []
        candidates: list[Pose] = []
        if self._picture is not None:
            candidates = self._follow(self._picture, picture)
        found = self._relocation.answer()
        if found is not None:
            candidates.append(found)
        if self._lost_frames % 5 == 1:
            candidates.append(HOME)
        best, others = proof, list(candidates)
        for start in candidates:
            rival = self._prove(picture, start)
            if rival is None:
                continue
            if best is None or rival.count > best.count:
                others += [] if best is None else [best.pose]
                best = rival
            else:
                others.append(rival.pose)
        return best, others

    def _prove(self, picture: Plane, start: Pose) -> Proof | None:
        return prove(picture, self._patches, self._frame, self._corners, start)

    def _share(self, proof: Proof) -> float:
        """Of the patches that confirmed lately and should be in this picture, the share that confirms now."""
        expected = self._trust[proof.inside].sum()
        return float(self._trust[proof.confirmed].sum() / expected) if expected > LEAST_CONFIRMED / 2 else 0.0

    def _follow(self, before: Plane, now: Plane) -> list[Pose]:
        """Poses by optical flow from the last proved picture: the main motion, and a second one among what is left over."""
        at = self._patches.at
        start = move(self._pose, at).astype(np.float32).reshape(-1, 1, 2)
        flow, status, _ = cv2.calcOpticalFlowPyrLK(before, now, start, start.copy(), winSize=(15, 15), maxLevel=3)
        seen = np.asarray(flow, np.float64).reshape(-1, 2)
        left = (np.asarray(status).ravel() == 1) & self._patches.inside(self._pose, self._frame.width, self._frame.height)
        poses: list[Pose] = []
        for _ in range(2):
            if np.count_nonzero(left) < LEAST_CONFIRMED / 2:
                break
            turned, agree = cv2.estimateAffinePartial2D(
                at[left], seen[left], method=cv2.RANSAC, ransacReprojThreshold=2.5, maxIters=200, confidence=0.995, refineIters=0
            )
            if turned is None or np.count_nonzero(agree) < LEAST_CONFIRMED / 2:
                break
            pose = np.vstack([turned, [0.0, 0.0, 1.0]])
            for within_px in (4.0, 2.5):
                apart = move(pose, at) - seen
                near = left & (np.einsum("ij,ij->i", apart, apart) < within_px**2)
                if np.count_nonzero(near) < LEAST_CONFIRMED / 2:
                    break
                pose = fit_pose(self._frame, at[near], seen[near], pose).pose
            poses.append(pose)
            apart = move(pose, at) - seen
            left = left & (np.einsum("ij,ij->i", apart, apart) > 4.0**2)
        return poses

    def _proved(self, picture: Plane, proof: Proof, candidates: Sequence[Pose]) -> Sighting:
        share = self._share(proof)
        jump_px = self._frame.shift_px(proof.pose, self._pose)
        was_lost = self._lost_frames > 0
        held = share < HOLD_RATIO or self._lost_next_to_a_mask(proof)
        self._proved_in_a_row += 1
        if was_lost or (jump_px > _JUMP_PX and share < SURE_RATIO):
            sure = not was_lost and share >= SURE_RATIO
            if not sure:
                self._open, self._proved_in_a_row = False, 1
        if self._proved_in_a_row >= REOPEN_FRAMES:
            self._open = True
        self._rivals = self._vouched(picture, proof, [HOME, *self._trail, *self._rivals, *candidates])
        poses = self._distinct([proof.pose, *self._trail, *self._rivals])
        self._trail = [proof.pose, *self._trail][:_TRAIL_FRAMES]
        self._trust *= _FORGET
        self._trust[proof.confirmed] = 1.0
        self._pose, self._picture, self._lost_frames = proof.pose, picture, 0
        shift_px = self._frame.shift_px(proof.pose)
        state = ViewState.MOVED if shift_px > MOVED * self._frame.width else ViewState.VERIFIED
        if not self._open or held:
            return Sighting((), 0.0, ViewState.UNCERTAIN, "the view is being verified", shift_px, proof.uncertainty_px)
        doubt_px = SIGMAS * proof.uncertainty_px + proof.residual_px + LENS_DOUBT * shift_px
        return Sighting(tuple(poses), doubt_px, state, "", shift_px, proof.uncertainty_px)

    def _not_proved(self, luma: Plane) -> Sighting:
        self._lost_frames += 1
        self._proved_in_a_row = 0
        self._open = False
        self._trail.clear()
        self._rivals.clear()
        self._relocation.look_for(luma)
        if self._lost_frames > LOST_FOR_GOOD_FRAMES:
            reason = "the camera no longer shows the view its masks were validated for"
            return Sighting((), 0.0, ViewState.MOVED, reason)
        return Sighting((), 0.0, ViewState.UNCERTAIN, "the view is not recognised")

    def _lost_next_to_a_mask(self, proof: Proof) -> bool:
        """Whether the patches next to some mask went missing all at once, whatever the rest of the picture says."""
        for near in self._next_to:
            here = near[proof.inside[near]]
            expected = self._trust[here].sum()
            if expected >= 2 and self._trust[here[proof.confirmed[here]]].sum() < MASK_HOLD_RATIO * expected:
                return True
        return False

    def _vouched(self, picture: Plane, proof: Proof, candidates: Sequence[Pose]) -> list[Pose]:
        """Those of the candidates that patches besides the proof's own vouch for."""
        out: list[Pose] = []
        spare = ~proof.confirmed
        for pose in self._distinct([proof.pose, *candidates])[1:]:
            right = vouchers(picture, self._patches, pose) & spare
            if np.count_nonzero(right) >= _RIVAL_PATCHES and len(np.unique(self._patches.cell[right])) >= _RIVAL_CELLS:
                out.append(pose)
        return out[:3]

    def _distinct(self, poses: Sequence[Pose]) -> list[Pose]:
        """The poses without those that say the same as an earlier one."""
        out: list[Pose] = []
        seen: list[Points] = []
        for pose in poses:
            corners = move(pose, self._frame.corners)
            if all(furthest_px(corners, other) > _DISTINCT_PX for other in seen):
                out.append(pose)
                seen.append(corners)
        return out


def _nearest(patches: Patches, polygon: Points) -> NDArray[np.intp]:
    """Indices of the patches nearest to a polygon."""
    outline = polygon.astype(np.float32).reshape(-1, 1, 2)
    away = [-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in patches.at]
    return np.argsort(away)[:NEXT_TO_MASK]
