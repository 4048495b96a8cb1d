"""What goes wrong with signing, as an event for the hub."""

from __future__ import annotations

from agent.base.topic import TRUTH, WORDS, Topic
from agent.ports.event import Event, Priority, PropertyOperation

SIGNING_FAILURE = "vigie:Evidence/SigningFailure"
TOPICS = (Topic(SIGNING_FAILURE, "What is recorded is not signed.", {"Failed": TRUTH, "What": WORDS}),)


def of_signing(fault: str, wall_ns: int, token: str) -> Event:
    """What is recorded from now on is not signed, and why; with an empty text, it is (again)."""
    data: dict[str, str | int | float | bool] = {"Failed": bool(fault), "What": fault}
    return Event(SIGNING_FAILURE, wall_ns, {"Token": token}, data, PropertyOperation.CHANGED, Priority.ALARM)
