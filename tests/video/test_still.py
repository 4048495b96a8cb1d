"""Stills: a masked picture as a JPEG that fits its bound."""

from __future__ import annotations

import numpy as np
import pytest

from agent.base.errors import EncoderError
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.stream.still import jpeg
from tests.support import decoded

HALF = np.array(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))


def noisy(width: int = 1280, height: int = 720) -> MaskedFrame:
    """Noise, the worst there is for JPEG, with the left half masked."""
    rng = np.random.default_rng(1)
    planes = Planes(
        rng.integers(16, 236, (height, width), np.uint8),
        rng.integers(16, 240, ((height + 1) // 2, (width + 1) // 2), np.uint8),
        rng.integers(16, 240, ((height + 1) // 2, (width + 1) // 2), np.uint8),
    )
    return PrivacyMask().apply(RawFrame(planes, FrameTime(0, 1, 1)), Cover((HALF,), 0.0, None, "", "half", ViewState.VERIFIED))


def test_a_still_shows_the_picture_and_its_masks() -> None:
    """Grey where the mask lies, anything but grey beside it, the width as asked."""
    picture = decoded.still(jpeg(noisy(), width=640))
    assert picture.shape == (360, 640, 3)
    assert np.abs(picture[:, :310].astype(int) - 128).max() < 16
    assert picture[:, 340:].std() > 20


@pytest.mark.parametrize("most_bytes", [200_000, 20_000, 3_000])
def test_a_still_never_exceeds_its_bound(most_bytes: int) -> None:
    """Quality gives way first, then size; the aspect stays."""
    still = jpeg(noisy(), most_bytes=most_bytes)
    assert len(still) <= most_bytes
    height, width = decoded.still(still).shape[:2]
    assert abs(width / height - 16 / 9) < 0.15


def test_a_bound_that_nothing_fits_is_refused() -> None:
    """No still is better than one that breaks a promise."""
    with pytest.raises(EncoderError, match="100 bytes"):
        jpeg(noisy(), most_bytes=100)


@pytest.mark.parametrize(
    ("height", "kr", "kb"), [(480, 0.299, 0.114), (720, 0.2126, 0.0722), (1080, 0.2126, 0.0722)], ids=["SD", "720p", "1080p"]
)
@pytest.mark.parametrize("rgb", [(200, 30, 30), (30, 160, 40), (40, 60, 210), (128, 128, 128), (235, 220, 60)])
def test_colours_are_true_in_sd_and_hd(height: int, kr: float, kb: float, rgb: tuple[int, int, int]) -> None:
    """A field of one colour, as a camera of that size codes it (BT.601 below 720 lines, BT.709 from there on), comes back."""
    red, green, blue = (c / 255 for c in rgb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    samples = 16 + 219 * luma, 128 + 112 * (blue - luma) / (1 - kb), 128 + 112 * (red - luma) / (1 - kr)
    planes = Planes.empty(height * 16 // 9 // 2 * 2, height)
    for plane, sample in zip((planes.y, planes.u, planes.v), samples, strict=True):
        plane[...] = round(sample)
    cover = Cover((), 0.0, None, "", "none", ViewState.VERIFIED, clear_by_statement=True)
    picture = decoded.still(jpeg(PrivacyMask().apply(RawFrame(planes, FrameTime(0, 1, 1)), cover), width=320))
    assert np.abs(picture[::-1, :, ::-1].reshape(-1, 3).mean(axis=0) - rgb).max() < 4


@pytest.mark.parametrize(("width", "height"), [(65, 49), (352, 288), (1921, 1081)])
def test_odd_sizes_make_stills_too(width: int, height: int) -> None:
    """Whatever a camera delivers, there is a still of it, never larger than the picture."""
    picture = decoded.still(jpeg(noisy(width, height)))
    assert picture.shape[1] <= width


def test_colours_are_those_of_the_picture() -> None:
    """Red in, red out: planes are neither swapped nor scaled."""
    planes = Planes.empty(640, 360)
    planes.y[...], planes.u[...], planes.v[...] = 81, 90, 240  # red of limited-range BT.601
    frame = PrivacyMask().apply(RawFrame(planes, FrameTime(0, 1, 1)), Cover.none_needed())
    blue, green, red = decoded.still(jpeg(frame))[100, 100]
    assert red > 230
    assert max(blue, green) < 30
