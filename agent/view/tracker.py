"""Follows the validated view from frame to frame, and says of every frame whether its masks' places are proved."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.cover import Corners, ViewState
from agent.picture.planes import Plane
from agent.view.ageing import ViewAgeing
from agent.view.local_contrast import Normaliser, reduce
from agent.view.patches import Patches
from agent.view.phase_correlation import overall_shift, prepare, shows_twice
from agent.view.pose import HOME, Frame, Pose, fit_pose, inverse, move, panned
from agent.view.proof import LEAST_CONFIRMED, SIGMAS, STILL_PX, Proof, prove, vouchers
from agent.view.relocation import Relocation
from agent.view.row_proof import RowProof

log = logging.getLogger(__name__)

GONE = 0.5
"""A patch that looked right lately and is now less like its template than this is gone: covered, or no longer there."""
MOST_GONE = 0.25
"""Of the patches expected in this picture: when more are gone at once, the frame is not shown."""
LEAST_SHARE = 0.5
"""Of the patches expected: when fewer confirm, the pose is not believed."""
LEAST_SHARE_AT_FIRST = 0.25
"""The same on the first pictures after a start, of all the patches of the reference: it may be night by now."""
STEADY_SHARE = 0.3
"""Of the patches of the picture before: while this share stays from frame to frame, the rest goes by and by."""
SURE_SHARE = 0.85
"""A jump is followed on its very frame when this share confirms at the new pose."""
REOPEN_FRAMES = 3
BRIEF_FRAMES = 3
"""After no more lost frames than this, one frame on which SURE_SHARE confirms is enough."""
FLOW_EVERY = 4
"""A view lost for longer is looked for by optical flow on every so many frames only."""
LENS_DOUBT = 0.06
"""Of the shift: a lens that is no pinhole bends a mask by this much on its way across the picture, at most."""
FAR_DOUBT = 0.02
"""Of the distance between a mask and the patches that prove it: the further, the wider the margin."""
MOVED = 0.02
"""Of the width: a view proved further than this from where it was validated has moved."""
LOST_FOR_GOOD_FRAMES = 250
AT_HOME_PX = 0.75
"""Nearer than this the view lies where it was validated, and can be learned from."""

_FORGET = 0.5
_TRAIL_FRAMES = 2
_DISTINCT_PX = 1.5
_RIVAL_PATCHES = 3
_RIVAL_CELLS = 2
_JUMP_PX = 3.0
_SWEEP_PX = 8.0
_SWEEP_MOST = 4
_FADING = 0.004
_FADING_SIGMAS = 6.0


class Sighting(Struct, frozen=True):
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

    def __init__(
        self,
        patches: Patches,
        frame: Frame,
        polygons: Sequence[Corners],
        relocation: Relocation,
        ageing: ViewAgeing | None = None,
    ) -> None:
        outlines = [frame.from_fractions(np.asarray(p, np.float64)) for p in polygons]
        self._normalise = Normaliser()
        self._patches = patches
        self._frame = frame
        self._corners = np.concatenate(outlines)
        self._outlines = outlines
        self._rows = RowProof(patches, outlines)
        self._ageing = ageing
        self._relocation = relocation
        self._pose: Pose = HOME
        self._picture: Plane | None = None
        self._trust = np.ones(len(patches))
        self._likeness = np.zeros(len(patches))
        self._flicker = 0.0
        self._open = False
        self._proved_in_a_row = 0
        self._before_jump: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._lost_frames = 0
        self._trail: list[Pose] = []
        self._rivals: list[Pose] = []
        prepare(frame.height, frame.width)

    def track(self, luma: Plane) -> Sighting:
        """Prove one picture; `luma` is its luma at the analysis size."""
        small = reduce(luma)
        picture = self._normalise(small)
        proof, candidates = self._find(picture)
        if proof is None:
            return self._not_proved(luma)
        if self._share(proof) < (LEAST_SHARE if self._picture is not None else LEAST_SHARE_AT_FIRST):
            self._expect_less(proof)
            return self._not_proved(luma)
        sighting = self._proved(picture, proof, candidates)
        self._age(small, sighting)
        return sighting

    # Finding the view -----------------------------------------------------------------------------------------------

    def _find(self, picture: Plane) -> tuple[Proof | None, list[Pose]]:
        """The best proof of this picture, and other poses that deserve a look."""
        quick = self._prove(picture, self._pose, least_alike=round(LEAST_SHARE * np.count_nonzero(self._trust == 1.0)))
        if quick is not None and self._suffices(quick):
            return quick, []
        shift = (0.0, 0.0)
        if self._picture is not None and self._lost_frames <= BRIEF_FRAMES:
            shift = overall_shift(self._picture, picture)
            shifted = self._prove(picture, panned(self._frame, self._pose, *shift))
            if shifted is not None and self._share(shifted) >= SURE_SHARE:
                return shifted, self._follow(self._picture, picture, shift, shifted.inside & ~shifted.confirmed)
        proof = self._prove(picture, self._pose)
        if proof is not None and self._suffices(proof):
            return proof, []
        candidates = self._relocation.answer()
        if self._lost_frames % 5 == 1:
            candidates.append(HOME)
        if self._picture is not None and (self._lost_frames <= BRIEF_FRAMES or self._lost_frames % FLOW_EVERY == 0):
            candidates += self._follow(self._picture, picture, (0.0, 0.0))
        best, others = self._best(picture, proof, candidates)
        if best is None and self._picture is not None and self._lost_frames < BRIEF_FRAMES:
            best, others = self._best(picture, None, self._follow(self._picture, picture, shift))
        return best, others

    def _best(self, picture: Plane, best: Proof | None, candidates: Sequence[Pose]) -> tuple[Proof | None, list[Pose]]:
        """The proof with the most patches, and where else patches were found or might be."""
        others = list(candidates)
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

    def _prove(self, picture: Plane, start: Pose, *, least_alike: int = 0) -> Proof | None:
        known = self._pose if self._picture is not None else None
        return prove(picture, self._patches, self._frame, self._corners, start, known, least_alike=least_alike)

    def _suffices(self, proof: Proof) -> bool:
        """Whether no other pose has to be looked at."""
        share, still = self._share(proof), self._frame.shift_px(proof.pose, self._pose) < STILL_PX
        return share >= SURE_SHARE or (still and share >= LEAST_SHARE)

    def _share(self, proof: Proof) -> float:
        """Of the patches that confirmed lately and should be in this picture, the share that confirms now."""
        expected = self._trust[proof.inside].sum()
        return float(self._trust[proof.confirmed].sum() / expected) if expected > LEAST_CONFIRMED / 2 else 0.0

    def _follow(
        self, before: Plane, now: Plane, shift: tuple[float, float], those: NDArray[np.bool_] | None = None
    ) -> list[Pose]:
        """Poses by optical flow from the last proved picture: the main motion, and a second one among what is left over.

        `shift` is by how much the picture as a whole seems to have moved: where the flow starts to look. `those` are the
        patches to follow, all of them if not given.
        """
        asked = self._patches.inside(self._pose, self._frame.width, self._frame.height)
        if those is not None:
            asked &= those
        if np.count_nonzero(asked) < LEAST_CONFIRMED / 2:
            return []
        at = self._patches.at[asked]
        start = move(self._pose, at).astype(np.float32).reshape(-1, 1, 2)
        guess = np.asarray(start + np.array(shift), np.float32)
        flow, status, _ = cv2.calcOpticalFlowPyrLK(
            before, now, start, guess, winSize=(15, 15), maxLevel=3, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
        )
        seen = np.asarray(flow, np.float64).reshape(-1, 2)
        left = np.asarray(status).ravel() == 1
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

    # Judging what was found -----------------------------------------------------------------------------------------

    def _proved(self, picture: Plane, proof: Proof, candidates: Sequence[Pose]) -> Sighting:
        if self._before_jump is not None:
            self._open = self._whole_again(proof, self._before_jump)
        jump_px = self._frame.shift_px(proof.pose, self._pose)
        jumped = self._share(proof) < SURE_SHARE and (self._lost_frames > 0 or jump_px > _JUMP_PX)
        self._before_jump = (self._trust, self._likeness) if jumped and self._open and not self._lost_frames else None
        held = self._doubtful(picture, proof)
        self._proved_in_a_row += 1
        if jumped:
            self._open, self._proved_in_a_row = False, 1
        if self._proved_in_a_row >= REOPEN_FRAMES:
            self._open = True
        swept = _between(self._pose, proof.pose, jump_px)
        settled = self._distinct([proof.pose, *self._trail, *swept])
        self._rivals = self._vouched(picture, proof, settled, [HOME, *self._rivals, *candidates])
        self._trail = [proof.pose, *self._trail][:_TRAIL_FRAMES]
        self._remember(picture, proof, sound=not held)
        shift_px = self._frame.shift_px(proof.pose)
        if not self._open or held:
            return Sighting((), 0.0, ViewState.UNCERTAIN, "the view is being verified", shift_px, proof.uncertainty_px)
        state = ViewState.MOVED if shift_px > MOVED * self._frame.width else ViewState.VERIFIED
        doubt_px = SIGMAS * proof.uncertainty_px + proof.residual_px + LENS_DOUBT * shift_px + self._far_doubt_px(proof)
        return Sighting((*settled, *self._rivals), doubt_px, state, "", shift_px, proof.uncertainty_px)

    def _whole_again(self, proof: Proof, before: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bool:
        """After a jump on which too little confirmed, torn perhaps: whether what was expected before the jump confirms now.

        Then this picture is judged by that, as if the one of the jump had not been.
        """
        now, self._trust = self._trust, np.maximum(self._trust, before[0])
        if self._share(proof) < SURE_SHARE:
            self._trust = now
            return False
        self._likeness = before[1]
        return True

    def _doubtful(self, picture: Plane, proof: Proof) -> bool:
        """Whether this frame must not be shown although a pose was proved on it."""
        expected = (self._trust == 1.0) & proof.inside
        gone = expected & (proof.likeness < GONE)
        if np.count_nonzero(gone) > MOST_GONE * np.count_nonzero(expected):
            return True
        if self._rows.torn(expected, gone):
            return True
        faded = _middle((self._likeness - proof.likeness)[expected]) if expected.any() else 0.0
        usual, self._flicker = self._flicker, 0.9 * self._flicker + 0.1 * min(abs(faded), 0.02)
        if faded < max(_FADING, _FADING_SIGMAS * usual) or self._picture is None:
            return False
        return shows_twice(self._picture, picture, proof.pose @ inverse(self._pose))

    def _age(self, small: Plane, sighting: Sighting) -> None:
        """Learn what the view has become, while there is no doubt where it lies."""
        if self._ageing is None:
            return
        if not sighting.poses or sighting.shift_px > AT_HOME_PX:
            self._ageing.doubtful()
            return
        patches = self._ageing.certain(small, self._patches, self._trust)
        if patches is not None:
            log.info("the view has changed: %d patches instead of %d", len(patches), len(self._patches))
            # The learned ones are not expected before they were seen once; those that were dropped had not been seen.
            seen = {tuple(at): trust for at, trust in zip(self._patches.at.tolist(), self._trust.tolist(), strict=True)}
            self._trust = np.array([seen.get(tuple(at), 0.0) for at in patches.at.tolist()])
            self._likeness = np.zeros(len(patches))
            self._patches, self._rows = patches, RowProof(patches, self._outlines)

    def _far_doubt_px(self, proof: Proof) -> float:
        """What to add for masks far from whatever proves them."""
        return FAR_DOUBT * self._rows.furthest_px(proof.confirmed)

    def _remember(self, picture: Plane, proof: Proof, *, sound: bool) -> None:
        """What the next picture is compared with; a torn or doubly exposed one is no good to follow the view from."""
        self._trust = _remembered(self._trust, proof)
        self._likeness = proof.likeness
        self._lost_frames = 0
        if sound or self._picture is None:
            self._pose, self._picture = proof.pose, picture

    def _expect_less(self, proof: Proof) -> None:
        """Get used to fewer patches, as long as they go by and by: behind a lorry.

        Gone at once they stay expected: the few that lie still on a dirty dome or in a burned-in clock must not become the
        view while the view itself is gone.
        """
        latest = (self._trust == 1.0) & proof.inside
        if np.count_nonzero(proof.confirmed & latest) >= STEADY_SHARE * np.count_nonzero(latest):
            self._trust = _remembered(self._trust, proof)

    def _not_proved(self, luma: Plane) -> Sighting:
        self._lost_frames += 1
        self._proved_in_a_row = 0
        self._before_jump = None
        if self._lost_frames > BRIEF_FRAMES:
            self._open = False
            self._trail.clear()
            self._rivals.clear()
        self._relocation.look_for(luma)
        if self._ageing is not None:
            self._ageing.doubtful()
        if self._lost_frames > LOST_FOR_GOOD_FRAMES:
            reason = "the camera no longer shows the view its masks were validated for"
            return Sighting((), 0.0, ViewState.MOVED, reason)
        return Sighting((), 0.0, ViewState.UNCERTAIN, "the view is not recognised")

    def _vouched(self, picture: Plane, proof: Proof, settled: Sequence[Pose], candidates: Sequence[Pose]) -> list[Pose]:
        """Those of the candidates, other than the settled ones, that patches besides the proof's own vouch for."""
        spare = np.flatnonzero(~proof.confirmed)
        if len(spare) < _RIVAL_PATCHES:
            return []
        out: list[Pose] = []
        for pose in self._distinct([*settled, *candidates])[len(settled) :]:
            right = spare[vouchers(picture, self._patches, pose, spare)]
            if len(right) >= _RIVAL_PATCHES and len(np.unique(self._patches.cell[right])) >= _RIVAL_CELLS:
                out.append(pose)
        return out[:3]

    def _distinct(self, poses: Sequence[Pose]) -> list[Pose]:
        """The poses without those that say the same as an earlier one."""
        if len(poses) == 1:
            return list(poses)
        lifted = np.stack(poses) @ np.concatenate([self._frame.corners.T, np.ones((1, 4))])
        corners = lifted[:, :2] / lifted[:, 2:]
        apart = corners[:, None] - corners[None]
        alike = np.einsum("abij,abij->abj", apart, apart).max(axis=2) <= _DISTINCT_PX**2
        kept: list[int] = []
        for number, like in enumerate(alike.tolist()):
            if not any(like[other] for other in kept):
                kept.append(number)
        return [poses[number] for number in kept]


def _remembered(trust: NDArray[np.float64], proof: Proof) -> NDArray[np.float64]:
    """How far each patch is expected on the next picture: wholly when it confirmed, half as much as before when it did not."""
    return np.where(proof.confirmed, 1.0, _FORGET * trust)


def _between(before: Pose, after: Pose, jump_px: float) -> list[Pose]:
    """Where the view was on its way: what a movement smears over one picture lies there."""
    steps = min(_SWEEP_MOST, int(jump_px / _SWEEP_PX) + 1) if jump_px > _DISTINCT_PX else 0
    return [before + (step / (steps + 1)) * (after - before) for step in range(1, steps + 1)] + ([before] if steps else [])


def _middle(values: NDArray[np.float64]) -> float:
    """The median of at least one value. numpy's own would import its masked arrays, 1 MB, to look for missing ones."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
