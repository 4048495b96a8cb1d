"""One masked frame on request: what the centre sees when it asks for a snapshot."""

from __future__ import annotations

import threading

from msgspec import Struct

from agent.base.clock import Clock, rfc3339
from agent.base.errors import CameraError, EncoderError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame
from agent.stream.still import jpeg

MOST_BYTES = 48 * 1024
PATIENCE_S = 5.0


class Still(Struct, frozen=True):
    """A masked JPEG, when it was taken (RFC 3339), and what lay on it."""

    jpeg: bytes
    at: str
    opaque: bool
    reason: str
    mask_digest: str


class SnapshotTaker:
    """The pipeline thread calls `show`, which works only while somebody waits in `take`; one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taking = threading.Lock()
        self._wanted_px = 0
        self._most_bytes = MOST_BYTES
        self._done = threading.Event()
        self._still: Still | None = None
        self._fault = ""

    def show(self, frame: MaskedFrame) -> None:
        """Make the still that is waited for out of this frame; a held one is no new one, and the next is waited for."""
        if frame.held:
            return
        width, self._wanted_px = self._wanted_px, 0
        if not width:
            return
        try:
            picture = jpeg(frame, width=width, most_bytes=self._most_bytes)
            at = rfc3339(frame.time.wall_ns)
            self._still = Still(picture, at, frame.opaque, frame.reason, frame.mask_digest)
        except EncoderError as error:
            self._fault = str(error)
        self._done.set()

    def take(self, width: int, patience_s: float = PATIENCE_S, *, most_bytes: int = MOST_BYTES) -> Still:
        """The next masked frame, at most `width` wide. CameraError when none comes, EncoderError when it does not fit."""
        with self._taking:
            self._still, self._fault = None, ""
            self._done.clear()
            self._most_bytes = most_bytes
            self._wanted_px = width
            if not self._clock.wait(self._done, patience_s):
                self._wanted_px = 0
                raise CameraError(
                    say("no picture came within {patience_s:.0f} s", patience_s=patience_s),
                    remedy=say("health says what the camera does"),
                )
            still = self._still
        if still is None:
            raise EncoderError(self._fault)
        return still
