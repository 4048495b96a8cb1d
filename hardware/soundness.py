"""Which decoded frames are what the camera saw, and which a decoder made up in part, or built on one that it made up."""

from __future__ import annotations

from collections.abc import Sequence

import av
import av.codec.context
from av.video.frame import PictureType

from hardware.h264_references import References


def strict(codec: av.codec.context.CodecContext) -> None:
    """Make the decoder say what it would hide: a cut JPEG decodes to half a picture over an old one, without a word."""
    if codec.name == "mjpeg":
        codec.options = {**codec.options, "err_detect": "explode"}


class Soundness:
    """Follows one decoder from its opening: every packet before it is decoded, every frame as it comes out. One thread.

    FFmpeg flags a frame it conceals, and not those predicted from it: nothing counts until a frame that rests on
    no other, or until as many frames have gone by as the stream itself says it takes to recover.
    """

    def __init__(self, codec: av.codec.context.CodecContext) -> None:
        self._references = References(codec.extradata) if codec.name == "h264" else None
        self._sound = False
        self._damaged_at: int | None = None
        """Presentation time of the latest damage, in ticks; a keyframe shown before it mends nothing."""
        self._recovers_at: int | None = None
        self._recovering: int | None = None
        self._packet_at: int | None = None
        self._waiting: list[av.VideoFrame] = []

    def packet(self, packet: av.Packet) -> None:  # type: ignore[type-arg]
        """Before it is decoded."""
        if not packet.size:
            return
        self._packet_at = packet.pts
        if packet.is_corrupt:
            self.failed()
        if self._references is None:
            return
        if self._references.lost(bytes(packet)):
            self._damage(None if packet.pts is None else packet.pts - 1)
        if self._recovering is not None:
            self._recovering -= 1
        elif self._references.recovers_after is not None and not self._sound:
            self._recovering = self._references.recovers_after
        if self._recovering is not None and self._recovering <= 0:
            self._recovers_at, self._recovering = packet.pts, None

    def failed(self) -> None:
        """The decoder refused the packet it was given last."""
        self._damage(self._packet_at)

    def judged(self, frame: av.VideoFrame) -> Sequence[tuple[av.VideoFrame, bool]]:
        """The frames that are due now that this one came out, in order, and whether each may be shown and judged.

        A B picture may be predicted from one that comes out behind it, so it waits for the next that is none.
        """
        self._waiting.append(frame)
        if frame.pict_type == PictureType.B:
            return ()
        due, self._waiting = self._waiting, []
        verdicts = [self.sound(each) for each in due]
        concealed = any(each.is_corrupt for each in due)
        return [(each, sound and not concealed) for each, sound in zip(due, verdicts, strict=True)]

    def sound(self, frame: av.VideoFrame) -> bool:
        """The same for a frame at once; what was made up of one behind it is then found out too late."""
        if frame.is_corrupt:
            self._damage(frame.pts)
        elif not self._sound and self._mends(frame):
            self._sound = True
        return self._sound

    def _damage(self, at: int | None) -> None:
        self._sound, self._damaged_at = False, at
        self._recovering = self._recovers_at = None

    def _mends(self, frame: av.VideoFrame) -> bool:
        at = frame.pts
        if self._recovers_at is not None and at is not None and at >= self._recovers_at:
            return True
        fresh = at is None or self._damaged_at is None or at > self._damaged_at
        return fresh and frame.key_frame and frame.pict_type == PictureType.I
