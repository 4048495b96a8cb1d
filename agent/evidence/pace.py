"""Does a film play as it was recorded? A container's times are nobody's word unless a seal covers them; each GOP's are signed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from agent.base.clock import NS
from agent.evidence.findings import VerifiedSlices
from agent.evidence.remark import Remark, Saying

_LONGEST_NS: Final = 30 * NS
"""No GOP is signed so rarely: behind it the clock was stepped, or nothing was recorded for a while."""
_TOLD_NS: Final = NS // 2
_LATEST: Final = 1 << 62


class DisplayTimes:
    """When each frame is shown, by the container. One thread."""

    def __init__(self, timescale: int) -> None:
        self._timescale = timescale
        self._shown = array("q")

    def take(self, picture: int, shown: int) -> None:
        """The next frame, in decoding order; one that was taken already counts once."""
        if picture >= len(self._shown):
            self._shown.extend((max(-_LATEST, min(shown, _LATEST)),) * (picture + 1 - len(self._shown)))

    def remark(self, verified: Sequence[VerifiedSlices]) -> Remark | None:
        """What plays at less than half or more than one and a half times its length; None when all is about as it was signed.

        Frames of meanwhile that are squeezed into an instant are shown by no player, and yet all of them are there.
        """
        odd = [each for each in pairwise(verified) if self._is_odd(*each)]
        signed = sum(later.from_ns - gop.from_ns for gop, later in odd)
        shown = sum(self._lasts(*each) for each in odd)
        if not odd or sum(abs(self._lasts(*each) - (each[1].from_ns - each[0].from_ns)) for each in odd) < _TOLD_NS:
            return None
        first, last = odd[0][0].picture, odd[-1][1].picture - 1
        return Remark(Saying.OTHER_PACE, first=first, last=last, shown=f"{shown / NS:.1f}", signed=f"{signed / NS:.1f}")

    def _is_odd(self, gop: VerifiedSlices, later: VerifiedSlices) -> bool:
        signed = later.from_ns - gop.from_ns
        follows = later.first == gop.last + 1 and later.picture < len(self._shown)
        return follows and 0 < signed <= _LONGEST_NS and abs(self._lasts(gop, later) - signed) * 2 > signed

    def _lasts(self, gop: VerifiedSlices, later: VerifiedSlices) -> int:
        return (self._shown[later.picture] - self._shown[gop.picture]) * NS // self._timescale
