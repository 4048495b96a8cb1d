"""Real sinks on masked film: what x264, the preview and the stills put out, decoded again and looked at."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import pytest

from agent.console.preview import Preview
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import Fill, MaskedFrame, PrivacyMask
from agent.picture.caption import Caption
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.stream.still import jpeg
from hardware.encoder_libav import LibavEncoder
from tests.support import decoded
from tests.support.footage import WINDOWS, drawn_square
from tests.support.journals import Remembered
from tests.support.manual_clock import ManualClock
from tests.support.private_shapes import is_touched

WIDTH, HEIGHT, FRAMES = 256, 192, 10
POLYGONS = (*(np.array(window) for window in WINDOWS), np.array(((0.1, 0.4), (0.3, 0.45), (0.2, 0.55), (0.28, 0.8), (0.08, 0.7))))
GROW = 0.01
CODEC_TOLERANCE = 4
"""Levels by which x264 at crf 18 may move a flat grey sample away from edges."""


def cover(index: int) -> Cover:
    """The masks on a view that sways: four samples to and fro."""
    return Cover(tuple(p + 4 / WIDTH * (index % 2) for p in POLYGONS), GROW, None, "", f"{index}", ViewState.VERIFIED)


def raw(index: int, private_seed: int) -> RawFrame:
    """The drawn square with a walker; what is private is noise of this seed."""
    square = drawn_square(index / FRAMES, WIDTH, HEIGHT)
    planes = Planes.empty(WIDTH, HEIGHT)
    rng = np.random.default_rng(private_seed + index)
    for plane, source in ((planes.y, square.y), (planes.u, square.u), (planes.v, square.v)):
        np.copyto(plane, source)
        private = touched(index, plane.shape)
        plane[private] = rng.integers(150, 230, int(private.sum()), np.uint8)
    return RawFrame(planes, FrameTime(index, 10**9 + index * 40_000_000, 1_795_600_000 * 10**9 + index * 40_000_000))


def touched(index: int, shape: tuple[int, ...], grow: float = GROW) -> np.ndarray:
    """Private samples of a plane of this shape, by brute force."""
    return _touched(index % 2, shape, grow)


@cache
def _touched(index: int, shape: tuple[int, int], grow: float) -> np.ndarray:
    return is_touched(cover(index).polygons, grow, (WIDTH, HEIGHT), *shape)


def masked(mask: PrivacyMask, private_seed: int = 0) -> list[MaskedFrame]:
    """The film through the mask."""
    return [mask.apply(raw(index, private_seed), cover(index)) for index in range(FRAMES)]


def encoded(frames: Sequence[MaskedFrame]) -> bytes:
    """The film through the node's own encoder."""
    encoder = LibavEncoder(WIDTH, HEIGHT, 25.0, crf=18, threads=1)
    units = [unit for frame in frames for unit in encoder.encode(frame)]
    return b"".join(unit.data for unit in [*units, *encoder.flush()])


def test_every_private_sample_of_the_decoded_recording_is_fill() -> None:
    """Solid masks through x264 and back: Y, U and V inside are grey on every picture; beside them the scene is still there."""
    pictures = decoded.annex_b(encoded(masked(PrivacyMask("solid"))))
    assert len(pictures) == FRAMES
    for index, planes in enumerate(pictures):
        for plane, value in zip(planes, SOLID_YUV, strict=True):
            inside = touched(index, plane.shape)
            away_from_edges = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
            assert away_from_edges.any()
            assert np.abs(plane[away_from_edges].astype(int) - value).max() <= CODEC_TOLERANCE
        assert planes[0][~touched(index, planes[0].shape, 0.1)].std() > 20


@pytest.mark.parametrize("fill", ["solid", "mosaic", "blur"])
def test_recordings_and_stills_do_not_depend_on_what_is_private(fill: Fill) -> None:
    """Two films that differ only in what is private give the same bytes: H.264, JPEG, and the detectors' luma."""
    mask = PrivacyMask(fill, Caption("n", "bottom", "UTC"))
    twin = copy.deepcopy(mask)  # the same secret dither
    one, other = masked(mask, 0), masked(twin, 1000)
    assert not any(frame.opaque for frame in one)
    assert encoded(one) == encoded(other)
    assert [jpeg(frame) for frame in one] == [jpeg(frame) for frame in other]
    assert all((a.small == b.small).all() for a, b in zip(one, other, strict=True))


def test_the_preview_does_not_depend_on_what_is_private() -> None:
    """The local page's pictures of two films that differ only in what is private are the same bytes."""

    def previewed(private_seed: int) -> list[bytes]:
        preview, pictures = Preview(ManualClock(), Remembered()), list[bytes]()
        preview.watch("test")
        for frame in masked(PrivacyMask("solid"), private_seed)[::3]:  # ten a second at most
            preview.show(frame)
            shown = preview.next(len(pictures), 0.0)
            assert shown is not None
            pictures.append(shown[1])
        return pictures

    assert previewed(0) == previewed(1000)


def test_that_comparison_can_fail() -> None:
    """A single private sample that escapes changes the recording."""
    one, other = masked(PrivacyMask("solid"), 0), masked(PrivacyMask("solid"), 0)
    other[-1].planes.y[30, 200] ^= 64
    assert encoded(one) != encoded(other)


@pytest.mark.parametrize("fill", ["solid", "mosaic", "blur"])
def test_a_still_shows_no_private_sample(fill: Fill) -> None:
    """The JPEG of a masked picture of wild noise holds nothing wild inside the masks; its colours are those around them."""
    frame = masked(PrivacyMask(fill))[-1]
    picture = decoded.luma_of(jpeg(frame, width=WIDTH))
    inside = cv2.erode(touched(FRAMES - 1, picture.shape).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    fine = picture.astype(np.float32) - cv2.blur(picture.astype(np.float32), (5, 5))
    assert fine[inside].std() < 6.0
    noise = raw(FRAMES - 1, 0).planes.y.astype(np.float32)
    assert (noise - cv2.blur(noise, (5, 5)))[inside].std() > 15.0
