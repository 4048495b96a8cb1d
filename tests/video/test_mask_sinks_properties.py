"""Random masks through every real sink: the encoder, the preview, the snapshot, the still beside an event; decoded and looked at.

`VIGIE_EXAMPLES=1000` looks at more, and at others each time; without it the same few are looked at in every run.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.analytics.event_stills import EventStills
from agent.analytics.feature import STILL_TOPICS
from agent.base.clock import NS
from agent.console.preview import Preview
from agent.mask import layer as mask_layer
from agent.mask import outline as mask_outline
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import Fill, MaskedFrame, PrivacyMask
from agent.picture.caption import Caption
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.ports.event import Event, PropertyOperation
from agent.stream.snapshot import SnapshotTaker
from hardware.decoded_frame import FrameWriter
from hardware.encoder_libav import LibavEncoder
from tests.support import decoded
from tests.support.careless_rasteriser import CarelessStrokes
from tests.support.journals import Remembered
from tests.support.manual_clock import ManualClock
from tests.support.private_shapes import Corners, is_touched, shapes

SIZES = ((64, 48), (96, 64), (98, 66), (66, 130), (160, 90))
ODD_SIZES = ((65, 49), (97, 130), (161, 91))
FRAMES = 4
SWAY = 0.02
H264_BLOCK_PX, JPEG_BLOCK_PX = 8, 17
"""How far a codec smears what is not private into what is: one block; JPEG's chroma has half the samples and is interpolated."""
CODEC_TOLERANCE = 6
JPEG_TOLERANCE = 14
GREY = round((SOLID_YUV[0] - 16) * 255 / 219)
MORE = os.environ.get("VIGIE_EXAMPLES")
few = settings(
    max_examples=int(MORE or 150),
    derandomize=MORE is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True, eq=False)
class Film:
    """A few pictures of noise in some size and stride, delivered upright or turned, with private shapes that sway."""

    polygons: tuple[Corners, ...]
    grow: float
    size: tuple[int, int]
    pads: tuple[int, int, int]
    rotation: int
    seed: int

    def cover(self, index: int) -> Cover:
        """What the guard would say of this picture."""
        return Cover(self._at(index), self.grow, None, "", f"{index % 2}", ViewState.VERIFIED)

    def _at(self, index: int) -> tuple[Corners, ...]:
        return tuple(p + SWAY * (index % 2) for p in self.polygons)

    def touched(self, index: int, shape: tuple[int, ...]) -> np.ndarray:
        """Samples of a plane of this shape that touch a private shape, by brute force."""
        return _touched(self, index % 2, shape[0], shape[1])

    def picture(self, index: int, private_seed: int) -> RawFrame:
        """Noise with nothing in it that looks like fill; what is private comes from `private_seed`. As a camera hands it over."""
        width, height = self.size
        rng, private = np.random.default_rng(self.seed + index), np.random.default_rng(private_seed + index)
        half = (height + 1) // 2, (width + 1) // 2
        upright = []
        for rows, columns in ((height, width), half, half):
            plane = rng.integers(150, 190, (rows, columns), np.uint8)
            hidden = self.touched(index, plane.shape)
            plane[hidden] = private.integers(30, 230, int(hidden.sum()), np.uint8)
            upright.append(plane)
        planes = Planes(*(_strided(plane, pad) for plane, pad in zip(upright, self.pads, strict=True)))
        if self.rotation == 180:
            _deliver_turned(planes)
        return RawFrame(planes, FrameTime(index, NS + index * 120_000_000, 10**18 + index * 120_000_000))


@lru_cache(maxsize=64)
def _touched(film: Film, index: int, rows: int, columns: int) -> np.ndarray:
    return is_touched(film.cover(index).polygons, film.grow, film.size, rows, columns)


def _strided(plane: Plane, pad: int) -> Plane:
    """The same samples in rows that are longer by `pad`."""
    rows, columns = plane.shape
    longer = np.full((rows, columns + pad), 77, np.uint8)
    longer[:, :columns] = plane
    return longer[:, :columns]


def _deliver_turned(planes: Planes) -> None:
    """What a camera that hangs upside down does: the sensor's picture stands on its head, the driver turns it while copying."""
    sensor = av.VideoFrame(planes.width, planes.height, "yuv420p")
    for target, plane in zip(sensor.planes, (planes.y, planes.u, planes.v), strict=True):
        rows = np.zeros((plane.shape[0], target.line_size), np.uint8)
        rows[:, : plane.shape[1]] = plane[::-1, ::-1]
        target.update(rows.tobytes())
        plane[...] = 0
    FrameWriter(planes.width, planes.height, 180).write(sensor, planes)


@st.composite
def films(draw: st.DrawFn, sizes: Sequence[tuple[int, int]] = SIZES, rotations: Sequence[int] = (0, 180)) -> Film:
    """One to three shapes: concave, tiny, at an edge or over it, on top of each other."""
    return Film(
        tuple(draw(st.lists(shapes(), min_size=1, max_size=3))),
        draw(st.sampled_from((0.0, 0.004, 0.02, 0.08))),
        draw(st.sampled_from(sizes)),
        draw(st.tuples(*[st.sampled_from((0, 1, 31))] * 3)),
        draw(st.sampled_from(rotations)),
        draw(st.integers(0, 10**6)),
    )


fills = st.sampled_from(("solid", "mosaic", "blur"))
captions = st.sampled_from(("off", "top", "bottom"))


def masked(film: Film, mask: PrivacyMask, private_seed: int) -> list[MaskedFrame]:
    """The film through the mask."""
    frames = [mask.apply(film.picture(index, private_seed), film.cover(index)) for index in range(FRAMES)]
    assert not any(frame.opaque for frame in frames), frames[0].reason
    return frames


# -- the sinks, as the node has them -------------------------------------------------------------------------------------


def recording(frames: Sequence[MaskedFrame]) -> bytes:
    """H.264 by the node's own encoder."""
    planes = frames[0].planes
    encoder = LibavEncoder(planes.width, planes.height, 25.0, crf=18, threads=1)
    units = [unit for frame in frames for unit in encoder.encode(frame)]
    return b"".join(unit.data for unit in [*units, *encoder.flush()])


def previews(frames: Sequence[MaskedFrame]) -> list[bytes]:
    """What the local page shows."""
    preview, pictures = Preview(ManualClock(), Remembered()), list[bytes]()
    preview.watch("test")
    for frame in frames:
        preview.show(frame)
        shown = preview.next(len(pictures), 0.0)
        assert shown is not None
        pictures.append(shown[1])
    return pictures


class _Pipeline(ManualClock):
    """While somebody waits for a snapshot, the next picture comes."""

    def __init__(self, frame: MaskedFrame) -> None:
        super().__init__()
        self.frame = frame
        self.snapshot = SnapshotTaker(self)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.snapshot.show(self.frame)
        return event.is_set()


def snapshots(frames: Sequence[MaskedFrame]) -> list[bytes]:
    """What the centre gets when it asks, in full width and in a third."""
    width = frames[0].planes.width
    return [_Pipeline(frame).snapshot.take(wide).jpeg for frame in frames[-2:] for wide in (width, max(64, width // 3))]


class _Line:
    """The outbox's end of the stills."""

    def __init__(self) -> None:
        self.stills: list[bytes] = []

    def raise_event(self, event: Event) -> None:
        raise AssertionError(f"{event.topic} came without its still")

    def raise_with_still(self, event: Event, still: bytes) -> None:
        self.stills.append(still)


def event_stills(frames: Sequence[MaskedFrame]) -> list[bytes]:
    """What goes beside an event."""
    line = _Line()
    for frame in frames[-2:]:
        event = Event("VideoSource/MotionAlarm", 1, {"Source": "n"}, {"State": True}, PropertyOperation.CHANGED)
        EventStills(line, lambda: True, STILL_TOPICS).raise_seen(event, frame)
    return line.stills


# -- what holds ----------------------------------------------------------------------------------------------------------


def twins_are_the_same(film: Film, fill: Fill, caption: str) -> None:
    """Two films that differ only in private samples; see the test."""
    mask = PrivacyMask(fill, Caption("n", caption, "UTC") if caption != "off" else None)  # type: ignore[arg-type]
    twin = copy.deepcopy(mask)  # the same secret dither
    one, other = masked(film, mask, 1), masked(film, twin, 1000)
    for sink in (previews, snapshots, event_stills):
        assert sink(one) == sink(other), sink.__name__
    if film.size in SIZES:
        assert recording(one) == recording(other), "recording"


@few
@given(films(), fills, captions)
def test_no_sink_gives_anything_that_depends_on_a_private_sample(film: Film, fill: Fill, caption: str) -> None:
    """Whatever the masks, strides, sizes, the rotation and the fill: the bytes of every sink are the same for both films."""
    twins_are_the_same(film, fill, caption)


@few
@given(films(ODD_SIZES, (0,)), fills)
def test_no_still_of_an_odd_size_does_either(film: Film, fill: Fill) -> None:
    """The encoder takes even sizes alone; the stills take whatever a camera delivers."""
    twins_are_the_same(film, fill, "off")


@few
@given(films())
def test_what_is_decoded_is_fill_where_it_must_be(film: Film) -> None:
    """Solid masks, each sink decoded again: Y, U and V of the recording, B, G and R of the JPEGs, a block from the edges."""
    frames = masked(film, PrivacyMask("solid"), 1)
    pictures = decoded.annex_b(recording(frames))
    assert len(pictures) == FRAMES
    for index, planes in enumerate(pictures):
        for plane, value in zip(planes, SOLID_YUV, strict=True):
            inside = away_from_edges(film.touched(index, plane.shape), H264_BLOCK_PX)
            assert np.abs(plane[inside].astype(int) - value).max(initial=0) <= CODEC_TOLERANCE
    width, height = film.size
    for index, jpeg in [*enumerate(previews(frames)), *enumerate(event_stills(frames), FRAMES - 2)]:
        picture = decoded.still(jpeg)
        assert picture.shape[:2] == (height, width)
        inside = away_from_edges(film.touched(index, (height, width)), JPEG_BLOCK_PX)
        assert np.abs(picture[inside].astype(int) - GREY).max(initial=0) <= JPEG_TOLERANCE


def away_from_edges(touched: np.ndarray, block_px: int) -> np.ndarray:
    """True a block from everything that is not private; a picture's own edge is none."""
    return cv2.erode(touched.astype(np.uint8), np.ones((2 * block_px + 1,) * 2, np.uint8), borderValue=1).astype(bool)


# -- that it can fail ----------------------------------------------------------------------------------------------------

SQUARE = np.array(((0.2, 0.21), (0.73, 0.3), (0.6, 0.81), (0.33, 0.7)))
PLAIN = Film((SQUARE,), 0.0, (160, 90), (0, 1, 31), 180, 1)


def test_a_careless_mask_is_caught_at_the_sinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polygons halved for chroma, both of the mask's own checks switched off: the films differ."""
    monkeypatch.setattr(mask_outline, "Strokes", CarelessStrokes)
    monkeypatch.setattr(mask_layer, "Strokes", CarelessStrokes)
    monkeypatch.setattr(mask_layer, "uncovered", lambda *_: 0)
    monkeypatch.setattr(mask_layer.MaskLayer, "_look_over", lambda *_: None)
    with pytest.raises(AssertionError, match="previews"):
        twins_are_the_same(PLAIN, "solid", "off")


def test_a_mask_that_ignores_the_rotation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the picture handed over as the sensor has it, masks and private spaces would not meet."""
    monkeypatch.setattr(FrameWriter, "__init__", lambda self, w, h, _rotation: _HONEST_WRITER(self, w, h, 0))
    with pytest.raises(AssertionError, match="previews"):
        twins_are_the_same(PLAIN, "solid", "off")


_HONEST_WRITER = FrameWriter.__init__
