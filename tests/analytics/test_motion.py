"""Motion: a walker raises it, light, noise, masks and closed pictures do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.analytics.motion import MotionDetector
from agent.config.model import Ignore, Motion
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.planes import Plane
from agent.ports.event import Event, PropertyOperation
from tests.support.footage import WINDOWS, town_square

if TYPE_CHECKING:
    from tests.analytics.conftest import Stage


def changes(detector: MotionDetector, stage: Stage, lumas: Iterable[Plane | None], noise: float = 0.0) -> list[bool]:
    """The states the alarm changed to while these scenes were shown, 10 a second."""
    events: list[Event] = []
    for luma in lumas:
        events += detector.observe(stage.frame(luma, noise=noise))
    return [bool(e.data["State"]) for e in events if e.operation is PropertyOperation.CHANGED]


def settled(stage: Stage, noise: float = 0.0, **settings: Any) -> MotionDetector:
    """A detector that has seen the empty square for three seconds."""
    detector = MotionDetector("camera", Motion(**{"hold_seconds": 1.0, **settings}))
    assert changes(detector, stage, [None] * 30, noise) == []
    return detector


def walk(stage: Stage, steps: int = 10) -> list[Plane]:
    """Somebody crosses the square."""
    return [stage.with_walker(100 + 30 * step) for step in range(steps)]


def test_the_property_is_announced_with_the_first_frame(stage: Stage) -> None:
    """A hub knows the state from the start, by ONVIF's names."""
    (event,) = MotionDetector("camera", Motion()).observe(stage.frame())
    assert event.topic == "VideoSource/MotionAlarm"
    assert event.operation is PropertyOperation.INITIALIZED
    assert event.source == {"Source": "camera"}
    assert event.data == {"State": False}


def test_a_walker_raises_it_and_it_ends_after_the_hold(stage: Stage) -> None:
    """One beginning, one end, the end a hold time after the last movement."""
    detector = settled(stage)
    assert changes(detector, stage, walk(stage)) == [True]
    assert changes(detector, stage, [None] * 9) == []
    assert changes(detector, stage, [None] * 30) == [False]


def test_noise_alone_is_no_motion(stage: Stage) -> None:
    """A night camera's noise raises the threshold, not the alarm."""
    detector = settled(stage, noise=12.0, sensitivity=0.9)
    assert changes(detector, stage, [None] * 50, noise=12.0) == []


@pytest.mark.parametrize("gain", [0.3, 0.6, 1.3])
def test_light_that_comes_or_goes_is_no_motion(stage: Stage, gain: float) -> None:
    """A lamp, a cloud: the whole scene changes its level and stays the same scene."""
    detector = settled(stage)
    other = np.clip(stage.square * gain, 16, 235).astype(np.uint8)
    assert changes(detector, stage, [other] * 20 + [None] * 20) == []


def lit(luma: Plane, gain: float = 1.0, gamma: float = 1.0) -> Plane:
    """The same scene in another light; what is too bright clips, as a sensor does."""
    return np.clip(16 + 219 * (np.clip((luma - 16.0) / 219, 0, 1) * gain) ** gamma, 16, 235).astype(np.uint8)


@pytest.mark.parametrize(("gain", "gamma"), [(1.3, 1.0), (1.6, 1.0), (2.0, 1.0), (0.5, 1.0), (1.0, 1.4), (1.0, 0.7)])
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("sky", [0.0, 0.65])
def test_lamps_and_exposure_are_no_motion(stage: Stage, gain: float, gamma: float, steps: int, sky: float) -> None:
    """To and fro, at once or over half a second, also below a bright sky that clips: the same scene in another light."""
    scene = stage.square.copy()
    top = scene[: round(sky * len(scene))]
    top[...] = 205 + top // 6
    detector = settled_on(stage, scene, noise=1.0)
    ways = [(1 + (gain - 1) * n / steps, 1 + (gamma - 1) * n / steps) for n in range(1, steps + 1)]
    there = [lit(scene, *way) for way in ways]
    assert changes(detector, stage, [*there, *[there[-1]] * 30, *reversed(there[:-1]), *[scene] * 40], noise=1.0) == []


def test_the_shadow_of_a_cloud_is_no_motion(stage: Stage) -> None:
    """A soft edge, half the light behind it, across the square in ten seconds."""
    detector = settled(stage)
    columns = np.arange(stage.square.shape[1])
    shadows = [1 - 0.5 / (1 + np.exp(-(8 * n - 100 - columns) / 25.0)) for n in range(120)]
    assert changes(detector, stage, [(stage.square * s).astype(np.uint8) for s in shadows], noise=1.0) == []


@pytest.mark.parametrize("coat", [16, 40, 210, 235])
@pytest.mark.parametrize(("gain", "noise"), [(1.0, 1.0), (0.15, 3.0), (1.6, 1.0)])
def test_a_walker_is_seen_in_any_light(stage: Stage, coat: int, gain: float, noise: float) -> None:
    """By day, by night with its noise, in glare; in a dark coat or a white one."""
    scene = lit(stage.square, gain)
    level = lit(np.full((1, 1), coat, np.uint8), gain)[0, 0]
    detector = settled_on(stage, scene, noise)
    walker = []
    for step in range(12):
        luma = scene.copy()
        luma[140:230, 100 + 25 * step : 140 + 25 * step] = level
        walker.append(luma)
    assert changes(detector, stage, walker, noise)[:1] == [True]


def settled_on(stage: Stage, scene: Plane, noise: float) -> MotionDetector:
    """A detector that has seen this scene for three seconds."""
    detector = MotionDetector("camera", Motion(hold_seconds=1.0))
    assert changes(detector, stage, [scene] * 30, noise) == []
    return detector


def test_total_darkness_is_no_motion(stage: Stage) -> None:
    """The lamp goes out altogether: too dark is another event."""
    detector = settled(stage)
    assert changes(detector, stage, [np.full_like(stage.square, 17)] * 20) == []


def test_a_lorry_that_fills_most_of_the_picture_is_motion(stage: Stage) -> None:
    """A large change with a structure of its own is not taken for light."""
    detector = settled(stage)
    lorry = stage.square.copy()
    lorry[40:330, 100:600] = np.random.default_rng(2).integers(30, 220, (29, 50), np.uint8).repeat(10, 0).repeat(10, 1)
    assert changes(detector, stage, [lorry] * 5) == [True]


def test_what_moves_under_a_mask_is_not_seen(stage: Stage) -> None:
    """Masked areas hold fill: nothing of them reaches the detector."""
    stage.masked(0.1, 0.3, 0.9, 0.9)
    detector = settled(stage)
    assert changes(detector, stage, walk(stage)) == []


def test_a_mask_that_moves_with_the_view_is_no_motion(stage: Stage) -> None:
    """Cover and uncover of a mask's edge do not count."""
    stage.masked(0.3, 0.3, 0.6, 0.6)
    detector = settled(stage)
    for step in range(20):
        shift = 0.01 * np.sin(step)
        stage.masked(0.3 + shift, 0.3, 0.6 + shift, 0.6)
        assert changes(detector, stage, [None]) == []


def test_ignored_areas_do_not_count(stage: Stage) -> None:
    """A tree, a flag, a screen: what the technician drew is left out."""
    ignore = Ignore(polygon=((0.1, 0.3), (0.9, 0.3), (0.9, 0.9), (0.1, 0.9)))
    detector = settled(stage, ignore=(ignore,))
    assert changes(detector, stage, walk(stage)) == []


def test_the_captions_rows_do_not_count(stage: Stage) -> None:
    """What moves where the caption is written is not in the recording, so it is no alarm either."""
    detector = MotionDetector("camera", Motion(), caption=(0.9, 1.0))
    low = stage.square.copy()
    low[330:360, 100:400] = 20
    assert changes(detector, stage, [None] * 30 + [low] * 5) == []


def test_less_than_the_least_area_does_not_count(stage: Stage) -> None:
    """A bird is smaller than `min_area`."""
    detector = settled(stage, min_area=0.02)
    assert changes(detector, stage, [stage.with_walker(100 + 30 * step, size=10) for step in range(10)]) == []


def test_closed_pictures_raise_nothing_and_the_alarm_ends(stage: Stage) -> None:
    """Closing and opening the picture is no movement; an alarm that was on ends once, after its hold."""
    detector = settled(stage)
    assert changes(detector, stage, walk(stage)) == [True]
    stage.closed()
    assert changes(detector, stage, [None] * 100) == [False]
    stage.clear()
    assert changes(detector, stage, [None] * 30) == []
    assert changes(detector, stage, walk(stage)) == [True]


def test_silence_ends_the_alarm(stage: Stage) -> None:
    """The camera goes away while somebody moves: the alarm does not stay on for ever."""
    detector = settled(stage)
    assert changes(detector, stage, walk(stage)) == [True]
    gone = stage.monotonic_ns
    assert detector.silence(0, gone + 5 * 10**8) == []
    assert [e.data["State"] for e in detector.silence(0, gone + 2 * 10**9)] == [False]


def test_somebody_who_stays_becomes_scenery(stage: Stage) -> None:
    """A parked car does not hold the alarm for the rest of the day."""
    detector = settled(stage)
    assert changes(detector, stage, [stage.with_walker(300)] * 1800) == [True, False]


def test_switched_off_it_says_nothing(stage: Stage) -> None:
    """`enabled = false` means no event at all."""
    assert MotionDetector("camera", Motion(enabled=False)).observe(stage.frame()) == ()


def test_the_town_square_moves() -> None:
    """On the film people cross all the time: motion begins within three seconds and holds."""
    detector, mask = MotionDetector("camera", Motion()), PrivacyMask()
    cover = Cover(tuple(np.array(w) for w in WINDOWS), 0.01, None, "", "windows", ViewState.VERIFIED)
    events = [e for raw in town_square(60) for e in detector.observe(mask.apply(raw, cover))]
    assert [e.data["State"] for e in events] == [False, True]
    assert events[1].wall_ns - events[0].wall_ns <= 3 * 10**9
