"""What goes wrong with a camera on a pole: stalls, dead event threads, cables, drivers that hang."""

from __future__ import annotations

import threading
import time

import pytest

from agent.base.clock import SystemClock
from agent.base.component import ComponentState
from agent.base.errors import CameraError, DriverHangs
from agent.stream.capture import Capture
from hardware import camera_picamera2
from hardware.camera_picamera2 import BARREN_OPENINGS, MOST_LENT, PicameraCamera
from tests.lanes.picamera2.inside.fakes import VirtualPicamera2
from tests.lanes.picamera2.inside.scene import DEADLINE_S, camera, descriptors, next_frame


def until_failure(source: PicameraCamera) -> CameraError:
    """Read on until the camera gives up, within a deadline."""
    until = time.monotonic() + DEADLINE_S
    with pytest.raises(CameraError) as caught:
        while time.monotonic() < until:
            frame = source.read(0.5)
            if frame is not None:
                frame.release()
    return caught.value


def test_stall_is_bounded_and_cured_by_opening_again() -> None:
    """Pictures stop: reads return empty-handed in time, then the stall is an error; close and open bring pictures again."""
    source = camera(640, 360)
    source.open()
    next_frame(source).release()
    VirtualPicamera2.frozen = True
    began = time.monotonic()
    assert "stopped delivering" in str(until_failure(source))
    assert time.monotonic() - began < DEADLINE_S
    source.close()
    VirtualPicamera2.frozen = False
    source.open()
    for _ in range(5):
        next_frame(source).release()
    source.close()
    assert source.metrics()["reopened"] == 1


def test_exception_in_a_callback_is_survived() -> None:
    """A callback that raises kills picamera2's event thread in silence: noticed as a stall, cured by opening again."""
    source = camera(640, 360)
    source.open()
    next_frame(source).release()

    def broken(_request: object) -> None:
        raise RuntimeError("a callback failed")

    hook, threading.excepthook = threading.excepthook, lambda _args: None
    try:
        source._picam2.pre_callback = broken
        until_failure(source)
    finally:
        threading.excepthook = hook
    source.close()
    source.open()
    next_frame(source).release()
    source.close()


def test_unplugged_camera_is_told_and_taken_up_again() -> None:
    """The cable comes off while running: an error, refusals while it is off, pictures once it is back."""
    source = camera(640, 360)
    source.open()
    next_frame(source).release()
    VirtualPicamera2.unplugged = True
    until_failure(source)
    source.close()
    for _ in range(BARREN_OPENINGS + 2):
        with pytest.raises(CameraError, match="none found"):
            source.open()
        source.close()
    VirtualPicamera2.unplugged = False
    source.open()
    next_frame(source).release()
    source.close()


def test_close_returns_when_the_driver_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close that blocks for ever is left behind; opening again asks for a new process."""
    let_go = threading.Event()
    real_close = VirtualPicamera2.close

    def hanging_close(self: VirtualPicamera2) -> None:
        let_go.wait(60)
        real_close(self)

    ends: list[str] = []
    source = camera(640, 360, last_resort=lambda: ends.append("hard exit"))
    source.open()
    next_frame(source).release()
    monkeypatch.setattr(VirtualPicamera2, "close", hanging_close)
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 5
    with pytest.raises(DriverHangs) as caught:
        source.open()
    assert caught.value.final
    assert ends == ["hard exit"]
    let_go.set()
    monkeypatch.undo()
    assert source._calls.hanging is not None
    source._calls.hanging.join(10)
    source.open()  # it came to its senses after all
    next_frame(source).release()
    source.close()


def test_camera_that_opens_too_late_does_not_block_the_next_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening takes longer than it may: an error in time; once it is through after all, the camera can be opened."""
    let_go = threading.Event()
    real_start = VirtualPicamera2.start

    def slow_start(self: VirtualPicamera2) -> None:
        let_go.wait(60)
        real_start(self)

    monkeypatch.setattr(camera_picamera2, "OPEN_S", 0.5)
    monkeypatch.setattr(VirtualPicamera2, "start", slow_start)
    source = camera(640, 360)
    with pytest.raises(CameraError, match="did not open"):
        source.open()
    source.close()
    monkeypatch.undo()
    let_go.set()
    source.open()
    next_frame(source).release()
    source.close()


def test_pictures_that_are_kept_do_not_starve_the_camera_for_ever() -> None:
    """Nothing given back: a few pictures, then none and no false alarm; given back, pictures come again."""
    source = camera(640, 360)
    source.open()
    held = [next_frame(source) for _ in range(MOST_LENT)]
    until = time.monotonic() + 3.5
    while time.monotonic() < until:
        assert source.read(0.5) is None
    for frame in held:
        frame.release()
    for _ in range(10):
        next_frame(source).release()
    source.close()


def test_picture_kept_beyond_close_harms_nothing() -> None:
    """A view that outlives the camera still reads its own memory, and no descriptor stays behind for it."""
    source = camera(640, 360)
    for _ in range(2):
        source.open()
        next_frame(source).release()
        source.close()
    before = descriptors()
    source.open()
    frame = next_frame(source)
    source.close()
    assert frame.planes.y.mean() > 0
    frame.release()
    del frame
    assert descriptors() <= before


def test_capture_thread_recovers_by_itself_and_gives_up_when_only_a_restart_helps() -> None:
    """As the daemon runs it: a stall is cured without anyone's hand; a camera that stays barren ends the component for good."""
    source = camera(640, 360)
    capture = Capture(source, SystemClock())
    capture.retry_s = capture.retry_most_s = 0.1
    capture.start()

    def taken(count: int) -> None:
        until = time.monotonic() + DEADLINE_S
        while count:
            assert time.monotonic() < until, capture.fault
            frame = capture.take(0.5)
            if frame is not None:
                frame.release()
                count -= 1

    taken(5)
    VirtualPicamera2.frozen = True
    until = time.monotonic() + DEADLINE_S
    while "stopped delivering" not in capture.fault:
        assert time.monotonic() < until
        time.sleep(0.05)
    VirtualPicamera2.frozen = False
    taken(5)
    assert capture.opened == 2
    VirtualPicamera2.frozen = True
    assert capture.join(3 * DEADLINE_S)
    assert capture.state is ComponentState.FAILED
