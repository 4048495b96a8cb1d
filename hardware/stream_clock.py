"""From a remote camera's timestamps to this machine's monotonic time."""

from __future__ import annotations

from agent.base.clock import NS

FURTHEST_OFF_NS = NS
"""Further from its arrival than this, a picture's own timestamp is not believed: the stream jumped or began anew."""
CATCH_UP = 512
"""One part in so many of the remaining lag is taken back with each picture: follows a slow clock, smooths the network."""


class StreamClock:
    """Keeps the even spacing of the camera's own timestamps, and stays true to the arrival of its pictures.

    A picture is never dated later than it arrived, nor at or before the one before it.
    """

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        self._last_ns = 0

    def date(self, pts_ns: int | None, arrival_ns: int) -> int:
        """Monotonic nanoseconds of a picture with presentation time `pts_ns` that arrived at `arrival_ns`."""
        at_ns = arrival_ns
        if pts_ns is not None:
            if self._offset_ns is None or abs(arrival_ns - pts_ns - self._offset_ns) > FURTHEST_OFF_NS:
                self._offset_ns = arrival_ns - pts_ns
            lag_ns = arrival_ns - pts_ns - self._offset_ns
            self._offset_ns += lag_ns if lag_ns < 0 else lag_ns // CATCH_UP
            at_ns = pts_ns + self._offset_ns
        self._last_ns = max(at_ns, self._last_ns + 1)
        return self._last_ns
