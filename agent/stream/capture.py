"""The capture thread: pulls frames from the camera into a short queue, and opens a camera that failed again.

Besides cameras, guard and mask this is the only module of the agent that holds raw frames, and it only hands them on.
"""

from __future__ import annotations

import logging
from collections import deque

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import CameraEnded
from agent.base.queues import BoundedQueue, Closed
from agent.picture.frame import RawFrame
from agent.picture.sameness import FROZEN, Sameness
from agent.ports.video import Camera
from agent.stream.shutter import Shutter
from agent.stream.thinning import Thinning

log = logging.getLogger(__name__)

DARK_LOOK_S = 0.25
"""How often a closed camera asks whether it may open."""
READ_TIMEOUT_S = 2.0
"""How long one read waits. A camera that stays silent says so itself, by CameraError, and is opened again."""


class Capture(Component):
    """Owns the camera. `lossless` (a film played as fast as it goes) waits for room; a live camera never waits: the
    newest frames win and `dropped` counts the others. `sameness` sees whether a live camera hangs. While `shutter` is dark the
    camera is closed."""

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        *,
        capacity: int = 4,
        lossless: bool = False,
        sameness: Sameness | None = None,
        shutter: Shutter | None = None,
    ) -> None:
        super().__init__("camera", clock)
        self._camera = camera
        self._lossless = lossless
        self._sameness = sameness
        self._shutter = shutter
        self._frames: BoundedQueue[RawFrame] = BoundedQueue(capacity, on_drop=RawFrame.release)
        self._arrivals_ns: deque[int] = deque(maxlen=128)
        self._missed_before = 0
        self._thinning = Thinning()
        self.captured = 0
        self.spared = 0
        self.corrupt = 0
        self.missed = 0
        self.opened = 0
        self.ended = False
        self.connected = False

    def work(self) -> None:
        """Open, read until told to stop, close; the same again behind each darkness. CameraError leaves and is tried again; the
        end of a film is final."""
        while not self.stopping.is_set() and not self.ended:
            if self.closed:
                self.connected, self.fault = False, ""
                self.progressed()
                self.clock.wait(self.stopping, DARK_LOOK_S)
            else:
                self._run_camera()
        self._frames.close()

    def _run_camera(self) -> None:
        try:
            self._camera.open()
            self.opened += 1
            self._read_on()
        except CameraEnded as end:
            log.info("%s", end)
            self.ended = True
        finally:
            self.connected = False
            self._camera.close()
            if self.ended or self.stopping.is_set():
                self._frames.close()
            if self.closed:
                log.info("the camera is closed: %s", self.closed)

    def take(self, timeout_s: float) -> RawFrame | None:
        """The next frame for the mask, None when none came in time. Raises Closed after the last one."""
        return self._frames.get(timeout_s)

    @property
    def dropped(self) -> int:
        """Frames that were delivered or announced by the camera and did not reach the mask."""
        return self._frames.dropped + self.missed

    def spare(self, most_fps: float) -> None:
        """Hand on no more pictures a second than so many, spread evenly; 0: all of them. The rest is counted. Any thread."""
        self._thinning.most_fps = most_fps

    def fps(self) -> float:
        """Frames per second over the last five seconds."""
        now_ns = self.clock.monotonic_ns()
        recent = [t for t in list(self._arrivals_ns) if now_ns - t < 5 * NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * NS / (recent[-1] - recent[0])

    def last_frame_age_s(self) -> float | None:
        """Seconds since the last frame, None before the first."""
        if not self._arrivals_ns:
            return None
        return (self.clock.monotonic_ns() - self._arrivals_ns[-1]) / NS

    def metrics(self) -> dict[str, float | str]:
        """What the driver says of itself."""
        return dict(self._camera.metrics())

    def _read_on(self) -> None:
        expected: int | None = None
        while not self.stopping.is_set() and not self.closed:
            frame = self._camera.read(READ_TIMEOUT_S)
            if frame is None:
                self.connected = False
                self.progressed()
                continue
            self.connected = True
            self._look_whether_it_hangs(frame)
            if expected is not None and frame.time.index > expected:
                self.missed += frame.time.index - expected
            expected = frame.time.index + 1
            self.captured += 1
            self.corrupt += frame.corrupt
            self._arrivals_ns.append(self.clock.monotonic_ns())
            if not self._lossless and self._thinning.leaves_out(frame.time.monotonic_ns):
                self.spared += 1
                frame.release()
            else:
                self._hand_on(frame)
            self.progressed()

    @property
    def closed(self) -> str:
        """Why the camera is closed on purpose; empty when it is not."""
        return self._shutter.dark() if self._shutter is not None else ""

    @property
    def delivery(self) -> str:
        """In a word: over, closed, silent, frozen (the same frame again and again) or delivering."""
        if self.ended:
            return "over"
        if self.closed:
            return "closed"
        if not self.connected:
            return "silent"
        return "frozen" if self._sameness is not None and self._sameness.frozen else "delivering"

    def _look_whether_it_hangs(self, frame: RawFrame) -> None:
        if self._sameness is None or frame.corrupt:
            self.fault = ""
            return
        hung = self._sameness.frozen
        self._sameness.saw(frame.planes.y, frame.time.monotonic_ns)
        if self._sameness.frozen and not hung:
            log.warning("%s", FROZEN)
        elif hung and not self._sameness.frozen:
            log.info("the camera sends new frames again")
        self.fault = FROZEN if self._sameness.frozen else ""

    def _hand_on(self, frame: RawFrame) -> None:
        if not self._lossless:
            self._frames.put(frame)
            return
        while not self._frames.offer(frame):
            if self.stopping.is_set():
                frame.release()
                return
            self._frames.wait_for_room(0.5)


__all__ = ["Capture", "Closed"]
