"""Camera to masked frame in one step: take a raw frame, let the guard judge it, cover it, give the buffer back.

Downstream of this module nothing can name, hold or receive a raw frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.ports.health import NO_PICTURE
from agent.stream.capture import Capture
from agent.stream.shutter import Shutter, shut
from agent.view.guard import Guard
from agent.view.live_validation import LiveValidation


class LastShown(Struct, frozen=True):
    """What left the mask last: closed or not, and why it was closed or held."""

    opaque: bool
    reason: str


class Masking:
    """Guard and mask in front of everything else. The pipeline thread calls `next`; `replace` may come from any thread.

    `shutter` may cover what the guard would show, and take away every frame; it has no way to show what the guard covers.
    """

    def __init__(
        self,
        capture: Capture,
        guard: Guard,
        mask: PrivacyMask,
        validation: LiveValidation | None = None,
        shutter: Shutter | None = None,
    ) -> None:
        self._capture = capture
        self._shutter = shutter
        self._validation = validation
        self._privacy = (guard, mask)
        self.cover: Cover = Cover.closed(NO_PICTURE)
        self.masked = 0
        self.opaque = 0
        self.held = 0
        self.shown = LastShown(True, NO_PICTURE)

    @property
    def dark(self) -> str:
        """Why the camera is closed on purpose; empty when it is not."""
        return self._shutter.dark() if self._shutter is not None else ""

    def sight(self) -> ViewState | None:
        """What the guard made of the last frame, covered or not; None while none comes. Any thread."""
        return self.cover.state if self._capture.connected else None

    def replace(self, guard: Guard, mask: PrivacyMask) -> None:
        """Judge and cover by these from the next frame on: a reload or a new validation. Both change in one step."""
        self._privacy = (guard, mask)

    @contextmanager
    def next(self, timeout_s: float) -> Iterator[MaskedFrame | None]:
        """The next frame, masked; None when none came in time. Raises Closed after the last one.

        The planes are only valid inside the `with` block: afterwards the camera writes into them again.
        """
        raw = self._capture.take(timeout_s)
        dark = self.dark
        if dark:
            self.cover, self.shown = Cover.closed(dark), LastShown(True, dark)
        if raw is None or dark:
            if raw is not None:
                raw.release()
            yield None
            return
        try:
            guard, mask = self._privacy
            if raw.corrupt:  # it is no witness of anything: neither guard nor validation may learn from it
                self.cover = cover = Cover.corrupt()
            else:
                if self._validation is not None:
                    self._validation.offer(raw)
                self.cover = cover = guard.observe(raw)
            if self._shutter is not None:  # after the guard: what it looked at must not be newer than what was ruled for
                self.cover = cover = shut(cover, self._shutter.covered())
            frame = mask.apply(raw, cover)
            self.masked += 1
            self.opaque += frame.opaque
            self.held += frame.held
            self.shown = LastShown(frame.opaque, frame.reason)
            yield frame
        finally:
            raw.release()
