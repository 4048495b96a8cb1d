"""A live source behind FFmpeg: read and decoded on a thread of its own, so that whoever waits for it waits a bounded time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import av
import av.container
import av.error
import av.video.stream

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.base.queues import BoundedQueue, Closed
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime
from hardware.decoded_frame import FrameWriter
from hardware.deinterlacer import Deinterlacer
from hardware.delivered import Delivered
from hardware.frame_pool import FramePool
from hardware.rate_limit import RateLimit
from hardware.soundness import Soundness, strict

log = logging.getLogger(__name__)

QUEUED_FRAMES = 2
CLOSE_S = 1.0
"""How long `close` waits for the thread. A thread that hangs in the network ends by itself when its read times out."""


PATIENCE_S = 8.0
"""Packets for so long without a frame: from now on it is said that a keyframe is waited for."""
KEYFRAME_S = 60.0
"""How long a stream that sends packets may go without a frame: cameras that save bits send a keyframe a minute."""


class NoKeyframe(Exception):
    """Packets arrive, and none that a decoder can begin with."""


class Undecodable(Exception):
    """Keyframes arrive, and no frame comes of them."""


class Source(NamedTuple):
    """How a driver opens and dates its frames; everything here runs on the stream's own thread."""

    open: Callable[[], av.container.InputContainer]
    explain: Callable[[BaseException], CameraError]
    date: Callable[[int | None, int], int]
    """(presentation time in ns or None, arrival in ns) -> monotonic ns, increasing."""


class LiveStream:
    """One connection: from `start` to the first failure or `close`. Never used again afterwards.

    The newest frames win: a reader that falls behind finds a jump in the index. `stall_s` without a packet, from the
    start or from the last one, is a failure, whatever hangs below; so are KEYFRAME_S of packets without a frame.
    """

    def __init__(self, name: str, source: Source, pool: FramePool, writer: FrameWriter, fps: float, clock: Clock) -> None:
        self.delivered = Delivered(writer.size)
        self._deinterlacer = Deinterlacer()
        self._source = source
        self._pool = pool
        self._writer = writer
        self._limit = RateLimit(fps)
        self._clock = clock
        self._queue: BoundedQueue[RawFrame] = BoundedQueue(QUEUED_FRAMES, on_drop=RawFrame.release)
        self._closing = threading.Event()
        self._answered = threading.Event()
        self._connected = False
        self._failure: CameraError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._index = 0
        self._frame_ns = self._packet_ns = clock.monotonic_ns()
        self._keyframe_came = False
        self.packets = 0
        self.broken = 0
        self.codec = ""

    @property
    def thinned(self) -> int:
        """Pictures left out since the camera sends more a second than are wanted."""
        return self._limit.thinned

    @property
    def interlaced(self) -> int:
        """Pictures that came interlaced, and were made whole."""
        return self._deinterlacer.frames

    def start(self, wait_s: float) -> None:
        """Connect, on the stream's own thread; wait up to `wait_s` for it. Raises CameraError when that failed by then.

        What fails after the connection is told by `read`, behind the frames that came before.
        """
        self._thread.start()
        self._answered.wait(wait_s)
        if self._failure is not None and not self._connected:
            raise self._failure

    def read(self, timeout_s: float, stall_s: float) -> RawFrame | None:
        """The next frame, None after `timeout_s`. Raises CameraError once the stream failed, or when it is given up."""
        wait_s = min(timeout_s, max(0.0, (self._given_up_ns(stall_s) - self._clock.monotonic_ns()) / NS))
        try:
            frame = self._queue.get(wait_s)
        except Closed:
            raise self._failure or CameraError(say("the stream is closed")) from None
        now_ns = self._clock.monotonic_ns()
        if frame is not None:
            self._frame_ns = now_ns
        elif now_ns >= self._given_up_ns(stall_s):
            raise self._source.explain(self._silence(now_ns, stall_s))
        return frame

    @property
    def waits_for_keyframe(self) -> bool:
        """True while packets arrive and no frame has come of them for longer than a sound stream takes."""
        return self._packet_ns - self._frame_ns > PATIENCE_S * NS

    def _given_up_ns(self, stall_s: float) -> int:
        silent_ns = max(self._frame_ns, self._packet_ns) + round(stall_s * NS)
        return min(silent_ns, self._frame_ns + round(KEYFRAME_S * NS))

    def _silence(self, now_ns: int, stall_s: float) -> Exception:
        if now_ns >= self._packet_ns + round(stall_s * NS):
            return TimeoutError()
        return Undecodable() if self._keyframe_came else NoKeyframe()

    def close(self) -> None:
        """Ask the thread to end and wait a little; what it still delivers goes back to the pool."""
        self._closing.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
        self._drain()

    def _run(self) -> None:
        try:
            container = self._source.open()
            self._connected = True
            self._answered.set()
            try:
                self._deliver(container)
            finally:
                container.close()
            if not self._closing.is_set():
                self._failure = self._source.explain(EOFError())
        except CameraError as error:
            self._failure = error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._failure = self._source.explain(error)
        except Exception as error:  # noqa: BLE001 - the thread's outermost loop; its text may quote the address
            log.error("%s: %s", self._thread.name, type(error).__name__)
            self._failure = self._source.explain(error)
        finally:
            self._answered.set()
            self._queue.close()

    def _deliver(self, container: av.container.InputContainer) -> None:
        stream = next(iter(container.streams.video), None)
        if stream is None or stream.codec_context is None:
            raise self._source.explain(LookupError())
        stream.codec_context.thread_count = 1  # one thread: frame threads would each hold a frame back
        self.codec = stream.codec_context.name
        strict(stream.codec_context)
        soundness = Soundness(stream.codec_context)
        for packet in container.demux(stream):
            if self._closing.is_set():
                return
            arrival_ns = self._clock.monotonic_ns()
            if packet.size:
                self._packet_ns = arrival_ns
                self.packets += 1
                self._keyframe_came |= packet.is_keyframe
            soundness.packet(packet)
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                soundness.failed()
                self.broken += 1
                self._index += 1
                continue
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                for judged, verdict in soundness.judged(frame):
                    for due, sound in self._deinterlacer.feed(judged, verdict):
                        self._hand_over(due, arrival_ns, stream.codec_context.sample_aspect_ratio, corrupt=not sound)

    def _hand_over(self, frame: av.VideoFrame, arrival_ns: int, pixel_aspect: Fraction | None, *, corrupt: bool) -> None:
        pts_ns = None
        if frame.pts is not None and frame.time_base is not None:
            pts_ns = frame.pts * frame.time_base.numerator * NS // frame.time_base.denominator
        monotonic_ns = self._source.date(pts_ns, arrival_ns)
        self.delivered.saw(frame, pixel_aspect, monotonic_ns)
        if not self._limit.wants(monotonic_ns):
            return
        index, self._index = self._index, self._index + 1
        lent = self._pool.take(0)
        if lent is None:
            return
        try:
            self._writer.write(frame, lent.planes)
        except BaseException:
            lent.give_back()
            raise
        wall_ns = self._clock.wall_ns() - (self._clock.monotonic_ns() - monotonic_ns)
        time = FrameTime(index, monotonic_ns, wall_ns)
        self._queue.put(RawFrame(lent.planes, time, corrupt=corrupt, release=lent.give_back))

    def _drain(self) -> None:
        try:
            while (frame := self._queue.get(0)) is not None:
                frame.release()
        except Closed:
            pass
