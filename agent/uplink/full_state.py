"""A node's full state as publications: nothing may depend on what a broker retained, and nothing of a former name may stay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from agent.base.clock import NS, Clock
from agent.events.outbox import Outbox
from agent.ports.mqtt import Publication
from agent.uplink.instructions import Instruction, Send
from agent.uplink.retained import Retained
from agent.uplink.topics import NodeTopics, publication_of

log = logging.getLogger(__name__)

WILLS_COME_WITHIN_NS = 30 * NS


class FullState:
    """The session's thread. `greetings` are told with every state."""

    def __init__(
        self,
        topics: NodeTopics,
        outbox: Outbox,
        retained: Retained,
        greetings: Callable[[], Iterable[Publication]],
        clock: Clock,
    ) -> None:
        self.retained = retained
        self._topics = topics
        self._outbox = outbox
        self._greetings = greetings
        self._clock = clock
        self._opened_ns = 0

    def opened(self) -> None:
        """A new connection."""
        self._opened_ns = self._clock.monotonic_ns()

    def publications(self, broker: str) -> Iterator[Publication]:
        """Every state that holds, the greetings, and what clears what this broker keeps of a former name."""
        for row in filter(self.retained.still_holds, self._outbox.states()):
            try:
                yield publication_of(row, self._topics, restated=True)
            except (ValueError, KeyError, TypeError):
                log.error("the last state of a property cannot be read back: event %d", row.sequence)
        yield from self._greetings()
        yield from self.clearing(broker)

    def clearing(self, broker: str) -> Iterator[Publication]:
        """A will of the former name may come a while after the first: asked for again at the repeated birth."""
        keep = {publication.topic for publication in self._greetings()}
        for topic in self.retained.stale(broker, self._topics.root, keep):
            yield Publication(topic, None, 1, True)

    def cleared(self, broker: str, topic: str) -> None:
        """The broker keeps nothing on a topic any more, unless a late will is still to come there."""
        is_ours = self._topics.owns(topic)
        if is_ours or self._clock.monotonic_ns() - self._opened_ns > WILLS_COME_WITHIN_NS:
            self.retained.forget(broker, topic)

    def telling(self, broker: str, instructions: Sequence[Instruction]) -> None:
        """These are about to be carried out: what is to be retained is noted first."""
        sent = [instruction.publication for instruction in instructions if isinstance(instruction, Send)]
        self.retained.tell(broker, [each.topic for each in sent if each.retain and each.payload is not None])
