"""A camera over a drawn town square: for demonstrations, tests and benchmarks. Knows no other source than its seed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from hardware.frame_pool import FramePool
from hardware.square_painter import private_windows
from hardware.town_square import TownSquare

__all__ = ["CLEAR", "Disturbance", "SyntheticCamera", "private_windows"]

KEPT_UP_FRAMES = 4
"""So many frames late, and a real camera would have thrown some away: so does this one."""


class Disturbance(Struct, frozen=True):
    """What happens to the camera at one frame. For tests and demonstrations; no configuration names it.

    `shift` (fractions of the frame: right, down), `turn_degrees` and `zoom` move the view as a knock does;
    `gain` and `offset` act on luma (dark: 0.1 and 0; bright: 1 and 200); `blur_px` is a Gaussian's sigma;
    `frozen` shows the frame of the instant it began; `silent` delivers nothing; `unplugged` is a CameraError.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    turn_degrees: float = 0.0
    zoom: float = 1.0
    gain: float = 1.0
    offset: float = 0.0
    blur_px: float = 0.0
    frozen: bool = False
    silent: bool = False
    unplugged: bool = False

    @property
    def moved(self) -> bool:
        """The camera does not look where it looked."""
        return self.shift != (0.0, 0.0) or self.turn_degrees != 0.0 or self.zoom != 1.0


CLEAR = Disturbance()


class SyntheticCamera:
    """Draws frame `n` of the square at n / fps seconds: the same seed, size and rate give the same samples.

    One thread calls everything but `metrics`. With `realtime` frames come when due, and those a slow reader misses
    are skipped (the index jumps); else they come at once, and media and wall time advance by 1 / fps each.
    `disturbance` is asked for every index. `rotation` has no effect: the square is always delivered upright.
    """

    def __init__(
        self, settings: CameraSettings, clock: Clock, disturbance: Callable[[int], Disturbance] = lambda _index: CLEAR
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._disturbance = disturbance
        self._pool = FramePool(settings.width, settings.height)
        self._square: TownSquare | None = None
        self._closed = threading.Event()
        self._index = 0
        self._frozen_at: int | None = None
        self._origin_ns = 0
        self._origin_wall_ns = 0
        self._last_ns = 0
        self._skipped = 0

    def open(self) -> None:
        """Start at frame 0; the first time the square is drawn, which takes a good part of a second."""
        self._check_plug(0)
        if self._square is None:
            self._square = TownSquare(self._settings.width, self._settings.height, self._settings.seed)
        self._closed.clear()
        self._index = self._skipped = 0
        self._frozen_at = None
        # Drawn faster than life, the frames before this opening may be dated ahead of the clock: never go back.
        now_ns = self._clock.monotonic_ns()
        self._origin_ns = max(now_ns, self._last_ns + self._media_ns(1))
        self._origin_wall_ns = self._clock.wall_ns() + self._origin_ns - now_ns

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame, or None when it is not due, no buffer has come back, or the camera is silent."""
        if self._square is None:
            raise CameraError(say("the synthetic camera is not open"))
        index = self._index
        if self._settings.realtime:
            found = self._await_due(timeout_s)
            if found is None:
                return None
            index = found
        self._check_plug(index)
        now = self._disturbance(index)
        if now.silent:
            self._index = index + 1
            if not self._settings.realtime:
                self._clock.wait(self._closed, timeout_s)
            return None
        lent = self._pool.take(timeout_s)
        if lent is None:
            return None
        self._skipped += index - self._index
        self._index = index + 1
        self._frozen_at = (index if self._frozen_at is None else self._frozen_at) if now.frozen else None
        shown = index if self._frozen_at is None else self._frozen_at
        self._draw(self._square, shown, now, lent.planes)
        return RawFrame(lent.planes, self._time_of(index), release=lent.give_back)

    def close(self) -> None:
        """Nothing to free; a wait in `read` ends."""
        self._closed.set()

    def metrics(self) -> Mapping[str, float | str]:
        """Health: the seed, and how many frames came too late to be delivered."""
        return {"seed": self._settings.seed, "skipped": self._skipped}

    def _check_plug(self, index: int) -> None:
        if self._disturbance(index).unplugged:
            raise CameraError(say("the synthetic camera is unplugged"), remedy=say("A test did this: let its disturbance end"))

    def _media_ns(self, index: int) -> int:
        return round(index * NS / self._settings.fps)

    def _await_due(self, timeout_s: float) -> int | None:
        """The index of the frame that is due now, or None after `timeout_s`."""
        ahead_ns = self._origin_ns + self._media_ns(self._index) - self._clock.monotonic_ns()
        if ahead_ns > 0:
            self._clock.wait(self._closed, min(ahead_ns / NS, timeout_s))
            return self._index if ahead_ns <= timeout_s * NS else None
        late = int(-ahead_ns * self._settings.fps / NS)
        return self._index + late if late > KEPT_UP_FRAMES else self._index

    def _time_of(self, index: int) -> FrameTime:
        media_ns = self._media_ns(index)
        wall_ns = self._origin_wall_ns + media_ns
        if self._settings.realtime:
            wall_ns = self._clock.wall_ns() - (self._clock.monotonic_ns() - self._origin_ns - media_ns)
        self._last_ns = self._origin_ns + media_ns
        return FrameTime(index, self._last_ns, wall_ns)

    def _draw(self, square: TownSquare, index: int, now: Disturbance, into: Planes) -> None:
        seconds = index / self._settings.fps
        if now.moved:
            _look(square.draw_wide(seconds, index), now, into)
        else:
            square.draw(seconds, index, into)
        if now.blur_px:
            for plane in (into.y, into.u, into.v):
                sigma = now.blur_px if plane is into.y else now.blur_px / 2
                cv2.GaussianBlur(plane, (0, 0), sigma, dst=plane)
        if now.gain != 1.0 or now.offset:
            _expose(into, now)


def _look(wide: Planes, now: Disturbance, into: Planes) -> None:
    """What a camera sees that was knocked: a cut-out of the square and its surroundings, by a similarity transform."""
    for source, target, plane_scale in ((wide.y, into.y, 1.0), (wide.u, into.u, 0.5), (wide.v, into.v, 0.5)):
        rows, columns = target.shape
        middle = (source.shape[1] - 1) / 2, (source.shape[0] - 1) / 2
        matrix = cv2.getRotationMatrix2D(middle, now.turn_degrees, now.zoom)
        matrix[0, 2] += (columns - source.shape[1]) / 2 - now.shift[0] * into.width * plane_scale
        matrix[1, 2] += (rows - source.shape[0]) / 2 - now.shift[1] * into.height * plane_scale
        cv2.warpAffine(source, matrix, (columns, rows), dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _expose(planes: Planes, now: Disturbance) -> None:
    """Another exposure: luma scaled and raised, colour fading with it."""
    levels = np.arange(256, dtype=np.float64)
    luma = np.clip((levels - 16) * now.gain + 16 + now.offset, 16, 235)
    chroma = 128 + (levels - 128) * min(1.0, now.gain)
    for plane, table in ((planes.y, luma), (planes.u, chroma), (planes.v, chroma)):
        _apply(plane, table.round().astype(np.uint8))


def _apply(plane: Plane, table: Plane) -> None:
    cv2.LUT(plane, table, dst=plane)
