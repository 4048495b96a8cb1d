"""The drawn town square: deterministic, guardable, with private spaces that can be recognised unless they are masked."""

from __future__ import annotations

import itertools
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import CameraError
from agent.config.model import CameraSettings
from agent.config.polygon import check_polygon
from agent.picture.frame import RawFrame
from agent.picture.planes import Planes
from hardware.camera_synthetic import CLEAR, Disturbance, SyntheticCamera, private_windows
from hardware.frame_number import read_frame_number
from hardware.frame_pool import CAPACITY
from tests.support import decoded
from tests.support.turned_clock import TurnedClock


def settings_of(**more: Any) -> CameraSettings:
    """640x360 at 25 a second, as fast as it goes."""
    return CameraSettings(driver="synthetic", **{"width": 640, "height": 360, "realtime": False, **more})


def opened(clock: TurnedClock, disturbance: Disturbance = CLEAR, **more: Any) -> SyntheticCamera:
    """A camera that is open, disturbed from its first picture on."""
    camera = SyntheticCamera(settings_of(**more), clock, lambda _index: disturbance)
    camera.open()
    return camera


def next_of(camera: SyntheticCamera) -> RawFrame:
    """The next picture, which must come."""
    frame = camera.read(0.1)
    assert frame is not None
    return frame


def copied(planes: Planes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The samples, kept beyond the frame's release."""
    return planes.y.copy(), planes.u.copy(), planes.v.copy()


def inside(polygon: Any, rows: int, columns: int) -> np.ndarray:
    """True where a sample lies in the polygon."""
    shape = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(shape, [np.array([(x * columns, y * rows) for x, y in polygon], np.int32)], 1)
    return shape.astype(bool)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_same_seed_same_samples_and_another_seed_another_square(seed: int) -> None:
    """Two cameras of one seed agree on every sample of every picture; the next seed is another place."""
    first, second, other = (opened(TurnedClock(), seed=s) for s in (seed, seed, seed + 1))
    for _ in range(5):
        frames = [next_of(c) for c in (first, second, other)]
        a, b, c = (copied(f.planes) for f in frames)
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert np.mean(a[0] != c[0]) > 0.5
        for frame in frames:
            frame.release()


def test_opened_again_it_starts_at_the_first_picture(clock: TurnedClock) -> None:
    """Close is idempotent; the second run repeats the first, sample for sample, with buffers used before."""
    camera = opened(clock)
    runs = []
    for _ in range(2):
        run = []
        for _ in range(10):
            frame = next_of(camera)
            run.append((frame.time.index, copied(frame.planes)[0].tobytes()))
            frame.planes.y[:] = 0  # the mask writes in place
            frame.release()
        runs.append(run)
        camera.close()
        camera.close()
        camera.open()
    assert runs[0] == runs[1]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_private_windows_are_valid_masks_with_something_recognisable_inside(seed: int) -> None:
    """Every window passes the configuration's own check, keeps off the others, and shows strong contrast inside."""
    windows = private_windows(seed)
    assert len(windows) >= 5
    assert len({w.name for w in windows}) == len(windows)
    frame = next_of(opened(TurnedClock(), seed=seed))
    union = np.zeros((360, 640), int)
    for window in windows:
        check_polygon(window.polygon)
        area = inside(window.polygon, 360, 640)
        union += area
        assert frame.planes.y[area].std() > 15
    assert 0.03 < (union > 0).mean() < 0.2
    assert (union > 1).mean() < 0.002


@pytest.mark.parametrize("seed", range(4))
def test_view_can_be_told_from_its_surroundings(clock: TurnedClock, seed: int) -> None:
    """A view guard finds its way: in every quarter many patches outside the windows match nowhere else."""
    camera = opened(clock, seed=seed)
    luma = copied(next_of(camera).planes)[0]
    free = np.ones((360, 640), bool)
    for window in private_windows(seed):
        free &= ~inside(window.polygon, 360, 640)
    unique = np.zeros((2, 2), int)
    for top, left in itertools.product(range(16, 328, 32), range(16, 608, 32)):
        if not free[top : top + 32, left : left + 32].all():
            continue
        score = cv2.matchTemplate(luma, luma[top : top + 32, left : left + 32], cv2.TM_CCOEFF_NORMED)
        score[max(0, top - 4) : top + 5, max(0, left - 4) : left + 5] = -1
        unique[top // 180, left // 320] += score.max() < 0.8
    assert unique.min() >= 10
    assert unique.sum() >= 60


def test_frame_number_and_time_agree_with_the_frame(clock: TurnedClock) -> None:
    """The number on the board is the frame's index, and time advances by one period."""
    camera = opened(clock, fps=12.5)
    frames = []
    for _ in range(20):
        frame = next_of(camera)
        assert read_frame_number(frame.planes.y) == frame.time.index
        assert frame.small is None
        frames.append(frame.time)
        frame.release()
    assert {b.monotonic_ns - a.monotonic_ns for a, b in pairwise(frames)} == {NS * 2 // 25}
    assert {t.wall_ns - t.monotonic_ns for t in frames} == {clock.wall_offset_ns}


def test_frame_number_survives_h264(clock: TurnedClock) -> None:
    """Encoded, decoded: a film tells which pictures it holds."""
    camera = opened(clock)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 640, 360, "yuv420p", Fraction(25)
    encoder.options = {"preset": "superfast", "crf": "30", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    seen = []
    for _ in range(12):
        frame = next_of(camera)
        packed = np.concatenate([frame.planes.y.ravel(), frame.planes.u.ravel(), frame.planes.v.ravel()])
        picture = av.VideoFrame.from_ndarray(packed.reshape(540, 640), format="yuv420p")
        frame.release()
        seen += [read_frame_number(decoded.luma(p)) for packet in encoder.encode(picture) for p in decoder.decode(packet)]
    seen += [read_frame_number(decoded.luma(p)) for packet in encoder.encode(None) for p in decoder.decode(packet)]
    seen += [read_frame_number(decoded.luma(p)) for p in decoder.decode(None)]
    assert seen == list(range(12))


def test_something_moves_between_pictures_and_the_rest_stands_still(clock: TurnedClock) -> None:
    """Walkers and vehicles change some of the picture within a second; private windows do not flicker."""
    camera = opened(clock, fps=2.0)
    (first, *_), (second, *_) = copied(next_of(camera).planes), copied(next_of(camera).planes)
    changed = first != second
    assert 0.002 < changed.mean() < 0.2
    for window in private_windows(1):
        assert not changed[inside(window.polygon, 360, 640)].any()


def test_realtime_comes_when_due_and_skips_what_a_slow_reader_misses(clock: TurnedClock) -> None:
    """Pictures wait for their instant; a reader who is away for two seconds finds the present, and the index tells the gap."""
    camera = opened(clock, realtime=True, fps=10.0)
    began_ns = clock.now_ns
    for n in range(5):
        frame = next_of(camera)
        assert (frame.time.index, frame.time.monotonic_ns) == (n, began_ns + n * NS // 10)
        assert clock.now_ns >= frame.time.monotonic_ns
        frame.release()
    assert camera.read(0.01) is None
    clock.now_ns += 2 * NS
    frame = next_of(camera)
    assert frame.time.index == 24
    assert camera.metrics()["skipped"] == 19
    assert frame.time.wall_ns - frame.time.monotonic_ns == clock.wall_offset_ns


def test_pictures_under_way_are_bounded(clock: TurnedClock) -> None:
    """Nothing given back: a few pictures, then none."""
    camera = opened(clock)
    assert sum(camera.read(0) is not None for _ in range(CAPACITY + 4)) == CAPACITY


def test_darkness_glare_and_blur_change_what_they_should(clock: TurnedClock) -> None:
    """Dark is dark, bright is bright, blur takes the fine detail and leaves the mean."""
    clear, dark, bright, blurred = (
        copied(next_of(opened(TurnedClock(), d)).planes)[0].astype(float)
        for d in (CLEAR, Disturbance(gain=0.08), Disturbance(offset=190), Disturbance(blur_px=6))
    )
    assert dark.mean() < 35
    assert bright.mean() > 220
    detail, left = (cv2.Laplacian(luma, cv2.CV_64F).var() for luma in (clear, blurred))
    assert left < detail / 50
    assert abs(clear.mean() - blurred.mean()) < 2


def test_frozen_camera_repeats_one_picture_while_time_goes_on(clock: TurnedClock) -> None:
    """A sensor that hangs: new frames, new times, the same samples; then it goes on."""
    camera = SyntheticCamera(settings_of(), clock, lambda n: Disturbance(frozen=True) if 3 <= n < 8 else CLEAR)
    camera.open()
    numbers = []
    for n in range(10):
        frame = next_of(camera)
        assert frame.time.index == n
        numbers.append(read_frame_number(frame.planes.y))
        frame.release()
    assert numbers == [0, 1, 2, 3, 3, 3, 3, 3, 8, 9]


def test_moved_view_shows_the_scene_where_the_move_puts_it(clock: TurnedClock) -> None:
    """Shifted by a tenth to the right: what was at x is at x - 0.1 of the width, and the new edge is real scenery."""
    clear = copied(next_of(opened(TurnedClock())).planes)[0].astype(int)
    moved = copied(next_of(opened(TurnedClock(), Disturbance(shift=(0.1, 0.0)))).planes)[0].astype(int)
    assert np.abs(moved[:, :-64] - clear[:, 64:]).mean() < 1
    assert moved[:, -64:].std() > 15
    turned = copied(next_of(opened(TurnedClock(), Disturbance(turn_degrees=5, zoom=1.02))).planes)[0].astype(int)
    assert np.abs(turned - clear).mean() > 5


def test_silent_camera_delivers_nothing_and_an_unplugged_one_says_so(clock: TurnedClock) -> None:
    """Signal loss in both its forms; plugged in again the camera opens."""
    silent = opened(clock, Disturbance(silent=True))
    assert [silent.read(0.5) for _ in range(3)] == [None] * 3
    assert clock.waits_s == [0.5] * 3
    plugged = [True, False, False, True]
    camera = SyntheticCamera(settings_of(), clock, lambda _n: Disturbance(unplugged=not plugged[0]))
    camera.open()
    plugged.pop(0)
    with pytest.raises(CameraError, match="unplugged"):
        camera.read(0.1)
    with pytest.raises(CameraError):
        camera.open()
    plugged[:] = [True]
    camera.open()
    assert next_of(camera).time.index == 0
