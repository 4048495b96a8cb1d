"""What became of the rows that were sent, entered in the outbox: nothing else tells it what the broker has."""

from __future__ import annotations

import logging

from agent.base.clock import Clock
from agent.events.outbox import Outbox
from agent.uplink.aside import Told
from agent.uplink.instructions import BringBack, Forget, GiveUp, Release, RowInstruction, SetAside
from agent.uplink.topics import NodeTopics

log = logging.getLogger(__name__)


class RowOutcomes:
    """The session's thread; `acknowledged` counts the rows that the broker has had since the start, and any may read it."""

    def __init__(self, topics: NodeTopics, outbox: Outbox, clock: Clock) -> None:
        self.acknowledged = 0
        self._topics = topics
        self._outbox = outbox
        self._clock = clock

    def enter(self, instruction: RowInstruction) -> None:
        """Each as the core decided: no row is let go that the broker neither has nor will never take."""
        match instruction:
            case Forget():
                self.acknowledged += 1
                self._outbox.acknowledge(instruction.sequence)
            case GiveUp():
                log.error("the broker will never take event %d: %s", instruction.sequence, instruction.why)
                self._outbox.refuse(instruction.sequence, instruction.why)
            case SetAside():
                self._outbox.set_aside(instruction.sequence)
                if instruction.told is not None:
                    self._tell_of(instruction.told)
            case BringBack():
                self._outbox.bring_back()
            case Release():
                self._outbox.release()

    def _tell_of(self, told: Told) -> None:
        """The hub and the journal hear that rows wait for the broker to take them."""
        log.error("%s %s; its events wait, from %d on, and everything else goes on", told.place, told.why, told.sequence)
        event = told.event(self._clock.wall_ns())
        if self._topics.event(event) != told.place:
            self._outbox.raise_event(event)
