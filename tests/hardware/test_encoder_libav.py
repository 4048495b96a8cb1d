"""x264 through PyAV: what goes in comes out, with its time, its masks and its keyframes where they were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.access_unit import AccessUnit
from agent.picture.planes import FrameTime, Planes
from bench.small_film import FPS, HEIGHT, WIDTH, encode, instant, masked, picture
from hardware.encoder_libav import LibavEncoder, wrap


def decode(units: Sequence[AccessUnit]) -> list[np.ndarray]:
    """The lumas of these units, by libavcodec."""
    codec = av.CodecContext.create("h264", "r")
    packets = [av.Packet(unit.data) for unit in units]
    return [f.to_ndarray(format="yuv420p")[: f.height] for p in [*packets, None] for f in codec.decode(p)]


def nal_types(unit: AccessUnit) -> list[int]:
    """The NAL unit types of an access unit, in order."""
    return [unit.data[m.end()] & 0x1F for m in re.finditer(b"\x00\x00\x01", unit.data)]


def frames(count: int, fps: float = FPS) -> Iterator[MaskedFrame]:
    """A steady camera's masked pictures."""
    return (masked(picture(i), instant(i, fps)) for i in range(count))


def test_every_picture_comes_out_as_it_went_in() -> None:
    """One unit per picture, in order, and the decoded luma is the one that was encoded, give or take the codec."""
    units = encode(LibavEncoder(WIDTH, HEIGHT, FPS, crf=15), frames(30))
    assert [unit.index for unit in units] == list(range(30))
    for index, luma in enumerate(decode(units)):
        expected = masked(picture(index), instant(index)).planes.y
        assert np.abs(luma.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_picture_is_held_back(threads: int) -> None:
    """Without B-frames each picture's unit is there when `encode` returns: live is not late, a power cut loses nothing more."""
    encoder = LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, threads=threads)
    for frame in frames(15):
        assert [unit.index for unit in encoder.encode(frame)] == [frame.time.index]
    assert list(encoder.flush()) == []


def test_times_and_masks_ride_along_exactly() -> None:
    """Media time, wall time, mask digest, cover and guard state of each picture stand on its unit, to the nanosecond."""
    given_frames = [masked(picture(i), FrameTime(i, 7 + i * 40_000_123 + i * i, 5_000 + i), f"d{i // 4}") for i in range(20)]
    expected = [(f.time.monotonic_ns, f.time.wall_ns, f.mask_digest, f.opaque, f.view) for f in given_frames]
    units = encode(LibavEncoder(WIDTH, HEIGHT, FPS, crf=30), given_frames)
    assert [(u.pts_ns, u.wall_ns, u.mask_digest, u.opaque, u.view) for u in units] == expected


def test_a_keyframe_stands_alone_and_no_picture_refers_across_it() -> None:
    """Each keyframe is an IDR picture with SPS and PPS in band and no delimiter; decoding may begin at any of them."""
    units = encode(LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, keyframe_seconds=0.4), frames(40))
    keys = [i for i, unit in enumerate(units) if unit.keyframe]
    assert keys == [0, 10, 20, 30]
    for index, unit in enumerate(units):
        kinds = nal_types(unit)
        assert 9 not in kinds
        assert ({7, 8, 5} <= set(kinds)) == unit.keyframe
        assert (5 in kinds) == unit.keyframe, index
    assert len(decode(units[20:])) == 20


def test_keyframes_follow_media_time_when_the_camera_slows_down() -> None:
    """A camera that falls from 25 to 5 pictures a second at night keeps a keyframe each second."""
    stamps = [i * NS // 25 for i in range(50)] + [2 * NS + i * NS // 5 for i in range(10)]
    units = encode(
        LibavEncoder(WIDTH, HEIGHT, 25, crf=30, keyframe_seconds=1),
        [masked(picture(i), FrameTime(i, 9 * NS + at, at)) for i, at in enumerate(stamps)],
    )
    keys = [unit.pts_ns - 9 * NS for unit in units if unit.keyframe]
    assert keys == [0, NS, 2 * NS, 3 * NS]


def test_durations_follow_the_cadence_and_not_a_pause() -> None:
    """25 pictures a second, then 5, with a pause of ten seconds between: each unit stands as long as pictures do then."""
    stamps = (
        [i * NS // 25 for i in range(10)]
        + [10 * NS + i * NS // 25 for i in range(10)]
        + [11 * NS + i * NS // 5 for i in range(9)]
    )
    units = encode(
        LibavEncoder(WIDTH, HEIGHT, 25, crf=30),
        [masked(picture(i), FrameTime(i, 9 * NS + at, at)) for i, at in enumerate(stamps)],
    )
    durations_ms = [round(unit.duration_ns / 1e6) for unit in units]
    assert durations_ms[:10] == [40] * 10
    assert durations_ms[10:20] == [80, *[40] * 9]
    assert durations_ms[-5:] == [200] * 5
    assert all(unit.duration_ns > 0 for unit in units)


def test_a_keyframe_can_be_asked_for() -> None:
    """The picture after a request is an IDR picture, however long its GOP should be."""
    encoder = LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, keyframe_seconds=10, threads=1)
    units: list[AccessUnit] = []
    for index, frame in enumerate(frames(12)):
        if index == 7:
            encoder.request_keyframe()
        units += encoder.encode(frame)
    units += encoder.flush()
    assert [i for i, unit in enumerate(units) if unit.keyframe] == [0, 7]
    assert 5 in nal_types(units[7])


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_buffer_is_free_when_encode_returns(threads: int) -> None:
    """A camera that overwrites its one buffer at once gets bit for bit the film of one that never does."""
    patient = encode(LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, threads=threads), list(frames(30)))
    encoder, buffer, hasty = (
        LibavEncoder(WIDTH, HEIGHT, FPS, crf=30, threads=threads),
        Planes.empty(WIDTH, HEIGHT),
        list[AccessUnit](),
    )
    for index in range(30):
        fresh = picture(index)
        buffer.y[...], buffer.u[...], buffer.v[...] = fresh.y, fresh.u, fresh.v
        frame = masked(buffer, instant(index))
        hasty += encoder.encode(frame)
        buffer.y[...] = buffer.u[...] = buffer.v[...] = 255
    hasty += encoder.flush()
    assert [unit.data for unit in hasty] == [unit.data for unit in patient]


def test_any_memory_layout_gives_the_same_film() -> None:
    """Packed planes go in without a copy, padded rows and scattered planes with one: the bits do not differ."""

    def padded(planes: Planes) -> Planes:
        wide = [np.zeros((p.shape[0], p.shape[1] + 32), np.uint8) for p in (planes.y, planes.u, planes.v)]
        views = [w[:, : p.shape[1]] for w, p in zip(wide, (planes.y, planes.u, planes.v), strict=True)]
        for view, plane in zip(views, (planes.y, planes.u, planes.v), strict=True):
            view[...] = plane
        return Planes(*views)

    def scattered(planes: Planes) -> Planes:
        return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())

    films = [
        [
            u.data
            for u in encode(LibavEncoder(WIDTH, HEIGHT, FPS, crf=30), [masked(lay(picture(i)), instant(i)) for i in range(12)])
        ]
        for lay in (lambda planes: planes, padded, scattered)
    ]
    assert films[0] == films[1] == films[2]


def test_packed_planes_are_wrapped_not_copied() -> None:
    """The libav picture over packed planes sees a later change of them; one over scattered planes does not."""
    packed = picture(0)
    seen = wrap(packed)
    packed.y[5, 5] = 17
    assert seen.to_ndarray(format="yuv420p")[5, 5] == 17
    scattered = Planes(packed.y.copy(), packed.u.copy(), packed.v.copy())
    copied = wrap(scattered)
    scattered.y[5, 5] = 99
    assert copied.to_ndarray(format="yuv420p")[5, 5] == 17


def test_colours_are_tagged_limited_range_by_height() -> None:
    """Standard definition is tagged BT.601, high definition BT.709, both limited range: players show the right colours."""
    for width, height, matrix in ((64, 48, 6), (1280, 720, 1)):
        units = encode(
            LibavEncoder(width, height, FPS, crf=40, preset="ultrafast"),
            [masked(picture(0, width, height), instant(0))],
        )
        codec = av.CodecContext.create("h264", "r")
        codec.decode(av.Packet(units[0].data))
        codec.decode(None)
        assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (matrix, matrix, matrix, 1)


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("slices", [0, 4])
def test_b_frames_and_slices_keep_order_and_count(b_frames: int, slices: int) -> None:
    """With B-frames units come in decoding order with rising dts not after pts; several slices make one unit still."""
    units = encode(
        LibavEncoder(WIDTH, 192, FPS, crf=30, preset="fast", b_frames=b_frames, slices=slices),
        [masked(picture(i, WIDTH, 192), instant(i)) for i in range(40)],
    )
    assert sorted(unit.index for unit in units) == list(range(40))
    assert all(a.dts_ns < b.dts_ns for a, b in pairwise(units))
    assert all(unit.dts_ns <= unit.pts_ns for unit in units)
    assert any(unit.pts_ns != unit.dts_ns for unit in units) == bool(b_frames)
    if slices:
        assert all(sum(kind in (1, 5) for kind in nal_types(unit)) == slices for unit in units)
    assert len(decode(units)) == 40


def test_a_capped_rate_is_kept_on_noise() -> None:
    """Pure noise, which compresses worst, stays within the bit rate that was configured."""
    rng = np.random.default_rng(3)

    def noise(index: int) -> MaskedFrame:
        planes = picture(index, 320, 240)
        planes.y[...] = rng.integers(16, 235, planes.y.shape)
        return masked(planes, instant(index))

    units = encode(LibavEncoder(320, 240, FPS, bitrate_kbps=300), [noise(i) for i in range(150)])
    later = [unit for unit in units if unit.index >= 50]
    assert sum(len(unit.data) for unit in later) * 8 / 4 <= 1.1 * 300_000


def test_what_cannot_be_encoded_is_refused_in_words() -> None:
    """Wrong size, time that stands still, both rates, odd sizes, use after the end: one clear EncoderError each."""
    with pytest.raises(EncoderError, match="exclude each other"):
        LibavEncoder(WIDTH, HEIGHT, FPS, crf=20, bitrate_kbps=100)
    with pytest.raises(EncoderError, match="odd"):
        LibavEncoder(63, HEIGHT, FPS)
    with pytest.raises(EncoderError, match="x264 refuses"):
        LibavEncoder(WIDTH, HEIGHT, FPS, preset="hasty")
    encoder = LibavEncoder(WIDTH, HEIGHT, FPS)
    with pytest.raises(EncoderError, match="not known before"):
        _ = encoder.format
    with pytest.raises(EncoderError, match="came to an encoder of 64x48"):
        encoder.encode(masked(picture(0, 128, 96), instant(0)))
    encoder.encode(masked(picture(0), instant(1)))
    with pytest.raises(EncoderError, match="not later"):
        encoder.encode(masked(picture(0), instant(1)))
    encoder.flush()
    assert encoder.flush() == ()
    with pytest.raises(EncoderError, match="flushed"):
        encoder.encode(masked(picture(0), instant(2)))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3 * NS), min_size=1, max_size=30), st.integers(0, 1 << 60))
def test_any_increasing_times_come_out_unchanged(steps: list[int], start_ns: int) -> None:
    """However unevenly pictures come, even nanoseconds apart, each unit bears exactly its picture's time."""
    stamps = [start_ns]
    for step in steps:
        stamps.append(stamps[-1] + step)
    encoder = LibavEncoder(WIDTH, HEIGHT, FPS, crf=40, preset="ultrafast", threads=1)
    still = masked(picture(0), instant(0))
    units: list[AccessUnit] = []
    for index, at in enumerate(stamps):
        still.time = replace(still.time, index=index, monotonic_ns=at)
        units += encoder.encode(still)
    units += encoder.flush()
    assert [unit.pts_ns for unit in units] == stamps
    assert all(a.dts_ns < b.dts_ns for a, b in pairwise(units))
