"""From a decoded AVFrame of any format and size to our own planar 4:2:0, limited range, upright."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from agent.picture.planes import Plane, Planes

I420 = "yuv420p"
_RGB = 0
"""AVCOL_SPC_RGB: the samples have no YUV matrix yet."""


class FrameWriter:
    """Writes decoded frames into planes of one size. One thread; keeps swscale's tables between frames.

    A frame of the right format, range and size costs one copy. Any other is converted by swscale first (bicubic), on
    one thread: a node's cores have better work. `rotation` 180 turns it while copying.
    """

    def __init__(self, width: int, height: int, rotation: int = 0) -> None:
        self._width = width
        self._height = height
        self._upside_down = rotation == 180
        self._converter = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the planes it fills."""
        return self._width, self._height

    def write(self, frame: av.VideoFrame, into: Planes) -> None:
        """Fill `into`; `frame` is only read. Raises av.error.FFmpegError when swscale refuses its format."""
        if not self._fits(frame):
            frame = self._convert(frame)
        for plane, target in zip(frame.planes, (into.y, into.u, into.v), strict=True):
            samples = _samples(plane, target.shape[1], target.shape[0])
            if self._upside_down:
                cv2.flip(samples, -1, dst=target)
            else:
                np.copyto(target, samples)

    def _fits(self, frame: av.VideoFrame) -> bool:
        return (
            frame.format.name == I420
            and (frame.width, frame.height) == (self._width, self._height)
            and frame.color_range != ColorRange.JPEG
        )

    def _convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        return self._converter.reformat(
            frame,
            width=self._width,
            height=self._height,
            format=I420,
            dst_colorspace=Colorspace.ITU601 if frame.colorspace == _RGB else None,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )


def _samples(plane: Any, columns: int, rows: int) -> Plane:
    """A view of the plane's samples without the padding at the end of its rows; valid as long as the AVFrame."""
    padded = np.frombuffer(plane, np.uint8).reshape(rows, plane.line_size)
    samples: Plane = padded[:, :columns]
    return samples
