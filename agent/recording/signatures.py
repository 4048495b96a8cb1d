"""What the recorder does for a signed stream: every segment begins with the certificate and ends signed, or it is told."""

from __future__ import annotations

from collections.abc import Callable

from agent.picture.access_unit import AccessUnit
from agent.recording.segment import Segment
from agent.signing import nal
from agent.signing.signed_unit import certificate_of, closing_unit, opened


class Signatures:
    """One stream, one thread. `unclosed` counts segments of a signed stream that ended without the signature over their last
    frames; `lost` is told of the first of several in a row. `close` has the signer close what it has signed so far, with
    a closing unit that is offered before it returns True; None where nothing is signed."""

    def __init__(self, close: Callable[[], bool] | None, lost: Callable[[str], None]) -> None:
        self._close = close
        self._lost = lost
        self._certificate: bytes | None = None
        self._closing: bytes | None = None  # of the newest frame
        self._signed = False
        self._told = False
        self.unclosed = 0

    def opened(self, unit: AccessUnit, *, begins: bool) -> AccessUnit:
        """The next frame of the stream; a keyframe that begins a segment gets what every film begins with, where it lacks it.

        Not each keyframe brings the certificate where they follow one another closely, and none brings the signature over
        the GOP before when a closing unit did.
        """
        closing, self._closing = self._closing, None
        if unit.keyframe:
            self._certificate = certificate_of(unit) or self._certificate
        return opened(unit, closing, self._certificate) if begins and unit.keyframe else unit

    def close(self, segment: Segment, closing: AccessUnit) -> None:
        """Put the closing unit behind the newest frame."""
        self._closing = next(nal.units(closing.data), None)
        self._signed |= segment.sign_end(closing)

    def close_before(self, segment: Segment, keyframe: AccessUnit) -> None:
        """The signature over the last GOP of a segment comes with the keyframe that begins the next."""
        if segment.last is not None and not segment.closed:
            closing = closing_unit(segment.last, keyframe)
            if closing is not None:
                self.close(segment, closing)

    def ready(self, segment: Segment) -> bool:
        """May the newest frame go to disk, which takes it for good? Its closing signature is asked for first.

        The frame that comes next would bring the signature, but who knows whether one comes; and a closing unit that comes
        once the frame is on disk has no place any more.
        """
        return segment.closed or self._close is None or not self._close()

    def look_at_end(self, segment: Segment) -> None:
        """Tell when a segment of a signed stream ends unsigned: its last frames cannot be proved."""
        lost = self._signed and segment.extent.frames > 0 and not segment.ends_signed
        self.unclosed += lost
        if lost and not self._told:
            self._lost("the last frames of a segment carry no signature: `vigie verify` names them")
        self._told = lost
