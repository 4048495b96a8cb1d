"""A film as a camera: whatever FFmpeg reads, paced by the film's own clock or as fast as it goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import av.error

from agent.base.clock import NS, Clock
from agent.base.errors import CameraError
from agent.base.phrase import say
from agent.config.model import CameraSettings
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime
from hardware.decoded_frame import FrameWriter
from hardware.delivered import check_shape
from hardware.film import DecodedFrame, FilmDecoder
from hardware.frame_pool import FramePool
from hardware.rate_limit import RateLimit

FRAMES = 1
"""Under way at once: it is masked and encoded while the decoder works on the next one. Reading waits until it is back."""
LATE_NS = NS
"""Further behind than this, the film's clock is moved: what is missed plays later, nothing is skipped."""


class FileCamera:
    """A film, delivered as planar 4:2:0 of the configured size. One thread calls everything but `metrics`.

    Timing is the film's own, thinned to at most `fps` frames a second; a film slower than `fps` stays as slow as it
    is. With `realtime` frames come when they are due, else at once; media time follows the film either way, and wall
    time follows media time from the moment of opening, so that an hour of film makes an hour of recording.
    `loop` starts over at the end, and time goes on.
    """

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        self._path = Path(settings.source)
        self._settings = settings
        self._clock = clock
        self._pool = FramePool(settings.width, settings.height, FRAMES)
        self._writer = FrameWriter(settings.width, settings.height, settings.rotation)
        self._closed = threading.Event()
        self._film: FilmDecoder | None = None
        self._frames: Iterator[DecodedFrame] = iter(())
        self._due: DecodedFrame | None = None
        self._index = 0
        self._origin_ns = 0
        self._origin_wall_ns = 0
        self._last_ns = 0
        self._loops = 0
        self._late_ns = 0
        self._broken = 0

    def open(self) -> None:
        """Open the film and decode its first frame. CameraError says what is wrong with the file."""
        self.close()
        self._closed.clear()
        self._index = self._loops = self._late_ns = self._broken = 0
        self._film = FilmDecoder(self._path)
        check_shape("film", self._film.size, self._film.pixel_aspect, self._writer.size)
        self._frames = self._play(self._film)
        self._due = next(self._frames)
        # Played faster than life, the frames before this opening may be dated ahead of the clock: never go back.
        now_ns = self._clock.monotonic_ns()
        self._origin_ns = max(now_ns, self._last_ns + self._film.period_ns)
        self._origin_wall_ns = self._clock.wall_ns() + self._origin_ns - now_ns

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame, or None when it is not due (or no buffer has come back) within `timeout_s`."""
        if self._film is None:
            raise CameraError(say("film {path} is not open", path=self._path))
        if self._due is None:
            self._due = next(self._frames, None)
            if self._due is None:
                raise self._film.ended()
        if self._settings.realtime and not self._await(self._origin_ns + self._due.media_ns, timeout_s):
            return None
        lent = self._pool.take(timeout_s)
        if lent is None:
            return None
        shown, self._due = self._due, None
        try:
            self._writer.write(shown.frame, lent.planes)
        except av.error.FFmpegError as error:
            lent.give_back()
            raise self._film.refused(error) from None
        self._index += 1
        return RawFrame(lent.planes, self._time_of(shown), corrupt=shown.corrupt, release=lent.give_back)

    def close(self) -> None:
        """Let go of the film; frames still out keep their buffers."""
        self._closed.set()
        self._due = None
        self._frames = iter(())
        film, self._film = self._film, None
        if film is not None:
            film.close()

    def metrics(self) -> Mapping[str, float | str]:
        """Health: what plays, how often it began anew, what was unreadable, how far it fell behind its own clock."""
        film = self._film
        return {
            "film": self._path.name,
            "film_fps": round(float(film.rate), 3) if film else 0.0,
            "film_loops": self._loops,
            "broken_packets": self._broken,
            "late_s": round(self._late_ns / NS, 3),
        }

    def _play(self, film: FilmDecoder) -> Iterator[DecodedFrame]:
        """Every wanted frame with its media time from the first one on; raises CameraEnded after the last."""
        base_ns, limit = 0, RateLimit(self._settings.fps)
        while True:
            last_ns = base_ns
            for shown in film.frames(base_ns):
                self._broken = film.broken
                last_ns = shown.media_ns
                if limit.wants(shown.media_ns):
                    yield shown
                del shown  # with its frame: the decoder needs the room for the next one
            self._broken = film.broken
            if not self._settings.loop:
                raise film.ended()
            self._loops += 1
            base_ns = last_ns + film.period_ns
            film.rewind()

    def _await(self, due_ns: int, timeout_s: float) -> bool:
        """Wait until `due_ns`; False when `timeout_s` were over first. Behind by too much: move the film's clock."""
        ahead_ns = due_ns - self._clock.monotonic_ns()
        if ahead_ns < -LATE_NS:
            self._late_ns -= ahead_ns
            self._origin_ns -= ahead_ns
            return True
        if ahead_ns > 0:
            self._clock.wait(self._closed, min(ahead_ns / NS, timeout_s))
        return self._clock.monotonic_ns() >= due_ns

    def _time_of(self, shown: DecodedFrame) -> FrameTime:
        monotonic_ns = self._origin_ns + shown.media_ns
        if self._settings.realtime:
            wall_ns = self._clock.wall_ns() - (self._clock.monotonic_ns() - monotonic_ns)
        else:
            wall_ns = self._origin_wall_ns + shown.media_ns
        self._last_ns = monotonic_ns
        return FrameTime(self._index - 1, monotonic_ns, wall_ns)
