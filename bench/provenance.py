"""What a decoded picture shows of an earlier one: slices that were lost, blocks that a starved encoder never sent."""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.planes import Plane

_NEARER_BY = 13
"""Grey levels by which a place must look more like the earlier picture than like the present one to count as stale."""
_NEIGHBOURHOOD = (7, 7)


class Provenance:
    """Follows, sample by sample, whether the picture or what was shown before it is seen in a place."""

    def __init__(self) -> None:
        self._shown: Plane | None = None
        self._private: Plane | None = None
        self._stale: Plane | None = None

    def update(self, decoded: Plane, sent: Plane) -> None:
        """A picture as it came out of the decoder, and what had been sent."""
        shown = self._shown
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
        if before is None or stale is None:
            self._private = present
        else:
            self._private = np.where(stale, before, present)
        return self._private
