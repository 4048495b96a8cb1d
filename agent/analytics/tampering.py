"""Tampering: the frame is too dark, too bright or too blurry, is gone, or shows another scene."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import cv2
import numpy as np
from msgspec import Struct

from agent.analytics.held_state import HeldState, Reading
from agent.analytics.sharpness import Sharpness
from agent.base.clock import NS
from agent.base.topic import picture_state
from agent.config.model import Tampering
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.cover import ViewState
from agent.ports.event import Event, Priority

DARK = "VideoSource/ImageTooDark/ImagingService"
BRIGHT = "VideoSource/ImageTooBright/ImagingService"
BLURRY = "VideoSource/ImageTooBlurry/ImagingService"
SIGNAL_LOSS = "VideoSource/SignalLoss"
SCENE_CHANGE = "VideoSource/GlobalSceneChange/ImagingService"
_KEY = "tampering.enabled"
TOPICS = (
    picture_state(DARK, "The picture is too dark to see anything.", key=_KEY, still=True),
    picture_state(BRIGHT, "The picture is too bright to see anything.", key=_KEY, still=True),
    picture_state(BLURRY, "The picture is out of focus.", key=_KEY, still=True),
    picture_state(SIGNAL_LOSS, "No pictures come.", key=_KEY),
    picture_state(SCENE_CHANGE, "The camera looks elsewhere.", key=_KEY, still=True),
)
"""What a running detector states."""

EVERY_NS = 2 * NS // 5
"""Darkness and blur are looked at two or three times a second: they last."""
LEAST_VISIBLE = 0.02
"""Of the picture; of less than this nothing is said."""


class Band(Struct, frozen=True):
    """A threshold with hysteresis: beyond `begins` is yes, back beyond `ends` is no, between them nothing is said."""

    begins: float
    ends: float

    def read(self, figure: float) -> Reading:
        low = self.begins < self.ends
        if (figure <= self.begins) if low else (figure >= self.begins):
            return True
        if (figure >= self.ends) if low else (figure <= self.ends):
            return False
        return None


MEAN_DARK = Band(begins=30.0, ends=36.0)
"""Mean luma of what is visible, limited range: black is 16."""
MEAN_BRIGHT = Band(begins=222.0, ends=212.0)
SHARPNESS = Band(begins=0.24, ends=0.32)
"""Of `Sharpness`: about 3 and 2 samples of blur (one sigma) on a frame 640 wide; docs/detection.md has those of films."""


class TamperDetector:
    """Raises ONVIF's tampering events. One thread calls it; time comes from the frames, or the caller when there are none."""

    def __init__(self, source: str, settings: Tampering) -> None:
        hold = settings.hold_seconds

        def held(topic: str, rise_s: float, priority: Priority = Priority.ALARM) -> HeldState:
            return HeldState(topic, source, rise_s=rise_s, fall_s=hold, priority=priority)

        self._enabled = settings.enabled
        self._dark = held(DARK, hold)
        self._bright = held(BRIGHT, hold)
        self._blurry = held(BLURRY, hold)
        self._lost = held(SIGNAL_LOSS, hold)
        self._moved = held(SCENE_CHANGE, 0.0)  # the guard has thought about it long enough
        self._sharpness = Sharpness()
        self._next_ns = 0

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        """Look at one frame; the events that begin or end with it."""
        if not self._enabled:
            return ()
        now_ns, wall_ns = frame.time.monotonic_ns, frame.time.wall_ns
        events = [*self._lost.observe(False, now_ns, wall_ns), *self._moved.observe(_has_moved(frame.view), now_ns, wall_ns)]
        if not (self._next_ns - EVERY_NS <= now_ns < self._next_ns):
            self._next_ns = now_ns + EVERY_NS
            dark, bright, blurry = self._look(frame)
            events += chain(
                self._dark.observe(dark, now_ns, wall_ns),
                self._bright.observe(bright, now_ns, wall_ns),
                self._blurry.observe(blurry, now_ns, wall_ns),
            )
        return events

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:
        """There was no frame for a while, up to this instant."""
        return self._lost.observe(True, monotonic_ns, wall_ns) if self._enabled else ()

    def _look(self, frame: MaskedFrame) -> tuple[Reading, Reading, Reading]:
        """Dark, bright, blurry; nothing is said of a closed frame, nor of blur where there is no light to see it by."""
        if frame.opaque:
            return None, None, None
        visible = np.asarray(cv2.bitwise_not(frame.hidden), np.uint8)
        seen = visible[::4]
        if cv2.countNonZero(seen) < LEAST_VISIBLE * seen.size:
            return None, None, None
        mean = cv2.mean(frame.small[::4], seen)[0]
        dark, bright = MEAN_DARK.read(mean), MEAN_BRIGHT.read(mean)
        sharp = self._sharpness.measure(frame.small, visible)
        blurry = SHARPNESS.read(sharp) if sharp is not None and dark is False and bright is False else None
        return dark, bright, blurry


def _has_moved(view: str) -> Reading:
    if view == ViewState.UNCERTAIN:
        return None
    return view == ViewState.MOVED
