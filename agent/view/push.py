"""The frames of a technician's push, on their way from whoever reads the camera to whoever compares them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.picture.analysis_luma import analysis_luma
from agent.picture.planes import Plane
from agent.view.nudge import Nudge, NudgeResult

if TYPE_CHECKING:
    from agent.picture.frame import RawFrame
    from agent.ports.video import Camera

PUSH_S = 10.0
REST_S = 2.0
"""After the push the camera is let go, and is seen where it came to rest."""
EVERY_S = 0.2
_PATIENCE_S = 30.0

Tell = Callable[[str], None]


class Push:
    """At most PUSH_S + REST_S of frames, EVERY_S apart by the camera's own time. Unmasked: each goes when it is compared.

    `offer` may come from the pipeline thread, which it costs one small copy; `watched` or `read` is called by the one
    thread that compares, and returns when the push is over.
    """

    def __init__(self, nudge: Nudge, tell: Tell) -> None:
        self._nudge, self._tell = nudge, tell
        self._began_ns: int | None = None
        self._next_ns = 0
        self._now_ns = 0
        self._lumas: deque[Plane] = deque()
        self._news = threading.Event()
        self._said = -1

    def offer(self, frame: RawFrame) -> bool:
        """Keep the frame's luma if it is due and came undamaged; True once the push is over."""
        self._now_ns = now_ns = frame.time.monotonic_ns
        if self._began_ns is None:
            self._began_ns = self._next_ns = now_ns
        if not self.over and not frame.corrupt and now_ns >= self._next_ns:
            self._next_ns = now_ns + round(EVERY_S * NS)
            self._lumas.append(analysis_luma(frame).copy())
        self._news.set()
        return self.over

    @property
    def over(self) -> bool:
        return self._began_ns is not None and self._now_ns - self._began_ns >= (PUSH_S + REST_S) * NS

    def read(self, camera: Camera, clock: Clock) -> NudgeResult:
        """Watch an open camera. Raises CameraError when it stops delivering."""
        self._say()
        until_ns = clock.monotonic_ns() + round((PUSH_S + REST_S + _PATIENCE_S) * NS)
        while not self.over:
            if clock.monotonic_ns() > until_ns:
                raise _silent()
            frame = camera.read(1.0)
            if frame is not None:
                self.offer(frame)
                frame.release()
                self._compare()
        return self._nudge.result()

    def watched(self, clock: Clock) -> NudgeResult:
        """Wait for the frames that another thread offers. Raises CameraError when none come."""
        self._say()
        until_ns = clock.monotonic_ns() + round((PUSH_S + REST_S + _PATIENCE_S) * NS)
        while not self.over:
            self._news.clear()
            self._compare()
            clock.wait(self._news, 1.0)
            if clock.monotonic_ns() > until_ns:
                raise _silent()
        self._compare()
        return self._nudge.result()

    def _compare(self) -> None:
        while self._lumas:
            self._nudge.look(self._lumas.popleft())
            self._say()

    def _say(self) -> None:
        """Once a second of the push."""
        gone_s = (self._now_ns - self._began_ns) / NS if self._began_ns is not None else 0.0
        if int(gone_s) == self._said:
            return
        self._said = int(gone_s)
        what = say("push the camera, {seconds:.0f} s left", seconds=PUSH_S - gone_s) if gone_s < PUSH_S else say("let go of it")
        self._tell(say("{what}: {so_far}", what=what, so_far=self._nudge.progress.words))


def _silent() -> CameraError:
    return CameraError(
        say("the camera stopped delivering pictures during the push"), remedy=say("see `vigie doctor`, and validate again")
    )
