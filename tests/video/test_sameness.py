"""A camera that hangs is told from one that films a scene where nothing happens."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.analytics.frozen_picture import FrozenPictureDetector
from agent.base.clock import NS
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.cover import Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.picture.sameness import Sameness
from agent.ports.event import Event, Priority

FPS = 5


def wall(changed: int | None = None) -> Plane:
    """A grey wall; one sample of it differs by one level."""
    luma = np.full((48, 64), 100, np.uint8)
    if changed is not None:
        luma.reshape(-1)[changed] += 1
    return luma


def watch(sameness: Sameness, lumas: list[Plane], began: int = 0) -> list[bool]:
    """Whether it counts as frozen after each picture."""
    found = []
    for number, luma in enumerate(lumas, began):
        sameness.saw(luma, number * NS // FPS)
        found.append(sameness.frozen)
    return found


def test_the_same_picture_for_thirty_seconds_is_a_camera_that_hangs() -> None:
    """Not at 29 s, at 30 s; and no more with the first other picture looked at."""
    sameness = Sameness()
    found = watch(sameness, [wall()] * (31 * FPS))
    assert found.index(True) == 30 * FPS
    assert not any(watch(sameness, [wall(7)] * FPS, 31 * FPS + FPS)[-1:])


@settings(max_examples=30)
@given(sample=st.integers(0, 48 * 64 - 1), every_s=st.integers(2, 29))
def test_one_sample_of_noise_by_one_level_is_a_living_camera(sample: int, every_s: int) -> None:
    """Wherever it is, and however rarely: every keyframe of a quiet night is enough."""
    lumas = [wall(sample if (number // FPS) % every_s == 0 else None) for number in range(90 * FPS)]
    assert not any(watch(Sameness(), lumas))


def test_a_padded_picture_is_looked_at_like_any_other() -> None:
    """Rows of a board's camera are longer than the picture; what lies behind them is nothing."""
    sameness, padded = Sameness(), np.zeros((48, 96), np.uint8)
    for number in range(40):
        padded[:, 64:] = number
        sameness.saw(padded[:, :64], number * NS)
    assert sameness.frozen


def test_pictures_far_apart_prove_nothing() -> None:
    """The same before and after a line that was down for a minute."""
    sameness = Sameness()
    for at_s in (0, 1, 2, 3, 4, 64, 65):
        sameness.saw(wall(), at_s * NS)
    assert not sameness.frozen


def test_the_centre_hears_of_it_once_and_of_its_end() -> None:
    """An alarm when it hangs, though the mask closes the picture all the while; taken back when it films again."""
    sameness, events = Sameness(), list[Event]()
    detector = FrozenPictureDetector("n1", sameness)
    for number in range(50):
        time = FrameTime(number, number * NS, number * NS)
        sameness.saw(wall(number if number > 40 else None), time.monotonic_ns)
        events += detector.observe(PrivacyMask().apply(RawFrame(Planes.empty(64, 48), time), Cover.closed("no masks")))
    assert [(event.data["State"], event.priority) for event in events] == [
        (state, Priority.ALARM) for state in (False, True, False)
    ]
    assert {event.topic for event in events} == {"VideoSource/vigie:PictureFrozen"}
