"""From a remote camera's timestamps to this machine's monotonic time."""

from __future__ import annotations

from collections import deque
from typing import Final

from agent.base.clock import NS

FURTHEST_OFF_NS: Final = NS
"""Further from its arrival than this, a frame's own timestamp is not believed: the stream jumped or began anew."""
CATCH_UP: Final = 512
"""One part in so many of the remaining lag is taken back with each frame: follows a slow clock, smooths the network."""
_LOOKED_AT: Final = 64
"""The pace is judged by so many of the latest frames,"""
_FEWEST: Final = 12
_SHORTEST_NS: Final = NS
"""of at least so many, over at least so long."""
_SCATTER_NS: Final = NS // 10
"""Arrivals wander about a steady pace by less than this, root mean square."""
_DEAD_BAND: Final = 0.005
"""A pace that differs by less is the network's, or is caught up with."""
_PACES: Final = (1 / 8, 8.0)
_STANDS_STILL: Final = 1 / 8
_STILL_NS: Final = 3 * NS // 10
"""Stamps that get on by less than this part of the time, for so long, tell nothing."""


class StreamClock:
    """Keeps the even spacing of the camera's own timestamps, and stays true to the arrival of its frames.

    A camera whose seconds are longer or shorter than ours is followed at its own steady pace. Timestamps that stand still are
    not believed: such frames are dated by their arrival. A frame is never dated later than it arrived, nor at or before
    the one before it.
    """

    def __init__(self) -> None:
        self._pace = 1.0  # our nanoseconds for one of the camera's
        self._stamp_ns: int | None = None
        self._expected_ns = 0.0  # our time of `_stamp_ns`
        self._seen: deque[tuple[int, int]] = deque(maxlen=_LOOKED_AT)
        self._last_ns = 0

    def date(self, pts_ns: int | None, arrival_ns: int) -> int:
        """Monotonic nanoseconds of a frame with presentation time `pts_ns` that arrived at `arrival_ns`."""
        at_ns = arrival_ns
        if pts_ns is not None:
            if self._seen and pts_ns < self._seen[-1][0]:
                self._seen.clear()
            self._seen.append((pts_ns, arrival_ns))
            if not self._stand_still():
                at_ns = self._follow(pts_ns, arrival_ns)
        self._last_ns = max(at_ns, self._last_ns + 1)
        return self._last_ns

    def _follow(self, pts_ns: int, arrival_ns: int) -> int:
        expected_ns = float(arrival_ns)
        if self._stamp_ns is not None:
            self._adopt_pace()
            expected_ns = self._expected_ns + (pts_ns - self._stamp_ns) * self._pace
        if abs(arrival_ns - expected_ns) > FURTHEST_OFF_NS:
            expected_ns = float(arrival_ns)
            self._seen.clear()
            self._seen.append((pts_ns, arrival_ns))
        lag_ns = arrival_ns - expected_ns
        expected_ns += lag_ns if lag_ns < 0 else lag_ns / CATCH_UP
        self._stamp_ns, self._expected_ns = pts_ns, expected_ns
        return int(expected_ns)

    def _stand_still(self) -> bool:
        first, last = self._seen[0], self._seen[-1]
        long = len(self._seen) > 2 and last[1] - first[1] >= _STILL_NS
        return long and last[0] - first[0] < (last[1] - first[1]) * _STANDS_STILL

    def _adopt_pace(self) -> None:
        """The slope of arrival over timestamp, where it is steady and not the one we follow already."""
        first, last = self._seen[0], self._seen[-1]
        if len(self._seen) < _FEWEST or last[1] - first[1] < _SHORTEST_NS or last[0] == first[0]:
            return
        count = len(self._seen)
        stamps = [pts_ns - first[0] for pts_ns, _ in self._seen]
        arrivals = [arrival_ns - first[1] for _, arrival_ns in self._seen]
        mean_stamp, mean_arrival = sum(stamps) / count, sum(arrivals) / count
        spread = sum((stamp - mean_stamp) ** 2 for stamp in stamps)
        pace = sum((s - mean_stamp) * (a - mean_arrival) for s, a in zip(stamps, arrivals, strict=True)) / spread
        scatter = sum((a - mean_arrival - pace * (s - mean_stamp)) ** 2 for s, a in zip(stamps, arrivals, strict=True)) / count
        # How far the scatter of the arrivals alone may have turned the line.
        doubt = 4 * (scatter / spread) ** 0.5
        steady = scatter < _SCATTER_NS**2 and _PACES[0] < pace < _PACES[1]
        if steady and abs(pace - self._pace) > max(_DEAD_BAND, doubt):
            self._pace = 1.0 if abs(pace - 1.0) <= max(_DEAD_BAND, doubt) else pace
