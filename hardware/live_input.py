"""A live source as a camera driver keeps it: one stream at a time, and a new one after each failure."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from agent.base.clock import Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from hardware.decoded_frame import FrameWriter
from hardware.delivered import Delivered
from hardware.frame_pool import FramePool
from hardware.live_stream import KEYFRAME_S, LiveStream, Source

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 8.0
"""Until the first packet of a stream."""
STALL_S = 4.0
"""A source that says nothing for so long is gone: within five seconds the camera is given up, and opened again."""


class LiveInput:
    """Opens, reads and closes; one thread. What is read or counted lives on over all streams: buffers, openings.

    `thread_name` names the streams' threads, `shown_as` the camera in errors.
    """

    def __init__(self, thread_name: str, shown_as: str, settings: CameraSettings, clock: Clock) -> None:
        self._thread_name = thread_name
        self._shown_as = shown_as
        self._fps = settings.fps
        self._clock = clock
        self._pool = FramePool(settings.width, settings.height)
        self._writer = FrameWriter(settings.width, settings.height, settings.rotation)
        self._stream: LiveStream | None = None
        self._waits_for_first = False
        self.openings = 0
        self._thinned_before = self._broken_before = self._packets_before = 0
        self._waiting_told = False
        self._size_told = (0, 0)
        self.failed = False
        """True once a stream could not be opened or broke off."""

    def open(self, source: Source, wait_s: float) -> None:
        """Begin a new stream. CameraError when it is refused within `wait_s`; what fails later is told by `read`."""
        self.close()
        self.openings += 1
        self._waits_for_first = True
        self._stream = LiveStream(self._thread_name, source, self._pool, self._writer, self._fps, self._clock)
        try:
            self._stream.start(wait_s)
        except CameraError:
            self.failed = True
            raise

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame, None after `timeout_s`. CameraError when the stream broke off or has stalled, or is not open."""
        if self._stream is None:
            raise CameraError(say("camera {camera} is not open", camera=self._shown_as))
        try:
            frame = self._stream.read(timeout_s, OPEN_TIMEOUT_S if self._waits_for_first else STALL_S)
        except CameraError:
            self.failed = True
            raise
        if frame is not None:
            self._waits_for_first = False
        self._tell_of_waiting(self._stream)
        self._tell_of_size(self._stream.delivered)
        return frame

    def close(self) -> None:
        """End the stream; idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            self._thinned_before += stream.thinned
            self._broken_before += stream.broken
            self._packets_before += stream.packets

    @property
    def codec(self) -> str:
        """What the running stream is coded in; empty without one."""
        return self._stream.codec if self._stream else ""

    @property
    def broken_packets(self) -> int:
        """Packets that could not be decoded, over all streams."""
        return self._broken_before + (self._stream.broken if self._stream else 0)

    @property
    def packets(self) -> int:
        """Packets that came in, over all streams."""
        return self._packets_before + (self._stream.packets if self._stream else 0)

    @property
    def thinned(self) -> int:
        """Pictures left out, over all streams, since the camera sends more a second than are wanted."""
        return self._thinned_before + (self._stream.thinned if self._stream else 0)

    @property
    def reopened(self) -> int:
        """How often it was opened again."""
        return max(0, self.openings - 1)

    @property
    def delivered(self) -> Mapping[str, float | str]:
        """What the running stream really delivers; empty before its first picture."""
        if self._stream is None:
            return {}
        interlaced = {"deinterlaced": self._stream.interlaced} if self._stream.interlaced else {}
        return {**self._stream.delivered.metrics(), **interlaced}

    def _tell_of_size(self, delivered: Delivered) -> None:
        if delivered.size == self._size_told:
            return
        self._size_told = delivered.size
        if delivered.smaller:
            log.warning(
                "camera %s delivers %dx%d, which is enlarged to %dx%d: choose a larger picture there, or its main stream",
                self._shown_as, *delivered.size, *self._writer.size,
            )  # fmt: skip

    def _tell_of_waiting(self, stream: LiveStream) -> None:
        waits = stream.waits_for_keyframe
        if waits and not self._waiting_told:
            log.warning(
                "camera %s sends packets and no keyframe yet: waiting up to %.0f s; set its I-frame interval to 2 s",
                self._shown_as,
                KEYFRAME_S,
            )
        self._waiting_told = waits
