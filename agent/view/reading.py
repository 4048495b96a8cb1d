"""What a frame says of what was expected of it, at the pose that was proved and at the others that deserve masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.expectation import Expectation, voice
from agent.view.finder import SURE_KEPT
from agent.view.patches import Patches
from agent.view.pose import HOME, Pose, WorkingSize
from agent.view.proof import Proof, vouchers
from agent.view.trail import DISTINCT_PX, Trail, distinct

_RIVAL_PATCHES = 3
_RIVAL_CELLS = 2
_MOST_RIVALS = 3
_STILL_SEEN = 2


class PoseReading(Struct, frozen=True, eq=False):
    """One picture's. `settled`: poses that carry masks anyhow, the proved one first; `rivals`: those vouched for besides.
    `standing`: those of both, but the proved one, at which something is seen.

    `heard`: what every patch says for any of them, `in_rows`: the same without poses at which nothing was a frame ago;
    `at_home`: what is at the validated pose while another is proved. `kept`: the share of what is expected that all poses
    explain, `alone`: that the proved one does.
    """

    proof: Proof
    settled: list[Pose]
    rivals: list[Pose]
    standing: list[Pose]
    heard: NDArray[np.float64]
    in_rows: NDArray[np.float64]
    at_home: NDArray[np.bool_]
    kept: float
    alone: float


class PoseReader:
    """One thread. Remembers which poses were vouched for on the frame before."""

    def __init__(self, patches: Patches, frame: WorkingSize, expected: Expectation, trail: Trail) -> None:
        self.patches = patches
        self._frame, self._expected, self._trail = frame, expected, trail
        self._rivals: list[Pose] = []
        self._standing: list[Pose] = []
        self._asked: tuple[Proof, float] | None = None
        self._turn = 0

    def alone(self, proof: Proof) -> float:
        """The share of what is expected that one pose explains."""
        if self._asked is None or self._asked[0] is not proof:
            self._asked = proof, self._expected.kept(voice(proof.likeness), proof.inside)
        return self._asked[1]

    def read(self, picture: Plane, proof: Proof, candidates: Sequence[Pose]) -> PoseReading:
        """Look at every pose that carries masks, at home, at the rivals of before and at the candidates."""
        alone, settled = self.alone(proof), self._trail.poses(proof.pose)
        looked_at = settled[1:]
        if alone >= SURE_KEPT and len(looked_at) > 1:  # what is explained needs no other: see in turn what is still there
            self._turn = (self._turn + 1) % len(looked_at)
            looked_at = [looked_at[self._turn]]
        heard = voice(proof.likeness)
        in_rows, at_home = heard.copy(), np.zeros(len(heard), np.bool_)
        spare = np.flatnonzero(~proof.confirmed)
        enough = len(spare) >= _RIVAL_PATCHES
        rivals: list[Pose] = []
        standing: list[Pose] = []
        others = distinct(self._frame, [*settled, HOME, *self._rivals, *candidates])[len(settled) :] if enough else []
        for pose in [*looked_at, *others] if enough else ():
            right = spare[vouchers(picture, self.patches, pose, spare)]
            if len(right) < _STILL_SEEN:
                continue
            if any(pose is other for other in settled):
                self._trail.still_seen(pose)
            elif len(right) < _RIVAL_PATCHES or len(np.unique(self.patches.cell[right])) < _RIVAL_CELLS:
                continue
            elif len(rivals) == _MOST_RIVALS:
                break
            else:
                rivals.append(pose)
            heard[right] = 1.0
            if any(self._frame.shift_px(pose, stood) <= DISTINCT_PX for stood in self._standing):
                in_rows[right] = 1.0
            if self._frame.shift_px(pose) <= DISTINCT_PX:
                at_home[right] = True
            standing.append(pose)
        self._rivals, self._standing = rivals, standing
        kept = self._expected.kept(heard, proof.inside) if standing else alone
        self._asked = None
        return PoseReading(proof, settled, rivals, standing, heard, in_rows, at_home, kept, alone)

    def lost(self) -> None:
        """The view has not been recognised for a while."""
        self._rivals, self._standing = [], []
