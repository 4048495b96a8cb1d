"""H.264 by picamera2's encoders, driven from our thread: the hardware's on a Pi 4, x264 where there is none."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.access_unit import AccessUnit, VideoFormat
from hardware.encoding import FrameOrigin, KeyframeClock, KnownFormat, parameter_sets
from hardware.picamera2_buffers import Loan, LoanBook

HARDWARE_DEVICE = Path("/dev/video11")
MOST_INSIDE = 12
"""Pictures inside the encoder before it is given up: with all its 16 buffers taken, the next call would never return."""
FLUSH_S = 3.0


def has_hardware_encoder() -> bool:
    """True on boards up to the Pi 4, whose video core encodes H.264; False without picamera2, too."""
    if not HARDWARE_DEVICE.exists():
        return False
    try:
        from picamera2.platform import Platform, get_platform
    except (ImportError, OSError):
        return False
    return bool(get_platform() == Platform.VC4)


class PicameraEncoder:
    """Encodes the requests behind masked frames; takes no other. One thread calls `encode` and `flush`.

    The request is found by the masked planes themselves, and sealed first: from then on the buffer holds what the mask
    left. picamera2's `start_encoder` is never used: it would hand over requests before they are masked.
    `hardware` chooses H264Encoder, else LibavH264Encoder. `crf` becomes a fixed quantiser: neither knows crf.
    """

    def __init__(
        self,
        loans: LoanBook,
        fps: float,
        *,
        hardware: bool,
        bitrate_kbps: int | None = None,
        crf: int | None = None,
        keyframe_seconds: float = 2.0,
        preset: str = "superfast",
    ) -> None:
        self._loans = loans
        self._fps = fps
        self._hardware = hardware
        self._rate = {"bitrate": bitrate_kbps * 1000 if bitrate_kbps else None, "qp": None if bitrate_kbps else crf}
        self._keyframes = KeyframeClock(keyframe_seconds)
        self._duration_ns = round(NS / fps)
        self._preset = preset
        self._encoder: Any = None
        self._size = (0, 0)
        self._inside: dict[int, FrameOrigin] = {}
        self._ready: queue.SimpleQueue[tuple[bytes, bool, int]] = queue.SimpleQueue()
        self._first_us = 0
        self._format = KnownFormat()

    def encode(self, frame: MaskedFrame) -> Sequence[AccessUnit]:
        """The units that are ready by now: the hardware's come a frame or two later."""
        loan = self._loans.of(frame.planes)
        if loan is None:
            raise EncoderError(
                say("this picture does not lie in a buffer of the camera"),
                remedy=say("Use the encoder of encoder_libav for other cameras"),
            )
        if len(self._inside) >= MOST_INSIDE:
            raise EncoderError(
                say("the encoder holds {most_inside} pictures and returns none", most_inside=MOST_INSIDE),
                remedy=say("It is opened anew"),
            )
        loan.seal()
        if self._encoder is None:
            self._start(loan)
        if self._keyframes.due(frame.time.monotonic_ns, self._duration_ns):
            self._encoder.force_key_frame()
        stamp_us = int(loan.sensor_ns / 1000) - self._first_us  # exactly as picamera2 reckons it
        self._inside[stamp_us] = FrameOrigin.of(frame, self._duration_ns)
        try:
            self._encoder.encode("main", loan.request)
        except (OSError, RuntimeError, ValueError) as error:
            raise EncoderError(say("the encoder failed ({why})", why=error), remedy=say("It is opened anew")) from error
        return self._units()

    def flush(self) -> Sequence[AccessUnit]:
        """Stop the encoder; the units still inside."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            # stop() joins the encoder's thread, which waits for the hardware.
            stopping = threading.Thread(target=encoder.stop, name="encoder stop", daemon=True)
            stopping.start()
            stopping.join(FLUSH_S)
        return self._units()

    def request_keyframe(self) -> None:
        self._keyframes.request()

    @property
    def format(self) -> VideoFormat:
        return self._format.get()

    def _start(self, loan: Loan) -> None:
        layout = loan.request.config["main"]
        if self._hardware:
            from picamera2.encoders import H264Encoder

            encoder = H264Encoder(repeat=True, framerate=self._fps, **self._rate)
            # The hardware's own period is a net below our keyframes, which follow media time.
            encoder.iperiod = max(1, round(2 * self._fps * self._keyframes.period_ns / NS))
        else:
            encoder = _software_encoder()(repeat=True, iperiod=0, framerate=round(self._fps), **self._rate)
            encoder.preset = self._preset
        encoder.width, encoder.height = self._size = layout["size"]
        encoder.format, encoder.stride = layout["format"], layout["stride"]
        encoder.output = _outlet(self._ready)
        try:
            encoder.start()
        except (OSError, RuntimeError, ValueError) as error:
            raise EncoderError(
                say(
                    "the {what} encoder does not start ({why})",
                    what=say("hardware") if self._hardware else say("software"),
                    why=error,
                ),
                remedy=say("Is another program encoding? See dmesg"),
            ) from error
        self._first_us = int(loan.sensor_ns / 1000)
        self._encoder = encoder

    def _units(self) -> list[AccessUnit]:
        units = []
        while not self._ready.empty():
            data, keyframe, stamp_us = self._ready.get()
            origin = self._inside.pop(stamp_us, None)
            if origin is None:
                raise EncoderError(
                    say("the encoder returned a picture nobody gave it ({stamp_us} us)", stamp_us=stamp_us),
                    remedy=say("Report this as a bug"),
                )
            # What went in before and did not come out was thrown away by the encoder.
            for older in [s for s in self._inside if s < stamp_us]:
                del self._inside[older]
            units.append(self._unit(data, keyframe, origin))
        return units

    def _unit(self, data: bytes, keyframe: bool, origin: FrameOrigin) -> AccessUnit:
        if keyframe:
            sets = parameter_sets(data)
            if sets:
                self._format.learn(*self._size, self._fps, sets)
            elif self._format.is_known:
                data = self._format.get().extradata + data
        return origin.unit(data, keyframe=keyframe)


def _software_encoder() -> Any:
    """picamera2's LibavH264Encoder with keyframes on demand: its own sets the picture type to "I", which PyAV 14 refuses."""
    from av.video.frame import PictureType, VideoFrame
    from picamera2 import MappedArray
    from picamera2.encoders import LibavH264Encoder

    class SoftwareEncoder(LibavH264Encoder):  # type: ignore[misc]
        keyframe_wanted = False

        def force_key_frame(self) -> None:
            self.keyframe_wanted = True

        def _encode(self, stream: str, request: Any) -> None:
            with MappedArray(request, stream, write=False) as mapped:
                frame = VideoFrame.from_numpy_buffer(mapped.array, format=self._av_input_format, width=self.width)
                frame.pts = self._timestamp(request)
                if self.keyframe_wanted:
                    self.keyframe_wanted = False
                    frame.pict_type = PictureType.I
                # x264 has copied the frame on return: the request need not be held.
                for packet in self._stream.encode(frame):
                    self.outputframe(bytes(packet), packet.is_keyframe, timestamp=packet.pts, packet=packet)

    return SoftwareEncoder


def _outlet(ready: queue.SimpleQueue[tuple[bytes, bool, int]]) -> Any:
    """picamera2's Output that only queues; it is called on the encoder's own thread."""
    from picamera2.outputs import Output

    class Outlet(Output):  # type: ignore[misc]
        def outputframe(
            self, frame: Any, keyframe: bool = True, timestamp: int | None = None, _packet: Any = None, audio: bool = False
        ) -> None:
            if not audio:
                ready.put((bytes(frame), bool(keyframe), int(timestamp or 0)))

    return Outlet()
