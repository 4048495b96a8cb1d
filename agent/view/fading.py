"""Whether a second, fainter image of the view lies in a frame: one that fades in or out, or a movement within the exposure.

When all that is known of a view grows paler together there is a reason for it: light, focus, fog, or another frame under it.
A lorry takes its part and leaves the rest as it was. So the whole is measured by its middle, against what it was of late, and
while it is paler the frame is compared with the last one that was not: that one holds nothing of the second image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.finder import middle
from agent.view.phase_correlation import CLEAREST_BY_CHANCE, SecondImage, find_second_image
from agent.view.pose import Pose, inverse
from agent.view.proof import LEAST_LIKENESS, Proof

_PALER, _FAINTLY_PALER = 0.004, 0.001
"""From the second on a second image is looked for, which has then to be as clear as none is by chance."""
_PALER_SIGMAS = 6.0
_PART = 0.25
"""Of what confirmed: so many that grow paler, each by more than it flickers, are a reason to look too: rows or blocks of an older
frame, which a receiver shows on, stand still while the rest fades."""
_PALER_OF_LATE = 0.02
_OF_LATE = 0.1
"""How far what a view was like of late follows each frame: ten frames, as long as noise reduction keeps what it keeps."""
_OF_LATE_IN_DOUBT = 0.025
"""The same on frames that are not shown: what has become paler for good is believed after a second and a half."""
_UNTOUCHED = 0.92
_CLEAREST_IN_DOUBT = 10.0
"""What suffices of a second image where more than a light or a focus takes is gone besides: stale blocks show none of it."""
_CLEAREST_FAR, _CLEAREST_FADING = 9.5, 8.0
"""The same far from the first image, and where besides the view has become paler over some frames."""
_CLEAREST_AGAIN = 6.5
"""The same in a place where it was already seen on the frame before: chance finds another place every time."""
_FAR_PX = 8.0
"""Nearer to the first image its own edges, out of focus or read out a little off, are as clear as this."""
_SAME_PX = 2.5
_MOVES_PX = 5.0
"""How far an image that was found moves from one frame to the next."""

Places = Sequence[tuple[float, float]]


class _Shown(Struct, frozen=True, eq=False):
    """A frame that was shown, the pose it was proved at, how alike every patch was, and where else something was seen."""

    picture: Plane
    pose: Pose
    likeness: NDArray[np.float64]
    besides: Places


class Fading:
    """One thread. Knows what every patch was like of late, and keeps the last frame on which nothing faded."""

    def __init__(self, patches: int) -> None:
        self._likeness = np.zeros(patches)
        self._of_late: NDArray[np.float64] | None = None
        self._flicker = 0.0
        self._flickers = np.zeros(patches)
        self._single: _Shown | None = None
        self._last: _Shown | None = None
        self._seen: SecondImage | None = None
        self._found = False

    def doubled(
        self,
        picture: Plane,
        proof: Proof,
        sure: NDArray[np.bool_],
        kept: float,
        masked: Callable[[], Places],
        *,
        anew: bool = False,
    ) -> bool:
        """Whether the frame shows the view twice. `sure`: the patches that confirmed on the last frame shown.

        `masked` gives the displacements from the proved pose at which an image would be no news, since masks lie there
        anyway; most frames do not ask. `anew`: what the view was like of late is being given up, and tells of no fade.
        """
        before, self._likeness = self._likeness, proof.likeness
        sure = sure & proof.inside
        if self._of_late is None or self._single is None or not sure.any():
            return False
        at_once = middle((before - proof.likeness)[sure])
        of_late = self._of_late
        lately = proof.inside & (of_late > LEAST_LIKENESS)
        paler = middle((of_late - proof.likeness)[lately]) if lately.any() else 0.0
        least = max(_PALER, _PALER_SIGMAS * self._flicker)
        fading = paler >= _PALER_OF_LATE and not anew
        found = False
        # Once there were two images, the last frame without is what counts, whichever of them is the stronger by now.
        falls = at_once >= least or (self._found and middle((self._single.likeness - proof.likeness)[sure]) >= least)
        faintly = (self._found or kept > _UNTOUCHED) and (
            at_once >= max(_FAINTLY_PALER, _PALER_SIGMAS * self._flicker) or self._falls_in_part(proof, sure, before, anew)
        )
        seen: SecondImage | None = None
        if falls or fading or faintly:
            near = math.inf if not falls else CLEAREST_BY_CHANCE if kept > _UNTOUCHED else _CLEAREST_IN_DOUBT
            far, known = _CLEAREST_FADING if fading else _CLEAREST_FAR if falls else CLEAREST_BY_CHANCE, masked()
            here = self._besides(self._single, picture, proof, known)
            if here.clear <= far and self._last is not None and self._last is not self._single:
                here = max(here, self._besides(self._last, picture, proof, known), key=lambda image: image.clear)
            found = here.clear > (far if here.off_px > _FAR_PX else min(near, CLEAREST_BY_CHANCE) if faintly else near)
            found = found or ((falls or fading) and self._again(here))
            seen = here if falls or fading or found else None
        self._found, self._seen = found, seen
        if at_once > 0 and not found:  # what rises is an old image that goes, and no measure of how far likeness falls by chance
            self._flicker = 0.9 * self._flicker + 0.1 * min(at_once, 0.02)
        if not found:
            self._flickers += 0.1 * (np.minimum(np.abs(before - proof.likeness), 0.02) - self._flickers)
        if found:
            self._of_late += _OF_LATE_IN_DOUBT * (proof.likeness - self._of_late)
        return found

    @property
    def image_px(self) -> tuple[float, float]:
        """How far, across and down, the second image lies from the first, where one was found or is looked for again."""
        return (0.0, 0.0) if self._seen is None else (float(self._seen.across_px), float(self._seen.down_px))

    def shown(self, picture: Plane, proof: Proof, besides: Places, *, anew: bool) -> None:
        """The frame is shown, and the view seen `besides` too. `anew`: what it was like before counts no longer."""
        if self._of_late is None or anew:
            self._of_late = proof.likeness.copy()
            self._seen = None
        else:
            self._of_late += _OF_LATE * (proof.likeness - self._of_late)
        self._last = _Shown(picture, proof.pose, proof.likeness, besides)
        if self._seen is None:
            self._single = self._last

    def other_patches(self, patches: int) -> None:
        """So many patches from now on, and none of those before."""
        self._likeness, self._flickers = np.zeros(patches), np.zeros(patches)
        self._of_late = self._single = self._last = None

    def _falls_in_part(self, proof: Proof, sure: NDArray[np.bool_], before: NDArray[np.float64], anew: bool) -> bool:
        """Whether a part of what confirmed is paler than on the frame before, than of late, or than before an image came."""
        each = np.maximum(_FAINTLY_PALER, _PALER_SIGMAS * self._flickers)
        against = [before]
        if self._of_late is not None and not anew:
            against.append(self._of_late)
        if self._single is not None and self._found:
            against.append(self._single.likeness)
        least = _PART * np.count_nonzero(sure)
        return any(np.count_nonzero((was - proof.likeness >= each) & sure) >= least for was in against)

    @staticmethod
    def _besides(before: _Shown, picture: Plane, proof: Proof, known: Places) -> SecondImage:
        """What the frame shows besides one that was shown before.

        Where that one held a second image itself, covered by masks, it lies over this one's only image as far off the other way.
        """
        reflected = [(-across, -down) for across, down in before.besides]
        return find_second_image(before.picture, picture, proof.pose @ inverse(before.pose), [*known, *reflected])

    def _again(self, here: SecondImage) -> bool:
        """Whether the image lies where it was seen on the frame before, and far enough to be none of the first one's edges."""
        before = self._seen
        if before is None or here.clear <= _CLEAREST_AGAIN or before.clear <= _CLEAREST_AGAIN or here.off_px <= _FAR_PX:
            return False
        return here.apart_px(before) <= (_MOVES_PX if self._found else _SAME_PX)
