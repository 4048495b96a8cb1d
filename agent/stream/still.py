"""A masked frame as a JPEG: preview, snapshot and the small picture that goes with an event."""

from __future__ import annotations

import cv2
import numpy as np

from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.planes import Plane, Planes

QUALITIES = (82, 65, 48, 32, 18)
HD_ROWS = 720
"""From here on a frame is BT.709, as the encoder writes beside it; below it is BT.601, the one OpenCV converts from."""
NARROWEST = 64
"""Samples; below this a still shows nothing."""

_GAIN = 255 / 219
_BLUE, _RED = 1.8556 * 255 / 224, 1.5748 * 255 / 224
_GREEN_U, _GREEN_V = -0.187324 * 255 / 224, -0.468124 * 255 / 224
# ITU-R BT.709-6, limited range: rows B, G, R of Y, U, V and one.
_BGR_OF_BT709 = np.array(
    (
        (_GAIN, _BLUE, 0, -16 * _GAIN - 128 * _BLUE),
        (_GAIN, _GREEN_U, _GREEN_V, -16 * _GAIN - 128 * (_GREEN_U + _GREEN_V)),
        (_GAIN, 0, _RED, -16 * _GAIN - 128 * _RED),
    )
)


def jpeg(frame: MaskedFrame, *, width: int = 640, most_bytes: int = 200_000) -> bytes:
    """The frame as JPEG, at most `width` wide and at most `most_bytes` long: first quality gives way, then size.

    Any thread that holds the frame. EncoderError when not even the smallest still fits.
    """
    width = min(width, frame.planes.width)
    while width >= NARROWEST:
        picture = _bgr(frame.planes, width)
        for quality in QUALITIES:
            written, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
            if not written:
                raise EncoderError(say("OpenCV cannot write JPEG"), remedy=say("Install opencv-python-headless from PyPI"))
            if len(encoded) <= most_bytes:
                return bytes(encoded.data)
        width //= 2
    raise EncoderError(say("no still fits into {most_bytes} bytes", most_bytes=most_bytes), remedy=say("Allow more"))


def _bgr(planes: Planes, width: int) -> Plane:
    """The frame `width` wide (even, aspect kept) as B, G, R of shape (rows, columns, 3), reduced plane by plane first."""
    width = max(2, width // 2 * 2)
    height = max(2, round(planes.height * width / planes.width / 2) * 2)
    small = Planes.empty(width, height)
    for source, target in ((planes.y, small.y), (planes.u, small.u), (planes.v, small.v)):
        if source.shape == target.shape:
            np.copyto(target, source)
        else:
            cv2.resize(source, (target.shape[1], target.shape[0]), dst=target, interpolation=cv2.INTER_AREA)
    if planes.height >= HD_ROWS:
        u, v = (cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in (small.u, small.v))
        return cv2.transform(cv2.merge((small.y, u, v)), _BGR_OF_BT709).astype(np.uint8, copy=False)
    packed = np.concatenate([plane.reshape(-1) for plane in (small.y, small.u, small.v)]).reshape(height * 3 // 2, width)
    bgr = np.empty((height, width, 3), np.uint8)
    cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420, dst=bgr)
    return bgr
