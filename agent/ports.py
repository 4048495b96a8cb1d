"""What the agent asks of drivers. Everything in hardware/ implements one of these; nothing here imports a driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from agent.video.access_unit import AccessUnit, VideoFormat

if TYPE_CHECKING:
    from agent.video.frame import RawFrame
    from agent.video.privacy_mask import MaskedFrame


class Camera(Protocol):
    """A picture source. One thread (the capture thread) calls everything but `cancel`."""

    def open(self) -> None:
        """Start delivering. Raises CameraError with the remedy when the source is missing or refuses."""
        ...

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next picture, or None when none came within `timeout_s`.

        Raises CameraEnded at the end of a film without loop, CameraError when the source broke: close, wait, open again.
        """
        ...

    def close(self) -> None:
        """Stop and free everything; idempotent; returns within two seconds even when the hardware hangs."""
        ...

    def figures(self) -> Mapping[str, float | str]:
        """What the driver knows of itself, for health: exposure, gain, lux, focus, reconnects...; cheap, any thread."""
        ...


class Encoder(Protocol):
    """Turns masked pictures, and only masked pictures, into access units. One thread calls it."""

    def encode(self, frame: MaskedFrame) -> Sequence[AccessUnit]:
        """Hand over one picture; the units that became ready (none or several). The picture may be reused on return."""
        ...

    def flush(self) -> Sequence[AccessUnit]:
        """The units still inside; afterwards the encoder is closed."""
        ...

    def request_keyframe(self) -> None:
        """Make the next picture an IDR picture; any thread."""
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


class ServiceManager(Protocol):
    """The supervisor's line to whoever started the daemon (systemd, or nobody)."""

    def ready(self) -> None:
        """Everything runs: the first masked frame is encoded."""
        ...

    def alive(self) -> None:
        """Frames, masks and disk have progressed since the last call."""
        ...

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`."""
        ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    @property
    def watchdog_s(self) -> float | None:
        """How often at least `alive` is expected; None when nobody watches."""
        ...


@dataclass(frozen=True, slots=True)
class BoardFigures:
    """What the board says of itself; None where it cannot tell."""

    temperature_c: float | None = None
    throttled: bool | None = None
    undervoltage: bool | None = None
    load_1m: float | None = None
    rss_bytes: int | None = None
    uptime_s: float | None = None
    more: Mapping[str, float | str] = field(default_factory=dict)


class Board(Protocol):
    """Temperature, throttling, load: read on the health thread, within 50 ms."""

    def read(self) -> BoardFigures: ...


@dataclass(frozen=True, slots=True)
class Publication:
    """One MQTT message. `payload` None deletes a retained topic."""

    topic: str
    payload: bytes | None
    qos: int = 1
    retain: bool = False
    user_properties: tuple[tuple[str, str], ...] = ()
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    content_type: str | None = None
