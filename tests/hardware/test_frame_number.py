"""The machine-readable frame number survives what a picture goes through."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardware.frame_number import read_frame_number, write_frame_number


@given(
    number=st.integers(0, (1 << 24) - 1),
    width=st.integers(320, 1920),
    height=st.integers(180, 1080),
    gain=st.floats(0.15, 1.0),
    noise=st.floats(0, 6),
)
def test_number_is_read_back_after_scaling_noise_and_exposure(
    number: int, width: int, height: int, gain: float, noise: float
) -> None:
    """Written at one size, scaled to the analysis size, darkened and noisy: it is still the same number."""
    random = np.random.default_rng(number)
    luma = np.full((height, width), 90, np.uint8)
    write_frame_number(luma, number)
    small = cv2.resize(luma, (640, 360), interpolation=cv2.INTER_AREA)
    seen = np.clip(small * gain + random.normal(0, noise, small.shape), 0, 255).astype(np.uint8)
    assert read_frame_number(seen) == number


@given(st.integers(0, 1 << 30))
def test_what_is_no_number_is_not_taken_for_one(seed: int) -> None:
    """Grey, noise and an image without blocks give None, save one noise in thousands."""
    assert read_frame_number(np.full((360, 640), seed % 256, np.uint8)) is None
    blocks = np.random.default_rng(seed).integers(0, 2, (9, 16), np.uint8) * 200
    noise = cv2.resize(blocks, (640, 360), interpolation=cv2.INTER_NEAREST)
    assert read_frame_number(np.asarray(noise, np.uint8)) is None
