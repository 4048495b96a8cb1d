"""What a source really delivers, as against what it was asked for: size, shape, rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from fractions import Fraction

import av

from agent.base.clock import NS
from agent.base.errors import CameraError
from agent.base.phrase import say

SAME_SHAPE = 0.03
"""Shapes that differ by less are one: 1920x1088 and 1920x1080."""
_RATED = 64
"""Over so many frames the rate is taken."""
_NAMED = {Fraction(4, 3): "4:3", Fraction(16, 9): "16:9", Fraction(5, 4): "5:4", Fraction(11, 9): "11:9", Fraction(3, 2): "3:2"}


class Delivered:
    """Of one stream. One thread tells, any may read."""

    def __init__(self, wanted: tuple[int, int]) -> None:
        self._wanted = wanted
        self._dates: deque[int] = deque(maxlen=_RATED)
        self._size = (0, 0)
        self._pixel = Fraction(1)

    def saw(self, frame: av.VideoFrame, pixel_aspect: Fraction | None, monotonic_ns: int) -> None:
        """One decoded frame. CameraError when it would be stretched to fit."""
        self._dates.append(monotonic_ns)
        size, pixel = (frame.width, frame.height), pixel_aspect or Fraction(1)
        if (size, pixel) != (self._size, self._pixel):
            check_shape("camera", size, pixel, self._wanted)
            self._size, self._pixel = size, pixel

    @property
    def smaller(self) -> bool:
        """True when the frame is enlarged, and so holds less than its size says."""
        return 0 < self._size[0] < self._wanted[0] or 0 < self._size[1] < self._wanted[1]

    @property
    def size(self) -> tuple[int, int]:
        """In its own samples; zeros before the first picture."""
        return self._size

    def metrics(self) -> Mapping[str, float | str]:
        """Health; empty before the first picture."""
        if not self._size[0]:
            return {}
        dates = list(self._dates)
        spent_ns = dates[-1] - dates[0]
        return {
            "delivered_width": self._size[0],
            "delivered_height": self._size[1],
            "delivered_aspect": round(float(shape_of(self._size, self._pixel)), 3),
            "delivered_fps": round((len(dates) - 1) * NS / spent_ns, 2) if spent_ns else 0.0,
        }


def shape_of(size: tuple[int, int], pixel_aspect: Fraction) -> Fraction:
    """Width over height, as it is to be shown."""
    return Fraction(*size) * pixel_aspect


def check_shape(source: str, size: tuple[int, int], pixel_aspect: Fraction, wanted: tuple[int, int]) -> None:
    """CameraError when a frame of this size has another shape than the wanted one. `source` is "camera" or "film".

    No bars are added instead: their edges, fixed to the frame, would vouch to the guard for a view that has moved.
    """
    shape, asked = shape_of(size, pixel_aspect), Fraction(*wanted)
    if abs(shape / asked - 1) <= SAME_SHAPE:
        return
    fits = min(Fraction(1), Fraction(wanted[1], size[1]), wanted[0] / (size[1] * shape))
    height = size[1] * fits
    raise CameraError(
        say(
            "the {source}'s picture is {size} ({shape}), and {wanted} ({asked}) was asked for: it would be stretched",
            source=source,
            size=f"{size[0]}x{size[1]}",
            shape=_words(shape),
            wanted=f"{wanted[0]}x{wanted[1]}",
            asked=_words(asked),
        ),
        remedy=say(
            "Set [camera] width = {width} and height = {height}, or another picture in the {source}",
            width=_even(height * shape),
            height=_even(height),
            source=source,
        ),
    )


def _words(shape: Fraction) -> str:
    return next((name for named, name in _NAMED.items() if abs(shape / named - 1) < 0.01), f"{float(shape):.2f}:1")


def _even(samples: Fraction) -> int:
    return 2 * round(samples / 2)
