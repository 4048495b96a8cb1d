"""The pipeline thread: masked frames to the encoder, what it makes to the broadcast, events to the outbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import EncoderError
from agent.base.queues import Closed
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.access_unit import AccessUnit
from agent.ports.event import Event, EventSink
from agent.ports.video import Encoder
from agent.stream.broadcast import Broadcast
from agent.stream.masking import Masking

log = logging.getLogger(__name__)

SILENCE_S = 0.5
"""How long the thread waits for a frame before it tells the detectors that there is none."""


class Detector(Protocol):
    """Looks at every new masked frame, never at a held one; returns what it saw begin or end."""

    def observe(self, frame: MaskedFrame) -> Sequence[Event]: ...

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:
        """There was no frame for a while, up to this instant."""
        ...


class Viewer(Protocol):
    """Looks at every masked frame and raises nothing: the preview of the local page."""

    def show(self, frame: MaskedFrame) -> None: ...


class Illustrator(Protocol):
    """Raises what was seen on a frame, with a still of it where one is wanted."""

    def raise_seen(self, event: Event, frame: MaskedFrame) -> None: ...


class Pipeline(Component):
    """Owns the encoder. `encoded` counts frames; `first_encoded` is set once the first frame came out masked."""

    def __init__(
        self,
        masking: Masking,
        new_encoder: Callable[[], Encoder],
        clock: Clock,
        *,
        broadcast: Broadcast,
        detectors: Sequence[Detector] = (),
        viewers: Sequence[Viewer] = (),
        events: EventSink,
        illustrator: Illustrator | None = None,
    ) -> None:
        super().__init__("pipeline", clock)
        self._masking = masking
        self._new_encoder = new_encoder
        self._broadcast = broadcast
        self.detectors = tuple(detectors)
        self._viewers = tuple(viewers)
        self._events = events
        self._illustrator = illustrator
        self.first_encoded = threading.Event()
        self.encoded = 0
        self.encoded_bytes = 0
        self._encoder: Encoder | None = None
        self._dark = False

    def work(self) -> None:
        """Until the camera's last frame is through; told to stop, what is queued is still encoded."""
        self._encoder = encoder = self._new_encoder()
        self._broadcast.begin(lambda: encoder.format)
        try:
            while True:
                with self._masking.next(SILENCE_S) as frame:
                    if frame is None:
                        if self.stopping.is_set():
                            return
                        self._nothing_came()
                        continue
                    if self._dark:  # what was recorded before is a film of its own: another can begin with this frame
                        self._dark = False
                        encoder.request_keyframe()
                    self._hand_out(encoder.encode(frame))
                    self._look_at(frame)
                self.progressed()
        except Closed:
            log.info("the last frame is through")
        finally:
            self._encoder = None
            self._drain(encoder)

    def request_keyframe(self) -> None:
        """Make the next frame one that a decoder can start from; any thread."""
        encoder = self._encoder
        if encoder is not None:
            encoder.request_keyframe()

    def _look_at(self, frame: MaskedFrame) -> None:
        if not frame.held:  # no new frame: whoever judged it would take a frame that stands for a scene that does
            for detector in self.detectors:
                for event in detector.observe(frame):
                    self._raise_seen(event, frame)
        for viewer in self._viewers:
            viewer.show(frame)

    def _raise_seen(self, event: Event, frame: MaskedFrame) -> None:
        if self._illustrator is None:
            self._events.raise_event(event)
        else:
            self._illustrator.raise_seen(event, frame)

    def _nothing_came(self) -> None:
        self._dark |= bool(self._masking.dark)
        for detector in self.detectors:
            for event in detector.silence(self.clock.wall_ns(), self.clock.monotonic_ns()):
                self._events.raise_event(event)
        # What lies on disk must not wait for its signature until the camera comes back.
        self._broadcast.close_open_gop()
        self.progressed()

    def _hand_out(self, units: Sequence[AccessUnit]) -> None:
        for unit in units:
            self.encoded += 1
            self.encoded_bytes += self._broadcast.publish(unit)
        if units:
            self.first_encoded.set()

    def _drain(self, encoder: Encoder) -> None:
        try:
            self._hand_out(encoder.flush())
        except EncoderError as error:
            log.warning("the last frames could not be encoded: %s", error)
        self._broadcast.finish()
