"""The picture as a camera delivers it: planar YUV 4:2:0, not masked yet.

Only cameras, the view guard and its commissioning, the privacy mask and the composition root may name RawFrame;
import-linter holds this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from agent.picture.planes import FrameTime, Plane, Planes


@final
class RawFrame:
    """One unmasked picture. Its buffer belongs to the camera; `release` gives it back and ends every view of it.

    `small` is a luma plane of about 640x360 (same field of view) when the hardware makes one for free, else None.
    `corrupt` is True when part of it was lost on the way and made up by the decoder, or rests on such a picture: what it
    shows need never have been before the camera, so nobody may judge by it and nobody is shown it.
    """

    __slots__ = ("_release", "corrupt", "planes", "small", "time")

    def __init__(
        self,
        planes: Planes,
        time: FrameTime,
        *,
        small: Plane | None = None,
        corrupt: bool = False,
        release: Callable[[], None] | None = None,
    ) -> None:
        self.planes = planes
        self.time = time
        self.small = small
        self.corrupt = corrupt
        self._release = release

    def release(self) -> None:
        """Give the buffer back; idempotent, any thread."""
        give_back, self._release = self._release, None
        if give_back is not None:
            give_back()
