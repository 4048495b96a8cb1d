"""Fewer pictures a second than there are, spread evenly: each has its turn, by the pictures' own times."""

from __future__ import annotations

from agent.base.clock import NS


class Thinning:
    """One thread asks `leaves_out` for each picture in order; `most_fps` may be set by any. 0: none is left out."""

    def __init__(self, most_fps: float = 0.0) -> None:
        self.most_fps = most_fps
        self._next_ns = 0

    def leaves_out(self, taken_ns: int) -> bool:
        """Whether a picture taken then comes before its turn. A camera that paused makes up for nothing."""
        if not self.most_fps:
            return False
        step_ns = round(NS / self.most_fps)
        if taken_ns < self._next_ns <= taken_ns + step_ns:
            return True
        is_late = not 0 <= taken_ns - self._next_ns < step_ns
        self._next_ns = (taken_ns if is_late else self._next_ns) + step_ns
        return False
