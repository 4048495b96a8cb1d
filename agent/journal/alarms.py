"""The register's own fault, as an event for the hub."""

from __future__ import annotations

from agent.base.topic import TRUTH, WORDS, Topic
from agent.ports.event import Event, Priority

REGISTER_FAILURE = "Device/HardwareFailure/vigie:RegisterFailure"
TOPICS = (Topic(REGISTER_FAILURE, "The register could not take an entry.", {"Failed": TRUTH, "What": WORDS}, state=False),)


def of_register(sentence: str, wall_ns: int, token: str) -> Event:
    """The register could not take an entry: no silent gap."""
    return Event(REGISTER_FAILURE, wall_ns, {"Token": token}, {"Failed": True, "What": sentence}, None, Priority.ALARM)
