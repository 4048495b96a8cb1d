"""Of which deployment a frame is, by when it was captured."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

_KEPT: Final = 64


class DeploymentTrail:
    """One thread tells, any thread asks. Times are of the monotonic clock, as a frame's own are."""

    def __init__(self) -> None:
        self._marks: tuple[tuple[int, str], ...] = ()

    def saw(self, deployment: str, at_ns: int) -> None:
        """What is captured from then on is of it."""
        if not self._marks or self._marks[-1][1] != deployment:
            self._marks = (*self._marks, (at_ns, deployment))[-_KEPT:]

    def at(self, captured_ns: int) -> str:
        """The id; empty before the first."""
        marks = self._marks
        found = bisect_right(marks, captured_ns, key=lambda mark: mark[0])
        return marks[found - 1][1] if found else ""
