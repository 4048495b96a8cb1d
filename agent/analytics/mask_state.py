"""Says to the centre whether the frame is masked or closed, and why: `VideoSource/vigie:PrivacyMask`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.base.clock import NS
from agent.base.topic import NODE, WORDS, Topic
from agent.mask.privacy_mask import MaskedFrame
from agent.ports.event import Event, Priority, PropertyOperation

PRIVACY_MASK = "VideoSource/vigie:PrivacyMask"
TOPICS = (
    Topic(
        PRIVACY_MASK,
        "Whether the picture is masked or closed.",
        {"State": {"enum": ["masked", "opaque"], "type": "string"}, "Reason": WORDS},
        {"Source": NODE},
        grade="alarm when opaque",
    ),
)
CLOSED_S = 1.0
"""A frame closed for less than this is the guard at work; longer, somebody should know."""
MASKED_S = 2.0
BY_STATEMENT = "no mask is needed here, by the statement in the configuration"
_STATEMENT_DIGEST = "none-needed"


class PrivacyMaskDetector:
    """One property: `State` is `masked` or `opaque`, `Reason` says why. Always on. One thread; time comes from the frames."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._told: tuple[str, str] | None = None
        self._seen: tuple[str, str] | None = None
        self._since_ns = 0

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        """Look at one frame; the event when what it shows has lasted."""
        now_ns = frame.time.monotonic_ns
        seen = _state(frame)
        if seen != self._seen or now_ns < self._since_ns:
            self._seen, self._since_ns = seen, now_ns
        if seen == self._told:
            return ()
        hold_s = CLOSED_S if seen[0] == "opaque" else 0.0 if self._told is None else MASKED_S
        if now_ns - self._since_ns < round(hold_s * NS):
            return ()
        operation = PropertyOperation.INITIALIZED if self._told is None else PropertyOperation.CHANGED
        self._told = seen
        priority = Priority.ALARM if seen[0] == "opaque" else Priority.PROPERTY
        data = {"State": seen[0], "Reason": seen[1]}
        return (Event(PRIVACY_MASK, frame.time.wall_ns, {"Source": self._source}, data, operation, priority),)

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:  # noqa: ARG002 - no frame, nothing to say of it
        """No frame is neither masked nor closed; signal loss has its own event."""
        return ()


def _state(frame: MaskedFrame) -> tuple[str, str]:
    if frame.opaque:
        return "opaque", frame.reason
    return "masked", BY_STATEMENT if frame.mask_digest == _STATEMENT_DIGEST else ""
