"""Says to the centre that the camera hangs: `VideoSource/vigie:PictureFrozen`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.analytics.held_state import HeldState
from agent.base.topic import picture_state
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.sameness import Sameness
from agent.ports.event import Event, Priority

PICTURE_FROZEN = "VideoSource/vigie:PictureFrozen"
TOPICS = (picture_state(PICTURE_FROZEN, "The camera sends one picture again and again."),)


class FrozenPictureDetector:
    """One property, always on for a live camera. One thread; time comes from the frames.

    It asks what `Sameness` saw of the picture before the mask: caption and covers change what a frozen camera sends.
    """

    def __init__(self, source: str, sameness: Sameness) -> None:
        self._sameness = sameness
        self._state = HeldState(PICTURE_FROZEN, source, rise_s=0.0, fall_s=0.0, priority=Priority.ALARM)

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        """Look at one frame; the event that begins or ends with it."""
        return self._state.observe(self._sameness.frozen, frame.time.monotonic_ns, frame.time.wall_ns)

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:  # noqa: ARG002 - no frame, nothing to say of it
        """Signal loss has its own event."""
        return ()
