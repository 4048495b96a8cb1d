"""The privacy mask: what it covers, and that it fails closed."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.errors import MaskError
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import Fill, MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

WHOLE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
SQUARE = np.array([(0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5)])


def bright(width: int = 320, height: int = 180, pad: int = 0) -> RawFrame:
    """A picture of 235/16/240 with `pad` bytes between rows: no sample is fill."""
    y = np.full((height, width + pad), 235, np.uint8)[:, :width]
    u = np.full(((height + 1) // 2, (width + 1) // 2 + pad), 16, np.uint8)[:, : (width + 1) // 2]
    v = np.full(((height + 1) // 2, (width + 1) // 2 + pad), 240, np.uint8)[:, : (width + 1) // 2]
    return RawFrame(Planes(y, u, v), FrameTime(0, 1, 1_700_000_000_000_000_000))


def cover(*polygons: np.ndarray, grow: float = 0.0, view: np.ndarray | None = None) -> Cover:
    """A verified cover of these polygons."""
    return Cover(polygons, grow, view, "", "a", ViewState.VERIFIED)


def is_all_fill(frame: MaskedFrame) -> bool:
    """Y is fill or, where the reason is written, brighter; U and V are fill."""
    y, u, v = SOLID_YUV
    return (
        bool((frame.planes.y >= y).all() and (frame.planes.y == y).mean() > 0.5)
        and bool((frame.planes.u == u).all())
        and bool((frame.planes.v == v).all())
        and bool((frame.small == y).all())
    )


def test_what_lies_in_the_polygon_is_fill_and_what_lies_far_outside_is_untouched() -> None:
    """The four planes are covered inside, and the picture goes on where no mask is."""
    frame = PrivacyMask().apply(bright(pad=24), cover(SQUARE))
    assert not frame.opaque
    assert (frame.planes.y[45:90, 80:160] == SOLID_YUV[0]).all()
    assert (frame.planes.u[22:45, 40:80] == SOLID_YUV[1]).all()
    assert (frame.planes.v[22:45, 40:80] == SOLID_YUV[2]).all()
    assert (frame.planes.y[:38] == 235).all()
    assert (frame.planes.u[:16] == 16).all()


def test_the_masked_frame_shares_the_camera_buffer() -> None:
    """Masking is in place: no clear copy of the picture lies about."""
    raw = bright()
    frame = PrivacyMask().apply(raw, cover(SQUARE))
    assert frame.planes is raw.planes
    assert frame.small is raw.small


def test_overlapping_polygons_leave_no_hole() -> None:
    """Two masks over one another cover what both cover, also when the layer is compiled later."""
    other = SQUARE + 0.1
    mask = PrivacyMask()
    for _ in range(3):
        frame = mask.apply(bright(), cover(SQUARE, other))
        assert (frame.planes.y[63:90, 112:160] == SOLID_YUV[0]).all()


def test_without_a_mask_and_without_a_statement_the_picture_is_closed() -> None:
    """No polygons is a mistake unless somebody stated that none is needed."""
    frame = PrivacyMask().apply(bright(), cover())
    assert frame.opaque
    assert "no statement" in frame.reason
    assert is_all_fill(frame)


def test_by_statement_the_picture_is_clear() -> None:
    """The statement that no mask is needed is honoured."""
    frame = PrivacyMask().apply(bright(), Cover.none_needed())
    assert not frame.opaque
    assert (frame.planes.y == 235).all()


def test_a_closed_cover_closes_the_picture_with_its_reason_written_on_it() -> None:
    """The whole picture is fill; only the words differ from it."""
    frame = PrivacyMask().apply(bright(), Cover.closed("the view has moved"))
    assert frame.opaque
    assert frame.reason == "the view has moved"
    assert is_all_fill(frame)
    assert (frame.planes.y > 200).any()


@pytest.mark.parametrize(
    "wrong",
    [
        cover(SQUARE, grow=float("nan")),
        cover(SQUARE, grow=-0.1),
        cover(SQUARE * np.nan),
        cover(SQUARE * 1e6),
        cover(SQUARE[:2]),
        cover(SQUARE, view=SQUARE[::-1]),
        cover(SQUARE, view=SQUARE * np.nan),
    ],
)
def test_a_cover_that_cannot_be_drawn_closes_the_picture(wrong: Cover) -> None:
    """Whatever the guard says wrong, nothing clear comes out."""
    frame = PrivacyMask().apply(bright(), wrong)
    assert frame.opaque
    assert is_all_fill(frame)


def test_what_lies_outside_the_validated_view_is_covered() -> None:
    """A view shifted to the right leaves a strip on the left that nobody validated."""
    frame = PrivacyMask().apply(bright(), cover(SQUARE, view=WHOLE + np.array((0.05, 0.0))))
    assert not frame.opaque
    assert (frame.planes.y[:, :16] == SOLID_YUV[0]).all()
    assert (frame.planes.y[:38, 22:] == 235).all()


def test_planes_that_cannot_be_written_give_no_frame_at_all() -> None:
    """When the picture can neither be masked nor closed, there is no MaskedFrame."""
    raw = bright()
    raw.planes.y.flags.writeable = False
    with pytest.raises(MaskError):
        PrivacyMask().apply(raw, cover(SQUARE))


def test_planes_opencv_cannot_draw_on_are_closed() -> None:
    """A view with reversed rows cannot be drawn on in place: the picture closes instead of a copy being masked."""
    raw = bright()
    turned = Planes(*(plane[::-1] for plane in (raw.planes.y, raw.planes.u, raw.planes.v)))
    frame = PrivacyMask().apply(RawFrame(turned, raw.time), cover(SQUARE))
    assert frame.opaque
    assert is_all_fill(frame)


def test_nobody_else_makes_a_masked_frame() -> None:
    """Without the seal the constructor refuses."""
    raw = bright()
    small: Plane = raw.planes.y
    with pytest.raises(TypeError, match="only the privacy mask"):
        MaskedFrame(object(), raw.planes, small, small, raw.time, "", ViewState.VERIFIED, opaque=False, reason="")  # type: ignore[arg-type]


def test_a_crossing_polygon_is_covered_by_its_hull() -> None:
    """A bow tie has no certain inside: all of it and what is between is covered."""
    bow = np.array([(0.25, 0.25), (0.5, 0.5), (0.5, 0.25), (0.25, 0.5)])
    frame = PrivacyMask().apply(bright(), cover(bow))
    assert (frame.planes.y[45:90, 80:160] == SOLID_YUV[0]).all()


_numbers = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-2.0, 3.0)
_points = st.lists(st.tuples(_numbers, _numbers), min_size=0, max_size=8).map(lambda p: np.array(p, np.float64).reshape(-1, 2))
_anything = st.one_of(
    _points,
    st.just(np.zeros((3, 3))),
    st.just(np.zeros((4,))),
    st.just(np.array([["a", "b"]] * 3, dtype=object)),
    st.none(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_anything, max_size=4), _numbers, _anything, st.sampled_from(("solid", "mosaic", "blur")))
def test_whatever_the_guard_says_no_private_square_is_seen(wild: list[object], grow: float, view: object, fill: Fill) -> None:
    """Covers of any nonsense beside one true mask: the frame comes out closed, or that mask lies where it must."""
    raw = bright(64, 48)
    private = (slice(12, 24), slice(16, 32)), (slice(6, 12), slice(8, 16))
    raw.planes.y[private[0]] = raw.planes.u[private[1]] = raw.planes.v[private[1]] = 60  # far from all around it
    said = Cover((SQUARE, *wild), grow, view, "", "wild", ViewState.VERIFIED)  # type: ignore[arg-type]
    frame = PrivacyMask(fill).apply(raw, said)
    assert frame.opaque or (frame.planes.y[private[0]] != 60).all()  # on a closed picture words are written there
    assert (frame.planes.u[private[1]] != 60).all()
    assert (frame.planes.v[private[1]] != 60).all()


def test_a_picture_that_stays_closed_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Twenty-five lines a second would bury what is wrong; when it was well in between, it is said again."""
    mask, wrong = PrivacyMask(), cover(SQUARE * np.nan)
    for _ in range(50):
        mask.apply(bright(), wrong)
    assert len(caplog.records) == 1
    mask.apply(bright(), cover(SQUARE))
    mask.apply(bright(), wrong)
    assert len(caplog.records) == 2


def test_chroma_of_another_size_closes_the_picture() -> None:
    """Planes that do not belong together are not masked by guesswork."""
    raw = bright()
    raw.planes = Planes(raw.planes.y, raw.planes.u[:-1], raw.planes.v)
    assert is_all_fill(PrivacyMask().apply(raw, cover(SQUARE)))


def test_an_error_between_two_planes_closes_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Luma masked, chroma not yet, and the drawing fails: the picture that comes out is closed as a whole."""
    mask = PrivacyMask()
    mask.apply(bright(), cover(SQUARE))
    (layer,) = mask._layers.values()
    drawn = layer.draw

    def half(planes: Planes) -> None:
        drawn(Planes(planes.y, planes.u.copy(), planes.v.copy()))
        raise RuntimeError("out of memory")

    mask._layers = OrderedDict((key, SimpleNamespace(draw=half, hidden=layer.hidden)) for key in mask._layers)  # type: ignore[misc]
    frame = mask.apply(bright(), cover(SQUARE))
    assert frame.opaque
    assert is_all_fill(frame)
