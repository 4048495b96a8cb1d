"""The thread behind a live source, with a film in the place of the network: order, bounds, failures, leaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import av
import av.container
import pytest

from agent.base.clock import SystemClock
from agent.base.errors import CameraError
from hardware.decoded_frame import FrameWriter
from hardware.frame_pool import CAPACITY, FramePool
from hardware.live_stream import LiveStream, Source
from tests.support.films import make_film


def stream_of(opener: Callable[[], av.container.InputContainer], pool: FramePool | None = None) -> LiveStream:
    """A stream of 128x96 that has begun."""
    source = Source(
        opener, lambda error: CameraError(type(error).__name__, remedy="none"), lambda pts_ns, arrival_ns: pts_ns or 0
    )
    return LiveStream("test", source, pool or FramePool(128, 96), FrameWriter(128, 96), 120.0, SystemClock())


def test_pictures_then_the_reason_why_there_are_no_more(tmp_path: Path) -> None:
    """A source that ends: its last pictures can still be read, then every read says why, again and again."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", pictures=2)
    stream = stream_of(lambda: av.open(str(path)))
    stream.start(5)
    got = []
    with pytest.raises(CameraError, match="EOFError"):
        while (frame := stream.read(5, 5)) is not None:
            got.append(frame.time.index)
    with pytest.raises(CameraError, match="EOFError"):
        stream.read(0, 5)
    assert got == [0, 1]
    stream.close()


def test_slow_reader_finds_the_newest_and_a_gap_in_the_index(tmp_path: Path) -> None:
    """Nobody reads while 60 pictures arrive: the last ones are there, the index tells how many are not."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", pictures=60)
    stream = stream_of(lambda: av.open(str(path)))
    stream.start(5)
    stream._thread.join(60)
    first, second = stream.read(0, 5), stream.read(0, 5)
    assert first is not None
    assert second is not None
    assert (first.time.index, second.time.index) == (58, 59)


def test_reader_that_returns_nothing_starves_only_itself(tmp_path: Path) -> None:
    """All buffers out: the thread goes on, drops and counts, and no picture in use is written over."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", pictures=60)
    pool = FramePool(128, 96)
    held = [pool.take(0) for _ in range(CAPACITY)]
    before = [lent.planes.y.copy() for lent in held if lent is not None]
    stream = stream_of(lambda: av.open(str(path)), pool)
    stream.start(5)
    stream._thread.join(60)
    assert not stream._thread.is_alive()
    assert all((lent.planes.y == y).all() for lent, y in zip(held, before, strict=True) if lent is not None)


def test_source_that_never_answers_holds_up_nobody() -> None:
    """Opening hangs: `start`, `read` and `close` all return, the stall becomes an error, and a late answer is let go."""
    answer, closed = threading.Event(), threading.Event()

    class Late:
        streams = type("S", (), {"video": ()})()

        def close(self) -> None:
            closed.set()

    def opener() -> av.container.InputContainer:
        answer.wait(60)
        return Late()  # type: ignore[return-value]

    stream = stream_of(opener)
    stream.start(0.01)
    assert stream.read(0.01, 60) is None
    with pytest.raises(CameraError, match="TimeoutError"):
        stream.read(0.01, 0)
    stream.close()
    answer.set()
    assert closed.wait(60)
    stream._thread.join(60)


def test_any_failure_of_the_thread_reaches_the_reader() -> None:
    """An error nobody foresaw: told as a CameraError, without its text, which may quote an address."""

    def opener() -> av.container.InputContainer:
        raise RuntimeError("rtsp://user:secret@host")

    with pytest.raises(CameraError, match=r"^RuntimeError"):
        stream_of(opener).start(5)
