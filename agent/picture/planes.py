"""What a picture is made of: planes of samples, and the instant they were read. Says nothing of masked or not."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""uint8, shape (rows, columns), any row stride; columns are adjacent."""


class Planes(Struct, frozen=True):
    """Y of shape (height, width), U and V of shape (ceil(height/2), ceil(width/2)), BT.601 or BT.709 limited range."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @classmethod
    def empty(cls, width: int, height: int) -> Planes:
        """Planes in one contiguous I420 buffer, as encoders like it; the samples are not initialised."""
        return cls.over(np.empty(i420_bytes(width, height), np.uint8), width, height)

    @classmethod
    def over(cls, buffer: NDArray[np.uint8], width: int, height: int) -> Planes:
        """Views over a packed I420 buffer of `i420_bytes(width, height)` bytes."""
        half_w, half_h = (width + 1) // 2, (height + 1) // 2
        luma, chroma = width * height, half_w * half_h
        return cls(
            buffer[:luma].reshape(height, width),
            buffer[luma : luma + chroma].reshape(half_h, half_w),
            buffer[luma + chroma : luma + 2 * chroma].reshape(half_h, half_w),
        )


def i420_bytes(width: int, height: int) -> int:
    """Bytes of a packed I420 picture."""
    return width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)


class FrameTime(Struct, frozen=True):
    """When the sensor read the picture, and which picture it was.

    `index` counts what the camera delivered since it was opened: a jump is a picture lost before it reached us.
    """

    index: int
    monotonic_ns: int
    wall_ns: int
