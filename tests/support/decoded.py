"""What a viewer gets out of the node's films and stills: decoded anew, as planes."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from agent.picture.planes import Plane


def still(jpeg: bytes) -> Plane:
    """A JPEG as rows of B, G, R."""
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None, "no JPEG"
    return np.asarray(found, np.uint8)


def luma_of(jpeg: bytes) -> Plane:
    """A JPEG's luma."""
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found is not None, "no JPEG"
    return np.asarray(found, np.uint8)


def image_file(path: Path) -> Plane:
    """An image file as rows of B, G, R."""
    return still(path.read_bytes())


def annex_b(film: bytes) -> list[tuple[Plane, Plane, Plane]]:
    """Y, U and V of every picture in an Annex-B stream."""
    decoder = av.CodecContext.create("h264", "r")
    packets = [*decoder.parse(film), *decoder.parse(b""), None]
    return [planes_of(picture) for packet in packets for picture in decoder.decode(packet)]


def planes_of(picture: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Y, U and V of one decoded picture, as copies."""
    y, u, v = (np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width].copy() for p in picture.planes)
    return y, u, v


def luma(picture: av.VideoFrame) -> Plane:
    """Y alone."""
    return planes_of(picture)[0]
