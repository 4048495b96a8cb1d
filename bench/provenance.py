"""What a decoded picture shows of an earlier one: slices that were lost, blocks that a starved encoder never sent."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from bench.disturbance import LEAST_GHOST

_NEARER_BY = 13
"""Grey levels by which a place must look more like the earlier picture than like the present one to count as stale."""
_NEIGHBOURHOOD = (7, 7)
_MEASURABLE = 2.0
"""Grey levels, root mean square: of less change nobody can say how much of it has arrived."""


class Provenance:
    """Follows, sample by sample, whether the picture or what was shown before it is seen in a place."""

    def __init__(self) -> None:
        self._shown: Plane | None = None
        self._before: Plane | None = None
        self._private: Plane | None = None
        self._stale: Plane | None = None
        self._decoded: Plane | None = None
        self._sent: Plane | None = None

    def update(self, decoded: Plane, sent: Plane) -> None:
        """A picture as it came out of the decoder, and what had been sent."""
        shown = self._before = self._shown
        self._decoded, self._sent = decoded, sent
        if shown is None:
            self._shown, self._stale = sent, None
            return
        apart = cv2.blur(cv2.absdiff(decoded, sent), _NEIGHBOURHOOD)
        apart_before = cv2.blur(cv2.absdiff(decoded, shown), _NEIGHBOURHOOD)
        stale = np.asarray(cv2.inRange(cv2.subtract(apart, apart_before), _NEARER_BY, 255), np.uint8)
        self._stale = stale if cv2.countNonZero(stale) else None
        self._shown = sent if self._stale is None else np.where(stale, shown, sent)

    def private(self, present: Plane) -> Plane:
        """255 where the picture shows a private space, `present` being where it would had all arrived. Once per update."""
        before, stale = self._private, self._stale
        self._private = present if before is None or stale is None else np.where(stale, before, present)
        if before is not None and self._private is not before:
            late = self._late(np.asarray(cv2.bitwise_and(self._private, cv2.bitwise_not(before)), np.uint8))
            if late is not None and self._shown is not None and self._before is not None:
                self._private = np.where(late, before, self._private)
                self._shown = np.where(late, self._before, self._shown)
        return self._private

    def _late(self, newly: Plane) -> NDArray[np.bool_] | None:
        """Where a space that would be seen from this picture on is not: of the change there less has arrived than of a second
        image shows anybody anything. Each such space as a whole, since a part of it that did arrive can be seen."""
        before, decoded, sent = self._before, self._decoded, self._sent
        if before is None or decoded is None or sent is None or not cv2.countNonZero(newly):
            return None
        was, came, should = (
            np.asarray(cv2.blur(plane, _NEIGHBOURHOOD, borderType=cv2.BORDER_REFLECT_101), np.float32)
            for plane in (before, decoded, sent)
        )
        count, spaces = cv2.connectedComponents(newly)
        late = np.zeros(newly.shape, np.bool_)
        for number in range(1, count):
            space = spaces == number
            change, arrived = (should - was)[space], (came - was)[space]
            power = float(change @ change)
            if power >= _MEASURABLE**2 * len(change) and float(arrived @ change) < LEAST_GHOST * power:
                late |= space
        return late if late.any() else None
