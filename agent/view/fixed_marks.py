"""What is fixed to the camera, found out by its behaviour: the view has moved, and some patches stayed where they were.

A burnt-in clock or a piece of the hood looks the same wherever the camera looks. That shows once the camera was moved: the
scene is proved at another pose, and the marks still lie at home. A decoder that repeats old rows makes the scene look so for
some seconds, hence the patience. Whatever is found here is never counted again until the view is validated anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.view.patches import Patches
from agent.view.pose import HOME, Pose, move
from agent.view.proof import Proof

AWAY_PX = 3.0
"""A patch lies clearly elsewhere than at home when the pose puts it this far from there."""
STAYED_FRAMES = 125
"""Pictures on which a patch stayed while the view was elsewhere, before it is given up: more than any stale rows last."""
MOST_STAYED = 0.5
"""Of the area that moved: more than this staying behind is no mark but a doubt about which of the two is the scene."""
_MOVED_ALONG = 10


class FixedMarks:
    """One thread."""

    def __init__(self, patches: Patches) -> None:
        self._stayed = np.zeros(len(patches), np.intp)

    def saw(self, patches: Patches, proof: Proof, at_home: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """One more frame shown; `at_home`: which patches look right at home. Those to be given up now, if there are any."""
        away = moved_away(patches, proof.pose)
        along, stayed = away & proof.confirmed, away & at_home & ~proof.confirmed
        if float(patches.area[stayed].sum()) > MOST_STAYED * float(patches.area[along].sum()):
            return None
        self._stayed += stayed
        self._stayed[along] = np.maximum(0, self._stayed[along] - _MOVED_ALONG)
        fixed = self._stayed >= STAYED_FRAMES
        return fixed if fixed.any() else None

    def kept(self, keep: NDArray[np.bool_]) -> None:
        """Only these patches are left."""
        self._stayed = self._stayed[keep]

    def restarted(self, patches: Patches) -> None:
        """Other patches from now on: what was counted is worth nothing."""
        self._stayed = np.zeros(len(patches), np.intp)


def moved_away(patches: Patches, pose: Pose) -> NDArray[np.bool_]:
    """Which patches the pose puts clearly elsewhere than at home."""
    apart = move(pose, patches.at) - move(HOME, patches.at)
    return np.asarray(np.einsum("ij,ij->i", apart, apart) > AWAY_PX**2, np.bool_)


def where(patches: Patches, those: NDArray[np.bool_], width: int, height: int) -> str:
    """The place of these patches, for a technician: `across 2-31 %, down 3-8 %`."""
    (left, top), (right, bottom) = patches.at[those].min(axis=0), patches.at[those].max(axis=0)
    across, down = (100 * left / width, 100 * right / width), (100 * top / height, 100 * bottom / height)
    return f"across {across[0]:.0f}-{across[1]:.0f} %, down {down[0]:.0f}-{down[1]:.0f} %"
