"""A camera whose pictures arrive damaged: a validation ends in words, and learns from none of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from agent.base.clock import NS
from agent.base.errors import CameraError
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.view.commissioning import PATIENCE_S, PICTURES, ViewSample
from agent.view.nudge import Nudge
from agent.view.push import Push
from agent.view.reference import working_frame
from tests.support.scenery import DOOR, HEIGHT, WIDTH, frame, seen, street
from tests.support.turned_clock import TurnedClock

STREET = street()
FPS = 25


class Damaging:
    """25 pictures a second of the street by the clock's time; one of `sound_every` comes undamaged, 0 for none."""

    def __init__(self, clock: TurnedClock, sound_every: int) -> None:
        self._clock, self._sound_every = clock, sound_every
        self.read_pictures = 0

    def read(self, timeout_s: float) -> RawFrame:
        """The next picture, at once."""
        self._clock.now_ns += NS // FPS
        self.read_pictures += 1
        sound = self._sound_every > 0 and self.read_pictures % self._sound_every == 0
        if sound:
            picture = frame(seen(STREET, seed=self.read_pictures), 0)
            planes = picture.planes
        else:
            grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
            planes = Planes(np.full((HEIGHT, WIDTH), 255, np.uint8), grey, grey)
        now_ns = self._clock.now_ns
        return RawFrame(planes, FrameTime(self.read_pictures, now_ns, now_ns), corrupt=not sound)

    def open(self) -> None:
        """It delivers already."""

    def close(self) -> None:
        """Nothing is held."""

    def metrics(self) -> Mapping[str, float | str]:
        """None."""
        return {}


def test_a_camera_of_damaged_pictures_alone_is_given_up_in_words() -> None:
    """After the patience that a camera is given, by its name for it; not an hour later."""
    clock, said = TurnedClock(), list[str]()
    camera = Damaging(clock, 0)
    with pytest.raises(CameraError, match="damaged"):
        ViewSample().watch(camera, clock, said.append)
    assert camera.read_pictures <= PATIENCE_S * FPS + 1
    assert "damaged" in said[-1]


def test_the_sound_pictures_among_damaged_ones_suffice() -> None:
    """Every fiftieth: none of the damaged ones, all white, is in the sample."""
    clock = TurnedClock()
    sample = ViewSample().watch(Damaging(clock, 50), clock)
    assert len(sample.lumas) == PICTURES
    assert all(luma.min() < 200 for luma in sample.lumas)


def test_a_push_looks_at_no_damaged_picture() -> None:
    """It ends in time, and says what was wrong instead of what it never saw."""
    clock = TurnedClock()
    nudge = Nudge(seen(STREET), [np.asarray(DOOR)], working_frame(WIDTH, HEIGHT))
    result = Push(nudge, lambda _: None).read(Damaging(clock, 0), clock)
    assert result.progress.pictures == 0
    assert "undamaged" in result.fault
    assert not result.areas
