"""A second, fainter image in a picture is found; another light or focus is not taken for one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.local_contrast import normalise, reduce
from agent.view.phase_correlation import overall_shift, shows_twice
from agent.view.pose import HOME
from tests.support.scenery import seen, street

STREET = street()
BEFORE = normalise(reduce(seen(STREET)))


def normalised(luma: NDArray[Any]) -> Plane:
    """As the guard sees it."""
    return normalise(reduce(np.asarray(luma, np.uint8)))


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("off", [(12, 5), (-40, 20), (80, -30)])
def test_a_knock_within_the_exposure_shows(share: float, off: tuple[int, int]) -> None:
    """From a tenth of the light on, near and far."""
    mixed = (1 - share) * seen(STREET, seed=1).astype(float) + share * seen(STREET, *off, seed=1)
    assert shows_twice(BEFORE, normalised(mixed), HOME)


@pytest.mark.parametrize("off", [(6, 0), (5, 4), (0, 7), (-8, 3)])
def test_a_second_image_next_to_the_first_is_a_peak_of_its_own(off: tuple[int, int]) -> None:
    """From three working pixels on: nearer, the masks' margin covers it."""
    mixed = 0.9 * seen(STREET, seed=1).astype(float) + 0.1 * seen(STREET, *off, seed=1)
    assert shows_twice(BEFORE, normalised(mixed), HOME)


def test_a_trace_of_one_counts_less_next_to_home() -> None:
    """As faint as what a lamp that goes out leaves there: said of a copy further off, which no margin covers."""
    for off, found in (((6, 0), False), ((12, 5), True), ((-40, 20), True)):
        trace = 0.975 * seen(STREET, seed=1).astype(float) + 0.025 * seen(STREET, *off, seed=1)
        assert shows_twice(BEFORE, normalised(trace), HOME) == found


@pytest.mark.parametrize(("amplitude_px", "waves", "phase"), [(3, 1, 1.5), (4, 2, 0.0), (4, 0.5, 0.0), (5, 1, 1.5)])
def test_rows_read_a_little_off_are_no_second_image(amplitude_px: float, waves: float, phase: float) -> None:
    """A pole that hums faster than the read-out: rows lie up to two and a half working pixels off, each its own way."""
    picture = seen(STREET, seed=1)
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    off = amplitude_px * np.sin(2 * np.pi * waves * rows / picture.shape[0] + phase)
    hums = cv2.remap(picture, np.asarray(columns - off, np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    assert not shows_twice(BEFORE, normalised(hums), HOME)


def test_other_light_focus_and_noise_show_once() -> None:
    """Gamma, a shade, blur, four times the noise."""
    picture = seen(STREET, seed=2)
    dark = 255 * (picture / 255.0) ** 1.8
    shaded = picture * np.linspace(0.4, 1, picture.shape[1])
    for changed in (picture, dark, shaded, cv2.GaussianBlur(picture, (0, 0), 1.2), seen(STREET, noise=8, seed=3)):
        assert not shows_twice(BEFORE, normalised(changed), HOME)


def test_the_overall_shift_is_found() -> None:
    """Half of what the analysis picture moved, since the working picture is half its size."""
    across, down = overall_shift(BEFORE, normalised(seen(STREET, 70, -34)))
    assert across == pytest.approx(35, abs=2)
    assert down == pytest.approx(-17, abs=2)
