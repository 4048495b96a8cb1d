"""Whether a camera still sees: a sensor never gives the same picture twice, bit for bit, and a frozen camera gives no other."""

from __future__ import annotations

import zlib

import numpy as np

from agent.base.clock import NS
from agent.base.phrase import say
from agent.picture.planes import Plane

FROZEN_S = 30.0
"""The same picture for so long. A codec may repeat one for some seconds where nothing moves, until its next keyframe."""
_EVERY_NS = NS
_LEAST_LOOKS = 5
_LONGEST_GAP_NS = 15 * NS
"""Pictures further apart than this say nothing of what was between them."""
FROZEN = say(
    "the camera has sent the same picture, bit for bit, for {seconds:.0f} s or more: it hangs; restart it", seconds=FROZEN_S
)


class Sameness:
    """Looks once a second, on the capture thread; `frozen` and `same_s` may be read on any."""

    def __init__(self) -> None:
        self._sum: int | None = None
        self._since_ns = self._last_ns = 0
        self._looks = 0
        self.frozen = False
        self.same_s = 0.0
        """For how long the same picture has come, up to the latest look."""

    def saw(self, luma: Plane, at_ns: int) -> None:
        """A whole picture of the camera, as it came."""
        if self._sum is not None and 0 <= at_ns - self._last_ns < _EVERY_NS:
            return
        found = zlib.crc32(np.ascontiguousarray(luma).data)
        if found != self._sum or not 0 <= at_ns - self._last_ns <= _LONGEST_GAP_NS:
            self._sum, self._since_ns, self._looks = found, at_ns, 0
        self._looks += 1
        self._last_ns = at_ns
        self.same_s = (at_ns - self._since_ns) / NS
        self.frozen = self.same_s >= FROZEN_S and self._looks >= _LEAST_LOOKS
