"""What the agent asks of cameras, encoders and muxers. Drivers in hardware/ implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from agent.picture.access_unit import AccessUnit, VideoFormat

if TYPE_CHECKING:
    from agent.mask.privacy_mask import MaskedFrame
    from agent.picture.frame import RawFrame


class Camera(Protocol):
    """A picture source. One thread (the capture thread) calls everything but `metrics`."""

    def open(self) -> None:
        """Start delivering. Raises CameraError with the remedy when the source is missing or refuses."""
        ...

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame, or None when none came within `timeout_s`.

        Raises CameraEnded at the end of a film without loop, CameraError when the source broke: close, wait, open again.
        """
        ...

    def close(self) -> None:
        """Stop and free everything; idempotent; returns within two seconds even when the hardware hangs."""
        ...

    def metrics(self) -> Mapping[str, float | str]:
        """What the driver knows of itself, for health: exposure, gain, lux, focus, reconnects...; cheap, any thread."""
        ...


class Encoder(Protocol):
    """Turns masked frames, and only masked frames, into access units. One thread calls it."""

    def encode(self, frame: MaskedFrame) -> Sequence[AccessUnit]:
        """Hand over one frame; the units that became ready (none or several). The frame may be reused on return."""
        ...

    def flush(self) -> Sequence[AccessUnit]:
        """The units still inside; afterwards the encoder is closed."""
        ...

    def request_keyframe(self) -> None:
        """Make the next frame an IDR picture; any thread."""
        ...

    @property
    def format(self) -> VideoFormat:
        """Known from the first returned access unit on; EncoderError before."""
        ...


class Muxer(Protocol):
    """Turns access units into the boxes of one fragmented MP4. One thread calls it."""

    def write(self, unit: AccessUnit) -> None:
        """Append one access unit to the open fragment; the first must be a keyframe."""
        ...

    def end_fragment(self, next_dts_ns: int | None = None) -> int:
        """Close the open fragment and hand every byte of it to the sink; the bytes handed over so far.

        `next_dts_ns` is when the following unit decodes, where that is known: it ends the last sample exactly.
        """
        ...

    def close(self) -> int:
        """End the last fragment; the bytes handed over in all."""
        ...


class MuxerFactory(Protocol):
    """Makes the muxer of one segment. What opens, writes and syncs the file behind `sink` is the recorder's own."""

    def __call__(self, sink: Callable[[bytes], None], video: VideoFormat) -> Muxer: ...
