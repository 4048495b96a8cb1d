"""Where the view lay on the frames before: what may still be seen of it there carries masks as well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.view.pose import Corner, Pose, WorkingSize, apart

DISTINCT_PX = 1.5
JUMP_PX = 3.0
"""A pose further than this from the one before is a jump and no sway."""
AFTERGLOW_FRAMES = 50
"""A pose left by a jump keeps its masks this long: a camera that calms its noise over time lets the old frame fade under
the new one, and a long exposure does the same. It costs nothing but a larger cover for two seconds."""
_LATEST = 2
_MOST_LEFT = 6
_MOST_IMAGES = 4
_SWEEP_PX = 8.0
_SWEEP_MOST = 4


class Trail:
    """One thread calls `passed` once for every frame, proved or not."""

    def __init__(self, frame: WorkingSize) -> None:
        self._frame = frame
        self._latest: list[Pose] = []
        self._left: list[tuple[Pose, int]] = []
        self._images: list[tuple[Pose, int]] = []
        self._swept: list[Pose] = []
        self.jump_px = 0.0
        """From the last frame shown to the last one proved."""

    def passed(self, pose: Pose | None, shown: Pose) -> None:
        """One more frame, proved at `pose` or at none; the last one shown was at `shown`."""
        self._left = [(left, frames - 1) for left, frames in self._left if frames > 1]
        self._images = [(image, frames - 1) for image, frames in self._images if frames > 1]
        self._swept = []
        if pose is None:
            return
        self.jump_px = jump_px = self._frame.shift_px(pose, shown)
        if jump_px > JUMP_PX:
            self._leave(shown)
        if self._latest and self._latest[0] is not shown and self._frame.shift_px(pose, self._latest[0]) > JUMP_PX:
            self._leave(self._latest[0])
        self._swept = between(shown, pose, jump_px)
        self._latest = [pose, *self._latest][: _LATEST + 1]

    def still_seen(self, pose: Pose) -> None:
        """Something of the view is still at this pose: its time begins anew."""
        self._left = [(left, AFTERGLOW_FRAMES if left is pose else frames) for left, frames in self._left]

    def image_at(self, pose: Pose) -> None:
        """A second image was made out there, more or less: what is left of it, too faint to be made out, keeps masks as long."""
        others = [(image, frames) for image, frames in self._images if self._frame.shift_px(image, pose) > DISTINCT_PX]
        self._images = [(pose, AFTERGLOW_FRAMES), *others][:_MOST_IMAGES]

    def proved(self, poses: Sequence[Pose]) -> list[Pose]:
        """Those of these poses at which more than an image was made out."""
        return [pose for pose in poses if not any(pose is image for image, _ in self._images)]

    def poses(self, latest: Pose) -> list[Pose]:
        """The present pose first, then those of the frames before, those passed on the way, left by a jump, and of images."""
        left = [pose for pose, _ in [*self._left, *self._images]]
        return distinct(self._frame, [latest, *self._latest[1:], *self._swept, *left])

    def _leave(self, pose: Pose) -> None:
        kept = [(left, frames) for left, frames in self._left if self._frame.shift_px(left, pose) > DISTINCT_PX]
        self._left = [(pose, AFTERGLOW_FRAMES), *kept][:_MOST_LEFT]


def between(before: Pose, after: Pose, jump_px: float) -> list[Pose]:
    """Where the view was on its way: what a movement smears over one frame lies there."""
    steps = min(_SWEEP_MOST, int(jump_px / _SWEEP_PX) + 1) if jump_px > DISTINCT_PX else 0
    return [before + (step / (steps + 1)) * (after - before) for step in range(1, steps + 1)] + ([before] if steps else [])


def displaced(frame: WorkingSize, poses: Sequence[Pose], here: Pose) -> list[tuple[float, float]]:
    """How far, across and down, from the middle of the frame at one pose it lies at each of the others."""
    middle = np.append(frame.centre, 1.0)
    at = here @ middle
    out = []
    for pose in poses:
        there = pose @ middle
        across, down = (there[:2] / there[2] - at[:2] / at[2]).tolist()
        out.append((across, down))
    return out


def distinct(frame: WorkingSize, poses: Sequence[Pose]) -> list[Pose]:
    """The poses without those that say the same as an earlier one."""
    if len(poses) == 1:
        return list(poses)
    kept: list[Pose] = []
    outlines: list[list[Corner]] = []
    for pose in poses:
        outline = frame.corners_at(pose)
        if all(apart(outline, other) > DISTINCT_PX**2 for other in outlines):
            kept.append(pose)
            outlines.append(outline)
    return kept
