"""The view guard: proves on every frame that the camera still looks where its masks were validated."""

from __future__ import annotations

from typing import Protocol

from agent.video.cover import Cover
from agent.video.frame import RawFrame


class Guard(Protocol):
    """What stands between camera and mask. The pipeline thread calls it once per frame, before the mask."""

    def observe(self, frame: RawFrame) -> Cover:
        """Where the masks lie in this very frame. Never raises: what cannot be proved comes back as an opaque cover."""
        ...
