"""What the recorder does for a signed stream: every segment begins with the certificate and ends signed, or it is told."""

from __future__ import annotations

from collections.abc import Callable

from agent.picture.access_unit import AccessUnit
from agent.recording.segment import Segment
from agent.signing.signed_unit import certificate_of, closing_unit, with_seis


class Signatures:
    """One stream, one thread. `unclosed` counts segments of a signed stream that ended without the signature over their last
    pictures; `lost` is told of the first of several in a row. `close` has the signer close what it has signed so far, with
    a closing unit that is offered before it returns True; None where nothing is signed."""

    def __init__(self, close: Callable[[], bool] | None, lost: Callable[[str], None]) -> None:
        self._close = close
        self._lost = lost
        self._certificate: bytes | None = None
        self._signed = False
        self._told = False
        self.unclosed = 0

    def certified(self, keyframe: AccessUnit, *, begins: bool) -> AccessUnit:
        """A keyframe of the stream; one that begins a segment gets the certificate where it brings none.

        Where keyframes follow one another closely, not each of them brings it.
        """
        own = certificate_of(keyframe)
        self._certificate = own or self._certificate
        if not begins or own is not None or self._certificate is None:
            return keyframe
        return with_seis(keyframe, [self._certificate])

    def close(self, segment: Segment, closing: AccessUnit) -> None:
        """Put the closing unit behind the newest picture."""
        self._signed |= segment.sign_end(closing)

    def close_before(self, segment: Segment, keyframe: AccessUnit) -> None:
        """The signature over the last GOP of a segment comes with the keyframe that begins the next."""
        if segment.last is not None and not segment.closed:
            closing = closing_unit(segment.last, keyframe)
            if closing is not None:
                self.close(segment, closing)

    def ready(self, segment: Segment) -> bool:
        """May the newest picture go to disk, which takes it for good? Its closing signature is asked for first.

        The picture that comes next would bring the signature, but who knows whether one comes; and a closing unit that comes
        once the picture is on disk has no place any more.
        """
        return segment.closed or self._close is None or not self._close()

    def look_at_end(self, segment: Segment) -> None:
        """Tell when a segment of a signed stream ends unsigned: its last pictures cannot be proved."""
        lost = self._signed and segment.extent.frames > 0 and not segment.ends_signed
        self.unclosed += lost
        if lost and not self._told:
            self._lost("the last pictures of a segment carry no signature: `vigie verify` names them")
        self._told = lost
