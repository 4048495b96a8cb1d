"""The privacy mask: the only way from a RawFrame to a MaskedFrame."""

from __future__ import annotations

from typing import final

from agent.video.picture import FrameTime, Plane, Planes


class _Seal:
    """Held by this module alone: who cannot name it cannot make a MaskedFrame."""


_SEAL = _Seal()


@final
class MaskedFrame:
    """A picture on which every private space is covered. Sinks take this type and no other.

    `small` is the masked analysis luma (about 640x360, same field of view). `opaque` is True when the whole picture is
    covered; `reason` then says why, in words. `mask_digest` names the geometry that lies on the picture.
    The planes are only valid until the pipeline hands the buffer back, that is until the sink returns.
    """

    __slots__ = ("mask_digest", "opaque", "planes", "reason", "small", "time")

    def __init__(
        self,
        seal: _Seal,
        planes: Planes,
        small: Plane,
        time: FrameTime,
        mask_digest: str,
        *,
        opaque: bool,
        reason: str,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only the privacy mask makes a MaskedFrame")
        self.planes = planes
        self.small = small
        self.time = time
        self.mask_digest = mask_digest
        self.opaque = opaque
        self.reason = reason
