"""The proof, made on one frame alone, that the validated view lies where a pose says it does."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.patches import Patches
from agent.view.pose import Points, Pose, PoseFit, WorkingSize, fit_pose, move

LEAST_LIKENESS = 0.70
MOST_RESIDUAL_PX = 1.2
LEAST_CONFIRMED = 10
LEAST_CELLS = 4
STILL_PX = 1.0
LEAST_CONFIRMED_STILL = 6
LEAST_CELLS_STILL = 3
"""What suffices at the pose of the frame before: a lorry that fills the frame leaves little to see, and moves nothing."""
SIGMAS = 3.0
MOST_UNCERTAINTY = 0.02
"""Of the width: what SIGMAS standard deviations may amount to at any corner of a mask."""
MOST_SHIFT = 0.45
"""Of the width, in the middle: beyond it too little of the validated view is left in the frame."""
LEAST_DEPTH = 0.4
"""Of the middle's, at the corners: no lens that watches a square turns the frame so far over."""
SCALE_RANGE = (0.8, 1.25)

_GUESS_LIKENESS = 0.45
_ROUNDS = 6
_SETTLED_PX = 0.4
_MOST_STRAYS = 0.1
"""Of the confirmed: so few patches that only seemed right hardly pull the fit, which weighs them little anyway."""


class Proof(Struct, frozen=True, eq=False):
    """What one frame says for one pose. `confirmed` and `inside` have a truth for every patch, `off_px` how far it sits off."""

    fit: PoseFit
    confirmed: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    off_px: Points
    residual_px: float
    uncertainty_px: float

    @property
    def pose(self) -> Pose:
        return self.fit.pose

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.confirmed))


def prove(
    picture: Plane,
    patches: Patches,
    frame: WorkingSize,
    corners: Points,
    start: Pose,
    known: Pose | None = None,
    *,
    least_alike: int = 0,
) -> Proof | None:
    """Settle the pose from a start within about two pixels and confirm it, or None when this frame does not bear it out.

    A patch confirms when it lies within MOST_RESIDUAL_PX of where the *fitted* pose puts it and looks like its template
    there. `corners` are those of every mask, in the reference: where the pose must be known. `known` is the last proved
    pose: fewer patches suffice to say that it still holds. With fewer than `least_alike` patches that look at all like
    themselves nothing is fitted.
    """
    pose = start
    for rounds_left in reversed(range(_ROUNDS)):
        look = patches.look(picture, pose)
        inside = patches.inside(pose, frame.width, frame.height)
        near = inside & (look.likeness > _GUESS_LIKENESS)
        if np.count_nonzero(near) < max(LEAST_CONFIRMED_STILL, least_alike):
            return None
        seen = move(pose, patches.at + look.step)
        fit = fit_pose(frame, patches.at[near], seen[near], pose, 1, patches.area[near])
        if frame.shift_px(fit.pose, pose) < _SETTLED_PX or not rounds_left:
            break  # a pose that has not settled shows in the residuals below
        pose = fit.pose
        if not _plausible(frame, pose):
            return None
    off = seen - move(fit.pose, patches.at)
    residuals_px = np.sqrt(np.einsum("ij,ij->i", off, off))
    confirmed = inside & (look.likeness > LEAST_LIKENESS) & (residuals_px < MOST_RESIDUAL_PX)
    still = known is not None and frame.shift_px(fit.pose, known) < STILL_PX
    if np.count_nonzero(confirmed) < (LEAST_CONFIRMED_STILL if still else LEAST_CONFIRMED):
        return None
    if len(set(patches.cell[confirmed].tolist())) < (LEAST_CELLS_STILL if still else LEAST_CELLS):
        return None
    final = fit
    if np.count_nonzero(near & ~confirmed) > _MOST_STRAYS * np.count_nonzero(confirmed):
        final = fit_pose(frame, patches.at[confirmed], seen[confirmed], fit.pose, 1, patches.area[confirmed])
    uncertainty_px = _worst_sigma_px(final, corners)
    if SIGMAS * uncertainty_px > MOST_UNCERTAINTY * frame.width or not _plausible(frame, final.pose):
        return None
    residual_px = float(np.sqrt((residuals_px[confirmed] ** 2).mean()))
    return Proof(final, confirmed, inside, look.likeness, off, residual_px, uncertainty_px)


def vouchers(picture: Plane, patches: Patches, pose: Pose, which: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which of these patches look right at exactly this pose, fitted or not."""
    return np.asarray(patches.look(picture, pose, which).likeness > LEAST_LIKENESS, np.bool_)


def _worst_sigma_px(fit: PoseFit, corners: Points) -> float:
    """The uncertainty at the mask corners that lie in the frame or a tenth of it outside."""
    size = np.array([fit.frame.width, fit.frame.height])
    there = move(fit.pose, corners)
    near = ((there > -0.1 * size - 0.5) & (there < 1.1 * size - 0.5)).all(axis=1)
    if not near.all():
        corners = corners[near]
    return float(fit.sigma_px(corners).max()) if len(corners) else 0.0


def _plausible(frame: WorkingSize, pose: Pose) -> bool:
    """Whether a camera that was knocked could see this: measured in the middle of the frame, where no perspective reaches.

    In plain numbers: it is asked every round, and arrays of four would take longer.
    """
    (a, b, c), (d, e, f), (g, h, i) = pose.tolist()
    right, bottom = frame.width - 0.5, frame.height - 0.5
    if i + min(-0.5 * g, right * g) + min(-0.5 * h, bottom * h) < LEAST_DEPTH:
        return False
    x, y = (frame.width - 1) / 2, (frame.height - 1) / 2
    depth, depth_across, depth_down = (g * u + h * v + i for u, v in ((x, y), (x + 1, y), (x, y + 1)))
    there_x, there_y = (a * x + b * y + c) / depth, (d * x + e * y + f) / depth
    across = ((a * (x + 1) + b * y + c) / depth_across - there_x, (d * (x + 1) + e * y + f) / depth_across - there_y)
    down = ((a * x + b * (y + 1) + c) / depth_down - there_x, (d * x + e * (y + 1) + f) / depth_down - there_y)
    scale = math.sqrt(abs(across[0] * down[1] - across[1] * down[0]))
    return SCALE_RANGE[0] < scale < SCALE_RANGE[1] and math.hypot(there_x - x, there_y - y) <= MOST_SHIFT * frame.width
