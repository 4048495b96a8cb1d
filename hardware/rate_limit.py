"""Thins a stream of frames to a wanted rate by their own times, and never pads it."""

from __future__ import annotations

from agent.base.clock import NS


class RateLimit:
    """Says of every frame whether it is wanted, so that no more than `fps` a second are, on average."""

    def __init__(self, fps: float) -> None:
        self._period_ns = round(NS / fps)
        self._wanted_ns: int | None = None
        self.thinned = 0
        """Pictures that were not wanted."""

    def wants(self, media_ns: int) -> bool:
        """True for a frame to keep; `media_ns` increases from call to call."""
        # An eighth of a period forgives timestamps that a container rounded.
        if self._wanted_ns is not None and media_ns + self._period_ns // 8 < self._wanted_ns:
            self.thinned += 1
            return False
        wanted_ns = media_ns if self._wanted_ns is None else self._wanted_ns
        self._wanted_ns = max(wanted_ns + self._period_ns, media_ns)
        return True
