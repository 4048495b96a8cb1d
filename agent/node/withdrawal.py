"""States that no detector looks after any more: taken back, so that nobody believes the last one for ever."""

from __future__ import annotations

from agent import alarms
from agent.analytics import motion, tampering
from agent.base.clock import Clock
from agent.config.model import Config
from agent.events.outbox import Outbox
from agent.ports.event import Event, PropertyOperation


def withdraw(outbox: Outbox, config: Config, clock: Clock) -> None:
    """Delete what still stands of the detectors that this configuration switches off, and of earlier versions.

    At the start, and after a reload.
    """
    off = (
        alarms.FORMER_STATES
        + (() if config.motion.enabled else motion.TOPICS)
        + (() if config.tampering.enabled else tampering.TOPICS)
    )
    for event in outbox.standing():
        if event.topic in off:
            outbox.raise_event(
                Event(event.topic, clock.wall_ns(), event.source, {}, PropertyOperation.DELETED, priority=event.priority)
            )
