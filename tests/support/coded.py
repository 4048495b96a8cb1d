"""Pictures as an IP camera sends them: through x264 at a bit rate, and back out of a decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from agent.picture.planes import Plane


def through_h264(lumas: Sequence[Plane], kbps: int, fps: int = 5) -> list[Plane]:
    """Each luma after encoder and decoder, in order; colour is grey."""
    rows, columns = lumas[0].shape
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = columns, rows, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate = kbps * 1000
    encoder.options = {"preset": "veryfast", "g": str(2 * fps), "threads": "1", "bf": "0"}
    decoder = av.CodecContext.create("h264", "r")
    packets = [packet for n, luma in enumerate(lumas) for packet in encoder.encode(_picture(luma, n))]
    packets += encoder.encode(None)
    return [luma for packet in [*packets, None] for luma in _lumas(decoder.decode(packet))]


def _picture(luma: Plane, number: int) -> av.VideoFrame:
    grey = np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8)
    picture = av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")
    picture.pts = number
    return picture


def _lumas(pictures: Sequence[av.VideoFrame]) -> Iterator[Plane]:
    for picture in pictures:
        yield np.ascontiguousarray(picture.to_ndarray(format="yuv420p")[: picture.height, : picture.width])
