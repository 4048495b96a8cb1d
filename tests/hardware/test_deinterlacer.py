"""Interlaced pictures come out whole, in order, at their own instants; nothing made of a damaged one counts as sound."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from hardware.deinterlacer import Deinterlacer
from tests.support.camera_viewer import Viewer
from tests.support.misbehaving_camera import Habits, MisbehavingCamera

WIDTH, HEIGHT = 160, 120


def torn(number: int, *, interlaced: bool) -> av.VideoFrame:
    """A bright bar that moves on by eight samples from field to field, so that its lines stand in two places."""
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = 60
    for field in (0, 1):
        left = 10 + 8 * (2 * number + (field if interlaced else 0)) % 100
        planes[field:HEIGHT:2, left : left + 30] = 200
    picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    picture.pts, picture.time_base = number * 3600, Fraction(1, 90_000)
    return picture


def coded(pictures: int, *, interlaced: bool) -> list[av.VideoFrame]:
    """The same behind an encoder and a decoder, so that they are flagged as a camera flags them."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 90_000)
    encoder.options = {"tune": "zerolatency", "crf": "10", "x264-params": f"interlaced={int(interlaced)}"}
    decoder = av.CodecContext.create("h264", "r")
    found: list[av.VideoFrame] = []
    for packet in [p for n in range(pictures) for p in encoder.encode(torn(n, interlaced=interlaced))] + encoder.encode(None):
        found += [picture for picture in decoder.decode(packet) if isinstance(picture, av.VideoFrame)]
    return found + [picture for picture in decoder.decode(None) if isinstance(picture, av.VideoFrame)]


def combing(picture: av.VideoFrame) -> float:
    """How far lines differ from both neighbours to the same side: what a field of another instant does."""
    luma = picture.to_ndarray(format="yuv420p")[:HEIGHT].astype(int)
    above, below = luma[1:-1] - luma[:-2], luma[1:-1] - luma[2:]
    return float(np.maximum(0, np.minimum(above, below)).mean() + np.maximum(0, -np.maximum(above, below)).mean())


def test_torn_pictures_are_made_whole_at_their_own_instants() -> None:
    """A tenth of the comb is left at most; one picture late, none lost or doubled, and each keeps its time."""
    pictures = coded(12, interlaced=True)
    torn_by = combing(pictures[5])
    times = [float(picture.pts * picture.time_base) for picture in pictures if picture.pts is not None and picture.time_base]
    maker = Deinterlacer()
    made = [due for picture in pictures for due, _ in maker.feed(picture, sound=True)]
    assert len(made) == len(pictures) - 1
    assert [float(picture.pts * picture.time_base) for picture in made if picture.pts is not None and picture.time_base] == times[
        :-1
    ]
    assert max(combing(picture) for picture in made[2:]) < torn_by / 10
    assert maker.frames == 12


def test_whole_pictures_pass_as_they_are() -> None:
    """The same objects, at once."""
    maker = Deinterlacer()
    for picture in coded(5, interlaced=False):
        assert list(maker.feed(picture, sound=False)) == [(picture, False)]


@pytest.mark.parametrize("damaged", range(2, 8))
def test_what_was_made_of_a_damaged_picture_is_damaged(damaged: int) -> None:
    """The one itself, and the two that look at its fields."""
    maker = Deinterlacer()
    verdicts = [
        ok for number, each in enumerate(coded(12, interlaced=True)) for _, ok in maker.feed(each, sound=number != damaged)
    ]
    assert [number for number, ok in enumerate(verdicts) if not ok] == [damaged - 1, damaged, damaged + 1]


def test_an_interlaced_camera_is_deinterlaced_and_says_so() -> None:
    """Through the driver: pictures, and their count in health."""
    with MisbehavingCamera(Habits(interlaced=True)) as camera:
        viewer = Viewer(camera)
        viewer.driver.open()
        assert viewer.picture() == (320, 240, False)
        assert int(viewer.driver.metrics()["deinterlaced"]) > 0
        viewer.driver.close()
