"""What a player gets out of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.support.decoded import luma


@dataclass(frozen=True)
class Played:
    """Presentation times in seconds from the start, whether each picture is a keyframe, and the lumas when asked for."""

    times_s: tuple[float, ...]
    keyframes: tuple[bool, ...]
    lumas: tuple[NDArray[np.uint8], ...] = ()


def play(path: Path, *, lumas: bool = False) -> Played:
    """Decode the whole file, strictly: any error in it is an error here."""
    times, keys, pictures = [], [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode(stream):
            assert isinstance(frame, VideoFrame)
            assert frame.time is not None
            times.append(frame.time)
            keys.append(frame.key_frame)
            if lumas:
                pictures.append(luma(frame))
    return Played(tuple(times), tuple(keys), tuple(pictures))
