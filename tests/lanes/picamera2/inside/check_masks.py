"""A mask burnt into the camera's own buffer is what the encoder reads, and all that it reads."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from agent.base.errors import EncoderError
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.access_unit import AccessUnit
from agent.picture.planes import Plane, Planes
from hardware.encoder_libav import LibavEncoder
from hardware.encoder_picamera2 import PicameraEncoder
from tests.lanes.picamera2.inside.scene import MASKS, camera, cover, decoded, next_frame

COMPARED = 5
"""The frame whose clear samples are kept: the virtual scene moves, so that no other frame looks like it."""


def inside(rows: int, columns: int, shrink_px: int = 0) -> np.ndarray:
    """True where a sample of a plane of this size lies in a mask; `shrink_px` leaves out what compression blurs."""
    shape: Plane = np.zeros((rows, columns), np.uint8)
    for corners in MASKS:
        cv2.fillPoly(shape, [np.round(corners * (columns, rows)).astype(np.int32)], 1)
    if shrink_px:
        shape = np.asarray(cv2.erode(shape, np.ones((2 * shrink_px + 1,) * 2, np.uint8)), np.uint8)
    return shape.astype(bool)


@pytest.mark.parametrize("encoder_name", ["picamera2", "libav"])
def test_mask_survives_to_decoded_h264(encoder_name: str) -> None:
    """Y, U and V of every decoded picture show the fill inside the masks and the scene outside of them."""
    source, mask = camera(), PrivacyMask("solid")
    encoder = (
        PicameraEncoder(source.loans, 30.0, hardware=False, bitrate_kbps=4000)
        if encoder_name == "picamera2"
        else LibavEncoder(1280, 720, 30.0, bitrate_kbps=4000)
    )
    source.open()
    units, indices, clear = list[AccessUnit](), list[int](), None
    for _ in range(20):
        frame = next_frame(source)
        if len(indices) == COMPARED:
            clear = np.concatenate([p.ravel() for p in (frame.planes.y, frame.planes.u, frame.planes.v)]).reshape(1080, 1280)
        indices.append(frame.time.index)
        units += encoder.encode(mask.apply(frame, cover()))
        frame.release()
    units += encoder.flush()
    source.close()
    assert units[0].keyframe
    assert [u.index for u in units] == indices
    assert {u.mask_digest for u in units} == {"digest"}
    assert encoder.format.width == 1280
    pictures = [Planes.over(p.reshape(-1), 1280, 720) for p in decoded(units)]
    assert len(pictures) == 20
    for picture in pictures:
        for plane, value in ((picture.y, SOLID_YUV[0]), (picture.u, SOLID_YUV[1]), (picture.v, SOLID_YUV[2])):
            assert np.abs(plane[inside(plane.shape[0], plane.shape[1], shrink_px=8)].astype(int) - value).max() <= 8
    assert clear is not None
    original = Planes.over(np.ascontiguousarray(clear).reshape(-1), 1280, 720)
    far = ~cv2.dilate(inside(720, 1280).astype(np.uint8), np.ones((33, 33), np.uint8)).astype(bool)
    assert np.abs(pictures[COMPARED].y[far].astype(int) - original.y[far]).mean() < 4
    assert original.y[inside(720, 1280)].std() > 10, "there was something to hide"


def test_camera_buffer_itself_holds_the_mask() -> None:
    """After sealing, picamera2's own view of the request shows the fill in luma and chroma: nothing clear is left in it."""
    source, mask = camera(), PrivacyMask("solid")
    source.open()
    frame = next_frame(source)
    mask.apply(frame, cover())
    loan = source.loans.of(frame.planes)
    assert loan is not None
    loan.seal()
    array = loan.request.make_array("main")  # NV12: (1080, 1280)
    luma, chroma = array[:720], array[720:].reshape(360, 640, 2)
    assert (luma[inside(720, 1280)] == SOLID_YUV[0]).all()
    assert (chroma[inside(360, 640)] == SOLID_YUV[1:]).all()
    lores = loan.request.make_array("lores")
    assert frame.small is not None
    assert np.array_equal(lores[:360], frame.small), "the small luma is the camera's own, masked in place"
    assert (lores[360:] == 128).all()
    assert (lores[:360][inside(360, 640, shrink_px=2)] == SOLID_YUV[0]).all()
    frame.release()
    source.close()


def test_encoder_takes_no_picture_that_is_not_the_cameras() -> None:
    """Planes from elsewhere, and planes given back, have no request behind them."""
    source, mask = camera(640, 360), PrivacyMask("solid")
    source.open()
    encoder = PicameraEncoder(source.loans, 30.0, hardware=False, bitrate_kbps=1000)
    frame = next_frame(source)
    masked = mask.apply(frame, cover())
    frame.release()
    frame.release()
    with pytest.raises(EncoderError, match="buffer of the camera"):
        encoder.encode(masked)
    source.close()


def test_keyframes_come_by_media_time_and_when_asked() -> None:
    """Every half second of media time, and at once after a request; each carries SPS and PPS."""
    source, mask = camera(640, 360), PrivacyMask("solid")
    encoder = PicameraEncoder(source.loans, 30.0, hardware=False, bitrate_kbps=1000, keyframe_seconds=0.5)
    source.open()
    units: list[AccessUnit] = []
    for n in range(50):
        frame = next_frame(source)
        if n == 22:
            encoder.request_keyframe()
            asked = frame.time.index
        units += encoder.encode(mask.apply(frame, cover()))
        frame.release()
    units += encoder.flush()
    source.close()
    keys = [u for u in units if u.keyframe]
    assert asked in [u.index for u in keys]
    assert all(b"\x00\x00\x01\x67" in u.data and b"\x00\x00\x01\x68" in u.data for u in keys)
    gaps = [(b.pts_ns - a.pts_ns) / 1e9 for a, b in pairwise(keys)]
    assert max(gaps) < 0.62
    assert len(keys) >= 4
