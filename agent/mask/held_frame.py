"""The last masked frame, which may stand still for a moment while the next ones are in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from agent.base.clock import NS, Clock
from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.mask.colour import SOLID_YUV
from agent.picture.letters import Letters
from agent.picture.planes import FrameTime, Plane, Planes

if TYPE_CHECKING:
    from agent.mask.privacy_mask import MaskedFrame

MOST_HELD_NS: Final = NS // 5
"""No frame read later than this after the one that stands is replaced by it, nor any that comes later by this machine's own
clock: a camera's stamps may slow down, stand still or step back, and what comes late may be stamped as if it had not."""
BLACK, WHITE = 16, 235
NEUTRAL = SOLID_YUV[1]
FROM_TOP = 0.125
"""Of the height: below a caption at the top, and never far enough down for one at the bottom."""
_SMALLEST = 8


def mark_rows(height: int) -> slice:
    """Where the mark lies on a frame of that height; even numbers."""
    top = round(height * FROM_TOP) // 2 * 2
    return slice(top, top + (max(_SMALLEST, round(height * 0.04)) + 1) // 2 * 2)


class HeldFrame:
    """A copy of the last MaskedFrame, and nothing else can be put into it. One thread (the pipeline's).

    What lies in it was shown already, with the masks that were proved for it; it never takes samples of a RawFrame.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._planes: Planes | None = None
        self._small: Plane = np.empty((0, 0), np.uint8)
        self._taken_ns: int | None = None
        self._kept_ns = 0
        self._mark: Letters | None = None
        self.digest = ""
        self.hidden: Plane = self._small

    def keep(self, frame: MaskedFrame) -> None:
        """Copy what was masked and is about to be shown."""
        if frame.opaque or frame.held:
            raise MaskError(say("only a new masked frame can be kept"))
        self._taken_ns = None  # until all of it is copied
        self._kept_ns = self._clock.monotonic_ns()
        planes = self._planes
        if planes is None or planes.y.shape != frame.planes.y.shape:
            self._planes = planes = Planes.empty(frame.planes.width, frame.planes.height)
        for ours, theirs in zip((planes.y, planes.u, planes.v), (frame.planes.y, frame.planes.u, frame.planes.v), strict=True):
            np.copyto(ours, theirs)
        if self._small.shape != frame.small.shape:
            self._small = np.empty_like(frame.small)
        np.copyto(self._small, frame.small)
        self.digest, self.hidden = frame.mask_digest, frame.hidden
        self._taken_ns = frame.time.monotonic_ns

    def forget(self) -> None:
        """It may not stand any longer: a closed frame was shown since."""
        self._taken_ns = None

    def put(self, planes: Planes, small: Plane, time: FrameTime) -> bool:
        """Write the frame, marked, over a frame of this time; False, and nothing written, when it may not stand there."""
        ours = self._planes
        if ours is None or self._taken_ns is None or ours.y.shape != planes.y.shape or self._small.shape != small.shape:
            return False
        by_stamps_ns, by_clock_ns = time.monotonic_ns - self._taken_ns, self._clock.monotonic_ns() - self._kept_ns
        age_ns = max(by_stamps_ns, by_clock_ns)
        if by_stamps_ns <= 0 or age_ns > MOST_HELD_NS:
            return False
        for target, source in zip((planes.y, planes.u, planes.v, small), (ours.y, ours.u, ours.v, self._small), strict=True):
            np.copyto(target, source)
        self._write_mark(planes, f" HELD {age_ns / NS:.2f} s ")
        return True

    def _write_mark(self, planes: Planes, words: str) -> None:
        """On a field of its own at the left edge, over masks too: it is opaque, so it can uncover nothing."""
        rows = mark_rows(planes.height)
        top, bottom, height = rows.start, rows.stop, rows.stop - rows.start
        if self._mark is None or self._mark.height != height:
            self._mark = Letters(round(height * 0.62), height, BLACK, WHITE)
        right = (len(words) * self._mark.width + 1) // 2 * 2
        planes.y[top:bottom, :right] = BLACK
        planes.u[top // 2 : bottom // 2, : right // 2] = NEUTRAL
        planes.v[top // 2 : bottom // 2, : right // 2] = NEUTRAL
        self._mark.write(planes.y, words, 0, top)
