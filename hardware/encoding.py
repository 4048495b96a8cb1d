"""What every H.264 encoder here has in common: when a keyframe is due, and what comes out with a frame's unit."""

from __future__ import annotations

import threading

from msgspec import Struct

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.access_unit import AccessUnit, VideoFormat


class FrameOrigin(Struct, frozen=True):
    """What must come out with the unit of a frame that went in."""

    pts_ns: int
    wall_ns: int
    index: int
    mask_digest: str
    opaque: bool
    view: str
    duration_ns: int

    @classmethod
    def of(cls, frame: MaskedFrame, duration_ns: int) -> FrameOrigin:
        """`duration_ns`: how long the frame is likely to stand."""
        time = frame.time
        return cls(time.monotonic_ns, time.wall_ns, time.index, frame.mask_digest, frame.opaque, str(frame.view), duration_ns)

    def unit(self, data: bytes, *, keyframe: bool, dts_ns: int | None = None) -> AccessUnit:
        """The unit; decoded when it is shown, unless `dts_ns` says otherwise."""
        return AccessUnit(
            data=data,
            keyframe=keyframe,
            pts_ns=self.pts_ns,
            dts_ns=self.pts_ns if dts_ns is None else dts_ns,
            duration_ns=self.duration_ns,
            wall_ns=self.wall_ns,
            index=self.index,
            mask_digest=self.mask_digest,
            opaque=self.opaque,
            view=self.view,
        )


class KeyframeClock:
    """Keyframes by media time, not by a count of frames: a camera that slows down at night keeps the length of its GOPs.

    `request` may come from any thread; `due` from the encoder's alone.
    """

    def __init__(self, period_s: float) -> None:
        self.period_ns = round(period_s * NS)
        self._wanted = threading.Event()
        self._last_ns: int | None = None

    def request(self) -> None:
        """The next frame is to be a keyframe."""
        self._wanted.set()

    def due(self, now_ns: int, duration_ns: int) -> bool:
        """Whether the frame of `now_ns` is to be one; then the time runs anew."""
        asked = self._wanted.is_set()
        if asked:
            self._wanted.clear()
        # Half a frame of slack: jitter must not push a keyframe to the frame after.
        due = asked or self._last_ns is None or now_ns - self._last_ns + duration_ns // 2 >= self.period_ns
        if due:
            self._last_ns = now_ns
        return due


class KnownFormat:
    """The format of the stream, known with its first parameter sets."""

    def __init__(self) -> None:
        self._found: VideoFormat | None = None

    def learn(self, width: int, height: int, fps: float, sets: bytes) -> None:
        """Take the first parameter sets; later ones change nothing."""
        if self._found is None:
            self._found = VideoFormat("h264", width, height, fps, sets)

    @property
    def is_known(self) -> bool:
        """Whether `get` may be called."""
        return self._found is not None

    def get(self) -> VideoFormat:
        """Raises EncoderError before the first access unit."""
        if self._found is None:
            raise EncoderError(
                say("the video format is not known before the first access unit"), remedy=say("Encode a picture first")
            )
        return self._found


def parameter_sets(annex_b: bytes) -> bytes:
    """SPS and PPS of an access unit, as Annex B with four-byte start codes; empty when it carries none."""
    kept = b""
    for nal in annex_b.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")[1:]:
        if nal and nal[0] & 0x1F in (7, 8):
            kept += b"\x00\x00\x00\x01" + nal.rstrip(b"\x00")
    return kept
