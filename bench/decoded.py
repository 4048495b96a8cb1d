"""What a viewer sees of a masked picture: through the real encoder and back out of a decoder."""

from __future__ import annotations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.mask.colour import SOLID_YUV
from agent.mask.held_frame import mark_rows
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.planes import Plane
from hardware.encoder_libav import LibavEncoder

LUMA_TOLERANCE, CHROMA_TOLERANCE = 24, 16
"""How far quantisation takes a solid fill at crf 23; a window's frame or curtain is many times that off."""
EDGE_PX = 3
"""A codec's filters carry this much across an edge; every mask is drawn wider than this beyond what it hides."""


class EncodedAndDecoded:
    """Pushes masked pictures through one encoder and one decoder; in order, one in, one out."""

    def __init__(self, width: int, height: int, fps: float) -> None:
        self._encoder = LibavEncoder(width, height, fps, crf=23, threads=1)
        self._decoder = av.CodecContext.create("h264", "r")
        self._decoder.thread_count = 1
        self._decoder.options = {"flags": "low_delay"}
        self._waiting: list[NDArray[np.bool_]] = []
        self._shown: Plane = np.zeros((height, width), np.uint8)
        """What was private on the last new picture."""
        self.compared = 0

    def push(self, frame: MaskedFrame, private: Plane) -> int:
        """How many private samples can be made out on the pictures that came out of the decoder for this one."""
        if frame.opaque:  # the words of the reason lie on a closed picture, and nothing else
            private = np.zeros_like(private)
        elif frame.held:  # it shows the scene as it lay on the last new picture, and a mark
            private = self._shown.copy()
            private[mark_rows(private.shape[0])] = 0
        else:
            self._shown = private
        self._waiting.append(np.asarray(cv2.erode(private, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))) > 0)
        return sum(self._decode(unit.data) for unit in self._encoder.encode(frame))

    def flush(self) -> int:
        """The same of what was still inside."""
        return sum(self._decode(unit.data) for unit in self._encoder.flush()) + self._decode(None)

    def _decode(self, data: bytes | None) -> int:
        bare = 0
        for picture in self._decoder.decode(av.Packet(data) if data is not None else None):
            hidden = self._waiting.pop(0)
            self.compared += 1
            planes = picture.to_ndarray(format="yuv420p")
            height, width = hidden.shape
            luma = planes[:height]
            chroma = planes[height:].reshape(2, height // 2, width // 2)
            bare += int(np.count_nonzero((np.abs(luma.astype(np.int16) - SOLID_YUV[0]) > LUMA_TOLERANCE) & hidden))
            half = hidden[::2, ::2] & hidden[1::2, ::2] & hidden[::2, 1::2] & hidden[1::2, 1::2]
            for plane, fill in ((chroma[0], SOLID_YUV[1]), (chroma[1], SOLID_YUV[2])):
                bare += int(np.count_nonzero((np.abs(plane.astype(np.int16) - fill) > CHROMA_TOLERANCE) & half))
        return bare
