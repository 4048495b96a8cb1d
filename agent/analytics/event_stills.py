"""A small masked frame beside the events somebody will want to look at: motion that begins, a camera that is tampered with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.mask.privacy_mask import MaskedFrame
from agent.ports.event import Event, StillSink
from agent.stream.still import jpeg

log = logging.getLogger(__name__)

WIDTH_PX = 480
MOST_BYTES = 32 * 1024
EVERY_NS = 2 * NS
"""Between two stills of one topic: a state that flutters must not fill the line."""


class EventStills:
    """Raises what was seen on a frame, with a still of that very frame where one is wanted. One thread calls it.

    `wanted` is asked for each event, so that a reload takes effect with the next one. `topics` are those a frame may go with.
    """

    def __init__(self, sink: StillSink, wanted: Callable[[], bool], topics: Collection[str]) -> None:
        self._sink = sink
        self._wanted = wanted
        self.topics = frozenset(topics)
        self._last_ns: dict[str, int] = {}

    def raise_seen(self, event: Event, frame: MaskedFrame) -> None:
        """The event, with its still if it begins something; without when none can be made: an event is never lost for it."""
        if not self._is_due(event, frame):
            self._sink.raise_event(event)
            return
        try:
            still = jpeg(frame, width=WIDTH_PX, most_bytes=MOST_BYTES)
        except EncoderError as error:
            log.warning("the event %s goes without its still: %s", event.topic, error)
            self._sink.raise_event(event)
            return
        self._last_ns[event.topic] = frame.time.monotonic_ns
        self._sink.raise_with_still(event, still)

    def _is_due(self, event: Event, frame: MaskedFrame) -> bool:
        if event.topic not in self.topics or event.data.get("State") is not True or frame.opaque or not self._wanted():
            return False
        last_ns = self._last_ns.get(event.topic)
        return last_ns is None or not 0 <= frame.time.monotonic_ns - last_ns < EVERY_NS
