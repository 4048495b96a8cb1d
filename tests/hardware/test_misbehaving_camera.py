"""The real RTSP driver before a camera that misbehaves: what it says, what it waits for, what it takes."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from agent.base.clock import NS
from agent.picture.sameness import Sameness
from tests.support.camera_viewer import Viewer
from tests.support.deadline import until
from tests.support.manual_clock import ManualClock
from tests.support.misbehaving_camera import Habits, MisbehavingCamera


def test_a_keyframe_is_waited_for_while_packets_arrive(caplog: pytest.LogCaptureFixture) -> None:
    """A viewer that joins in the middle of a GOP of 50 s gets its picture; the log says what is waited for, once."""
    with MisbehavingCamera(Habits(keyframes=False)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()
        for _ in range(10):
            viewer.hears(3)
            viewer.clock.advance(5)
        camera.habits.keyframes = True
        assert viewer.picture() == (320, 240, False)
        viewer.driver.close()
    assert caplog.text.count("I-frame interval") == 1


def test_a_camera_without_keyframes_is_told_so() -> None:
    """After a minute of packets: what is missing and where to set it, and no word of cables."""
    with MisbehavingCamera(Habits(keyframes=False)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()

        def step() -> None:
            viewer.hears(3)
            viewer.clock.advance(5)

        error = viewer.failure(step)
    assert "sends no keyframe" in str(error)
    assert "I-frame interval" in error.remedy
    assert "cable" not in error.remedy


@pytest.mark.parametrize("described", [True, False])
def test_a_camera_that_falls_silent_is_still_given_up_soon(described: bool) -> None:
    """No packet for as long as before: waiting for keyframes has not made a dead line live."""
    with MisbehavingCamera(Habits(stalls_after=40, described=described)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()
        viewer.picture()
        until(lambda: camera.sent >= 40, "it stalls")

        def step() -> None:
            viewer.driver.read(0.1)
            viewer.clock.advance(0.5)

        assert "fallen silent" in str(viewer.failure(step))
        assert viewer.clock.monotonic_ns() < ManualClock().monotonic_ns() + 20e9


def test_stamps_that_stand_still_before_a_late_keyframe_do_not_keep_it_from_opening() -> None:
    """Without parameter sets in the description, without time in the packets: FFmpeg's own look at the stream must end."""
    with MisbehavingCamera(Habits(keyframes=False, described=False, zero_stamps=True)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()
        viewer.hears(3)
        camera.habits.keyframes = True
        viewer.picture()
        viewer.driver.close()


def test_what_was_broken_stays_counted_over_reconnections() -> None:
    """Slices of noise: no picture built on them counts as sound, and calling again makes nothing undone."""
    with MisbehavingCamera(Habits(garbage=1.0)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()
        until(lambda: (viewer.picture()[2], int(viewer.driver.metrics()["broken_packets"]) > 1)[1], "packets break")
        counted = int(viewer.driver.metrics()["broken_packets"])
        viewer.driver.open()
        assert int(viewer.driver.metrics()["broken_packets"]) >= counted
        viewer.driver.close()


def test_a_small_picture_is_told_and_one_of_another_shape_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """320x240 enlarged to 640x480: in figures and log. To 1280x720: it would be stretched, and what to set is said."""
    with MisbehavingCamera(Habits()) as camera:
        viewer = Viewer(camera, width=640, height=480)
        viewer.driver.open()
        for _ in range(5):
            assert viewer.picture()[:2] == (640, 480)
        metrics = viewer.driver.metrics()
        assert (metrics["delivered_width"], metrics["delivered_height"], metrics["delivered_aspect"]) == (320, 240, 1.333)
        assert float(metrics["delivered_fps"]) > 0
        viewer.driver.close()
        assert "delivers 320x240, which is enlarged to 640x480" in caplog.text
        error = Viewer(camera, width=1280, height=720).refusal()
    assert "320x240 (4:3), and 1280x720 (16:9) was asked for" in str(error)
    assert "width = 320 and height = 240" in error.remedy


def test_the_shape_of_the_camera_s_samples_is_honoured() -> None:
    """352x288 of samples that are broader than high is 4:3: taken for 640x480, refused as the 11:9 that its samples would be."""
    with MisbehavingCamera(Habits(width=352, height=288, pixel_aspect=Fraction(12, 11))) as camera:
        viewer = Viewer(camera, width=384, height=288)
        viewer.driver.open()
        assert viewer.picture() == (384, 288, False)
        viewer.driver.close()
        assert "width = 352 and height = 264" in Viewer(camera, width=352, height=288).refusal().remedy


@pytest.mark.parametrize("pace", [0.8, 1.25])
def test_a_camera_whose_seconds_are_not_ours_loses_no_picture(pace: float) -> None:
    """Pictures come in order, at the rate they are sent, and none counts as too many."""
    with MisbehavingCamera(Habits(pace=pace)) as camera:
        viewer = Viewer(camera, fps=25)
        viewer.driver.open()
        for _ in range(20):
            assert not viewer.picture()[2]
        assert viewer.driver.metrics()["thinned"] == 0
        viewer.driver.close()


def test_a_frozen_camera_s_pictures_are_the_same_to_the_last_bit() -> None:
    """Through camera, network and decoder: what tells that it hangs."""
    with MisbehavingCamera(Habits(frozen=True)) as camera:
        viewer, sameness = Viewer(camera), Sameness()
        viewer.driver.open()
        for at_s in range(35):
            sameness.saw(viewer.luma(), at_s * NS)
        assert sameness.frozen
        camera.habits.frozen = False
        seconds = itertools.count(35)

        def films_again() -> bool:
            sameness.saw(viewer.luma(), next(seconds) * NS)
            return not sameness.frozen

        until(films_again, "another picture comes")
        viewer.driver.close()
