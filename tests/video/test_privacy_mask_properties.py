"""Whatever the polygons, the sizes, the strides and the fill: no private sample comes out, in any plane, at any sink."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.mask import check as mask_check
from agent.mask import layer as mask_layer
from agent.mask import outline as mask_outline
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import Fill, MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from tests.support.careless_rasteriser import CarelessStrokes
from tests.support.private_shapes import Corners, is_touched, shapes

SIZES = ((64, 48), (96, 64), (97, 65), (66, 90))
OVER_COVER = 18.0
"""Luma samples: farther than this from a private shape the picture must be left alone."""
many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@dataclass(frozen=True)
class Scene:
    """Where the private shapes lie in a picture of some size and stride."""

    polygons: tuple[Corners, ...]
    grow: float
    width: int
    height: int
    pad: int
    seed: int
    _touched: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)

    @property
    def cover(self) -> Cover:
        """What the guard would say."""
        return Cover(self.polygons, self.grow, None, "", "some", ViewState.VERIFIED)

    def touched(self, plane: Plane) -> np.ndarray:
        """Samples of this plane that touch a private shape, by brute force."""
        if plane.shape not in self._touched:
            self._touched[plane.shape] = is_touched(self.polygons, self.grow, (self.width, self.height), *plane.shape)
        return self._touched[plane.shape]

    def raw(self, index: int = 0, private_seed: int | None = None, turned: bool = False) -> RawFrame:
        """Random samples, none of them fill; `private_seed` changes the private ones only."""
        rng = np.random.default_rng(self.seed + index)
        half = (self.height + 1) // 2, (self.width + 1) // 2
        planes = Planes(*(_noise(rng, rows, columns, self.pad) for rows, columns in ((self.height, self.width), half, half)))
        if private_seed is not None:
            other = np.random.default_rng(private_seed + index)
            for plane in (planes.y, planes.u, planes.v):
                private = self.touched(plane)
                plane[private] = other.integers(140, 230, int(private.sum()), np.uint8)
        if turned:
            for plane in (planes.y, planes.u, planes.v):
                plane[...] = plane[::-1, ::-1].copy()
        return RawFrame(planes, FrameTime(index, 10**9 + index * 120_000_000, 10**18 + index * 40_000_000))


def _noise(rng: np.random.Generator, rows: int, columns: int, pad: int) -> Plane:
    return rng.integers(130, 236, (rows, columns + pad), np.uint8)[:, :columns]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """One to four private shapes over a small picture."""
    width, height = draw(st.sampled_from(SIZES))
    return Scene(
        tuple(draw(st.lists(shapes(), min_size=1, max_size=4))),
        draw(st.sampled_from((0.0, 0.004, 0.02, 0.08))),
        width,
        height,
        draw(st.sampled_from((0, 1, 31))),
        draw(st.integers(0, 10**6)),
    )


def leaks(scene: Scene, frame: MaskedFrame) -> int:
    """Private samples of Y, U, V and the analysis luma that are not fill; solid fill only. Pictures hold nothing below 130."""
    planes = frame.planes
    found = 0
    for plane, value in (
        (planes.y, SOLID_YUV[0]),
        (planes.u, SOLID_YUV[1]),
        (planes.v, SOLID_YUV[2]),
        (frame.small, SOLID_YUV[0]),
    ):
        found += int((plane[scene.touched(plane)] != value).sum())
    return found


@many
@given(scenes(), st.booleans())
def test_no_private_sample_survives_a_solid_mask(scene: Scene, turned: bool) -> None:
    """First frame (compiled) and a cover seen anew (drawn straight): every touched sample of every plane is fill."""
    mask = PrivacyMask("solid")
    for cover_again in (scene, Scene(tuple(p + 1e-4 for p in scene.polygons), scene.grow, *_rest(scene))):
        frame = mask.apply(cover_again.raw(turned=turned), cover_again.cover)
        assert not frame.opaque, frame.reason
        assert leaks(cover_again, frame) == 0


def _rest(scene: Scene) -> tuple[int, int, int, int]:
    return scene.width, scene.height, scene.pad, scene.seed


@many
@given(scenes(), st.sampled_from(("solid", "mosaic", "blur")))
def test_what_is_not_private_is_left_alone(scene: Scene, fill: Fill) -> None:
    """A mask covers more than it must only within a few samples; the town gets the picture it paid for."""
    raw = scene.raw()
    before = [plane.copy() for plane in (raw.planes.y, raw.planes.u, raw.planes.v)]
    frame = PrivacyMask(fill).apply(raw, scene.cover)
    wide = Scene(scene.polygons, scene.grow + OVER_COVER / scene.width, *_rest(scene))
    for plane, was in zip((frame.planes.y, frame.planes.u, frame.planes.v), before, strict=True):
        far = ~wide.touched(plane)[1:-1, 1:-1]  # OpenCV draws what lies beyond the border onto it: one sample, now and then
        assert (plane[1:-1, 1:-1][far] == was[1:-1, 1:-1][far]).all()


@many
@given(scenes(), st.sampled_from(("solid", "mosaic", "blur")))
def test_nothing_that_comes_out_depends_on_a_private_sample(scene: Scene, fill: Fill) -> None:
    """Two films that differ only in what is private become the very same masked film, frame by frame, plane by plane."""
    check_that_twins_stay_twins(scene, fill)


def check_that_twins_stay_twins(scene: Scene, fill: Fill) -> None:
    """The same for one scene: AssertionError when what is private shows."""
    mask = PrivacyMask(fill)
    twin = copy.deepcopy(mask)  # the same secret dither
    for index in range(5):
        sway = tuple(p + 0.004 * np.sin(index) for p in scene.polygons)
        here = Scene(sway, scene.grow, *_rest(scene))
        one, other = mask.apply(here.raw(index), here.cover), twin.apply(here.raw(index, private_seed=7), here.cover)
        assert not one.opaque, one.reason
        for a, b in zip(_all_planes(one), _all_planes(other), strict=True):
            assert (a == b).all()


def _all_planes(frame: MaskedFrame) -> tuple[Plane, ...]:
    return frame.planes.y, frame.planes.u, frame.planes.v, frame.small


@many
@given(scenes(), st.sampled_from(("mosaic", "blur")))
def test_every_private_sample_is_painted_by_a_texture(scene: Scene, fill: Fill) -> None:
    """The bitmaps and rectangles textures are laid by miss no private sample: paint a picture of one impossible value."""
    raw = scene.raw()
    mask = PrivacyMask(fill)
    mask.apply(raw, scene.cover)  # takes the surroundings' colours, none below 16
    planes = raw.planes
    for plane in (planes.y, planes.u, planes.v):
        plane[...] = 0
    frame = mask.apply(RawFrame(planes, raw.time), scene.cover)
    for plane in (frame.planes.y, frame.planes.u, frame.planes.v):
        assert (plane[scene.touched(plane)] >= 16).all()


SQUARE = Scene((np.array(((0.2, 0.21), (0.73, 0.3), (0.6, 0.81), (0.33, 0.7))),), 0.0, 160, 90, 0, 1)


def test_a_careless_rasteriser_is_caught_by_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With polygons halved for chroma the picture closes, compiled and drawn straight alike."""
    monkeypatch.setattr(mask_layer, "Strokes", CarelessStrokes)
    monkeypatch.setattr(mask_outline, "Strokes", CarelessStrokes)
    mask = PrivacyMask("solid")
    assert mask.apply(SQUARE.raw(), SQUARE.cover).opaque
    mask._layers[b"some other"] = mask_layer.MaskLayer((), SQUARE.raw().planes, np.zeros((90, 160), np.uint8), settle=False)
    assert mask.apply(SQUARE.raw(), SQUARE.cover).opaque


def test_a_careless_rasteriser_is_caught_by_these_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the checks switched off as well, the brute-force count finds what is left uncovered."""
    monkeypatch.setattr(mask_outline, "Strokes", CarelessStrokes)
    monkeypatch.setattr(mask_layer, "uncovered", lambda *_: 0)
    frame = PrivacyMask("solid").apply(SQUARE.raw(), SQUARE.cover)
    assert not frame.opaque
    assert leaks(SQUARE, frame) > 0


def test_a_fill_made_of_what_it_covers_is_caught_by_these_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the surroundings to look under the mask, the twin films would differ."""
    from agent.mask.surroundings import Surroundings

    honest = Surroundings.observe
    monkeypatch.setattr(
        Surroundings, "observe", lambda self, planes, small, hidden, ns: honest(self, planes, small, np.zeros_like(hidden), ns)
    )
    monkeypatch.setattr("agent.mask.surroundings.NOTICEABLE", 0.0)
    with pytest.raises(AssertionError):
        check_that_twins_stay_twins(SQUARE, "mosaic")


def test_the_exact_check_agrees_with_brute_force() -> None:
    """Uncover one touched sample at a time: the check finds each of them."""
    from agent.mask.shape import shapes_of

    grid = mask_outline.Grid.luma(SQUARE.width, SQUARE.height)
    found = shapes_of(SQUARE.cover, SQUARE.width, SQUARE.height)
    touched = is_touched(SQUARE.polygons, 0.0, (SQUARE.width, SQUARE.height), SQUARE.height, SQUARE.width)
    rim = touched & ~cv2.erode(touched.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    covered = cv2.dilate(touched.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert mask_check.uncovered(found, grid, covered) == 0
    for y, x in np.argwhere(rim):
        covered[y, x] = False
        assert mask_check.uncovered(found, grid, covered) == 1
        covered[y, x] = True
