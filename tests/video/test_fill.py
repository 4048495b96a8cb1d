"""Mosaic and blur: the colours around, steady in time, hanging on the scene, another dither each session."""

from __future__ import annotations

import numpy as np
import pytest

from agent.mask.colour import SOLID_YUV
from agent.mask.fill import Texture
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

WIDTH, HEIGHT = 480, 270
BOX = np.array(((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)))
TEXTURES: tuple[Texture, ...] = ("mosaic", "blur")


def scene(index: int, *, outside: tuple[int, int, int] = (90, 110, 160), inside: int = 220) -> RawFrame:
    """A wall of one colour with a bright window in the middle and a sensor's noise."""
    planes = Planes.empty(WIDTH, HEIGHT)
    rng = np.random.default_rng(index)
    for plane, value in zip((planes.y, planes.u, planes.v), outside, strict=True):
        plane[...] = value + rng.integers(-2, 3, plane.shape)
    planes.y[90:180, 150:330] = inside
    return RawFrame(planes, FrameTime(index, 10**9 + index * 40_000_000, 1))


def cover(shift: tuple[float, float] = (0.0, 0.0)) -> Cover:
    """One mask over the window."""
    return Cover((BOX + np.array(shift) / (WIDTH, HEIGHT),), 0.01, None, "", f"{shift}", ViewState.VERIFIED)


def under(plane: Plane, shift: tuple[int, int] = (0, 0)) -> Plane:
    """What lies on the window, of luma."""
    return plane[90 + shift[1] : 180 + shift[1], 150 + shift[0] : 330 + shift[0]].copy()


@pytest.mark.parametrize("texture", TEXTURES)
def test_the_fill_has_the_colours_of_its_surroundings(texture: Texture) -> None:
    """Grey wall, grey fill; never the bright window it covers."""
    frame = PrivacyMask(texture).apply(scene(0), cover())
    for plane, value in zip((frame.planes.y, frame.planes.u, frame.planes.v), (90, 110, 160), strict=True):
        rows, columns = plane.shape
        covered = plane[rows // 3 : rows * 2 // 3, columns // 3 : columns * 2 // 3].astype(float)
        assert abs(covered.mean() - value) < 6
        assert np.abs(covered - value).max() <= 12


@pytest.mark.parametrize("texture", TEXTURES)
def test_the_fill_is_steady_while_the_scene_is(texture: Texture) -> None:
    """Noise outside does not make the fill flicker: fifty frames, one texture."""
    mask = PrivacyMask(texture)
    seen = {under(mask.apply(scene(index), cover()).planes.y).tobytes() for index in range(50)}
    assert len(seen) == 1


@pytest.mark.parametrize("texture", TEXTURES)
def test_the_fill_follows_the_light(texture: Texture) -> None:
    """When the wall gets brighter for good, so does the fill, within seconds."""
    mask = PrivacyMask(texture)
    for index in range(200):
        frame = mask.apply(scene(index, outside=(90 if index < 50 else 150, 110, 160)), cover())
    assert abs(under(frame.planes.y).mean() - 150) < 8


@pytest.mark.parametrize("texture", TEXTURES)
def test_the_texture_moves_with_the_scene(texture: Texture) -> None:
    """A view shifted by (8, -6) samples shows the very same tiles there: they hang on the scene, not on the sensor."""
    mask = PrivacyMask(texture)
    still = under(mask.apply(scene(0), cover()).planes.y)
    shifted = under(mask.apply(scene(1), cover((8.0, -6.0))).planes.y, (8, -6))
    assert (still == shifted).all()


def test_tiles_are_coarse() -> None:
    """A mosaic has flat tiles of a forty-eighth of the width."""
    luma = under(PrivacyMask("mosaic").apply(scene(0), cover()).planes.y)
    steps = np.nonzero(np.any(np.diff(luma.astype(int), axis=1) != 0, axis=0))[0]
    assert set(np.diff(steps)) <= {10, 20, 30}


def test_the_dither_is_another_one_each_session() -> None:
    """Two sessions over the same scene differ; what one teaches an observer is worth nothing in the next."""
    one, other = (under(PrivacyMask("mosaic").apply(scene(0), cover()).planes.y) for _ in range(2))
    assert (one != other).mean() > 0.5


def test_with_nothing_visible_the_fill_is_grey() -> None:
    """A mask over everything has no surroundings to take colours from."""
    everything = np.array(((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1)))
    frame: MaskedFrame = PrivacyMask("blur").apply(scene(0), Cover((everything,), 0.0, None, "", "all", ViewState.VERIFIED))
    assert np.abs(frame.planes.y.astype(int) - SOLID_YUV[0]).max() <= 10
