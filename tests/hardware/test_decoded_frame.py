"""Any AVFrame to planar 4:2:0: compared with what the ffmpeg program makes of the same film."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.picture.planes import Planes
from hardware.decoded_frame import FrameWriter
from tests.support.films import i420_of, make_film


def packed(planes: Planes) -> np.ndarray:
    """All samples as packed I420."""
    return np.concatenate([planes.y.ravel(), planes.u.ravel(), planes.v.ravel()])


def pictures_of(path: Path, width: int, height: int, rotation: int = 0) -> np.ndarray:
    """Every picture of the film through the writer: shape (pictures, bytes)."""
    writer = FrameWriter(width, height, rotation)
    out = []
    with av.open(str(path)) as film:
        for picture in film.decode(video=0):
            planes = Planes.empty(width, height)
            writer.write(picture, planes)
            out.append(packed(planes))
    return np.stack(out)


@pytest.mark.parametrize("size", ["128x96", "127x95", "130x97", "71x33", "1x1", "322x180"])
def test_right_format_is_copied_sample_for_sample(tmp_path: Path, size: str) -> None:
    """Row padding and odd sizes: nothing is lost or shifted on the way from the decoder's buffer."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p", size=size, pictures=4)
    width, height = map(int, size.split("x"))
    assert pictures_of(path, width, height).tobytes() == i420_of(path)


@pytest.mark.parametrize(
    "pix_fmt", ["yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuvj420p", "yuvj444p", "gray", "nv12", "bgr0", "yuyv422"]
)
def test_other_formats_become_what_ffmpeg_makes_of_them(tmp_path: Path, pix_fmt: str) -> None:
    """4:2:2, 4:4:4, 10 bit, full range, grey and RGB: within a few steps of the ffmpeg program's own conversion."""
    codec = "rawvideo" if pix_fmt in ("nv12", "yuyv422") else "mjpeg" if pix_fmt.startswith("yuvj") else "ffv1"
    width, height = (128, 96) if pix_fmt in ("bgr0", "yuyv422") else (127, 95)  # FFmpeg 5 and 8 differ on odd packed rows
    path = make_film(tmp_path / "a.nut", "-c:v", codec, "-pix_fmt", pix_fmt, size=f"{width}x{height}", pictures=3)
    theirs = np.frombuffer(i420_of(path, "-vf", "scale=out_range=tv:flags=bicubic"), np.uint8)
    apart = np.abs(pictures_of(path, width, height).astype(int) - theirs.reshape(3, -1))
    assert apart.max() <= 4
    assert apart.mean() < 0.6


def test_full_range_is_brought_to_limited_range(tmp_path: Path) -> None:
    """White of a camera's full-range JPEG is 255; encoder and players are told limited range, where white is 235."""
    path = tmp_path / "white.avi"
    make_film(path, "-vf", "drawbox=c=white:t=fill", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", pictures=1)
    luma = pictures_of(path, 128, 96)[0][: 128 * 96]
    assert 233 <= luma.min() <= luma.max() <= 237


@settings(max_examples=12, deadline=None)
@given(width=st.integers(16, 200), height=st.integers(16, 200), to_width=st.integers(16, 200), to_height=st.integers(16, 200))
def test_another_size_is_scaled_like_ffmpeg_scales(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, to_width: int, to_height: int
) -> None:
    """Any size to any other, odd ones too: on average within a step of the ffmpeg program's bicubic scaling."""
    path = make_film(
        tmp_path_factory.mktemp("film") / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p", size=f"{width}x{height}", pictures=1
    )
    theirs = np.frombuffer(i420_of(path, "-vf", f"scale={to_width}:{to_height}:flags=bicubic"), np.uint8)
    ours = pictures_of(path, to_width, to_height)[0]
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).mean() < 1.0


def test_upside_down_mounting_is_turned(tmp_path: Path) -> None:
    """Rotation 180: the last sample comes first, in every plane."""
    path = make_film(tmp_path / "a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p", size="66x34", pictures=1)
    straight, turned = Planes.empty(66, 34), Planes.empty(66, 34)
    with av.open(str(path)) as film:
        picture = next(film.decode(video=0))
        FrameWriter(66, 34).write(picture, straight)
        FrameWriter(66, 34, 180).write(picture, turned)
    for name in ("y", "u", "v"):
        assert np.array_equal(getattr(turned, name), getattr(straight, name)[::-1, ::-1])
