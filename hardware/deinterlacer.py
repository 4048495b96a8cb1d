"""Interlaced frames made whole: two fields of two instants, laid line by line, tear whatever moves between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

import av
import av.error
from av.filter import Graph

_FILTER = "bwdif", "mode=send_frame:parity=auto:deint=interlaced"
"""FFmpeg's; it looks at the fields before and behind, so each frame comes out with the next one."""
_REACH = 3
_CLOCK = Fraction(1, 90_000)


class Deinterlacer:
    """Of one stream; one thread. Until the first interlaced frame everything passes as it is, and costs nothing."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._made_for: tuple[int, int, str] | None = None
        self._sound: deque[bool] = deque(maxlen=_REACH)
        self.frames = 0
        """Frames that came interlaced."""

    def feed(self, frame: av.VideoFrame, sound: bool) -> Sequence[tuple[av.VideoFrame, bool]]:
        """What is due now; sound only when all it was made of is. FFmpegError when the filter refuses its format."""
        self.frames += frame.interlaced_frame
        if self._graph is None and not frame.interlaced_frame:
            return ((frame, sound),)
        graph = self._graph_for(frame)
        self._sound.append(sound)
        frame.time_base = frame.time_base or _CLOCK
        graph.push(frame)
        due = []
        while (made := _pulled(graph)) is not None:
            due.append((made, all(self._sound)))
        return due

    def _graph_for(self, frame: av.VideoFrame) -> Graph:
        made_for = frame.width, frame.height, frame.format.name
        if self._graph is None or made_for != self._made_for:
            graph = Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or _CLOCK
            )
            whole, sink = graph.add(*_FILTER), graph.add("buffersink")
            source.link_to(whole)
            whole.link_to(sink)
            graph.configure()
            self._graph, self._made_for = graph, made_for
            self._sound.clear()
        return self._graph


def _pulled(graph: Graph) -> av.VideoFrame | None:
    try:
        found = graph.pull()
    except (av.error.BlockingIOError, av.error.EOFError):
        return None
    assert isinstance(found, av.VideoFrame)
    return found
