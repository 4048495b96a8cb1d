"""What a unit that is moved tells the hub: its deployment, and that it was carried, tilted or stolen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.clock import Clock, rfc3339
from agent.base.topic import AT, TRUTH, WORDS, Topic
from agent.nomad.deployment import Deployment, Stage
from agent.nomad.judgement import Ruling
from agent.nomad.senses import Senses
from agent.ports.event import Event, EventSink, Priority, PropertyOperation, Value
from agent.sensors.position_watch import MOVED
from agent.sensors.tilt_watch import TILTED

STATE: Final = "vigie:Deployment/State"
THEFT: Final = "vigie:Theft"
_ALARM: Final = {"State": TRUTH, "Reason": WORDS}
TOPICS: Final = (
    Topic(
        STATE,
        "How far the deployment of a unit that is moved has come, and how much may leave its camera.",
        {"Stage": WORDS, "Deployment": WORDS, "Light": WORDS, "Reason": WORDS, "Until": AT},
        at_times=frozenset({"Until"}),
    ),
    Topic(THEFT, "The unit was carried off, and hangs or looks otherwise: it is taken for stolen.", _ALARM),
)
"""Beside MOVED and TILTED, which the sensors' feature lists: a fixed node tells them as well."""


class DeploymentReport:
    """One thread. Tells each state once, and again when it changes."""

    def __init__(self, events: EventSink, node: str, clock: Clock) -> None:
        self._events = events
        self._node = node
        self._clock = clock
        self._told: dict[str, Mapping[str, Value]] = {}

    def tell(self, present: Deployment | None, ruling: Ruling, senses: Senses, astray: str) -> None:
        """How it is now."""
        data: dict[str, Value] = {
            "Stage": (present.stage if present else Stage.STOWED).value,
            "Deployment": present.id if present else "",
            "Light": ruling.light.value,
            "Reason": str(ruling.why),
        }
        if present is not None:
            data["Until"] = rfc3339(present.until_ns)
        self._tell(STATE, data)
        stolen = present.shut if present is not None and present.stolen and not present.is_over else ""
        for topic, why in ((MOVED, astray), (TILTED, senses.tilted), (THEFT, stolen)):
            known = self._told.get(topic)
            # The words hold a figure that changes with each look: a standing alarm is told once.
            if known is None or known["State"] != bool(why):
                self._tell(topic, {"State": bool(why), "Reason": str(why)})

    def _tell(self, topic: str, data: Mapping[str, Value]) -> None:
        known = self._told.get(topic)
        if known == data:
            return
        self._told[topic] = data
        operation = PropertyOperation.INITIALIZED if known is None else PropertyOperation.CHANGED
        event = Event(topic, self._clock.wall_ns(), {"Token": self._node}, data, operation, priority=Priority.ALARM)
        self._events.raise_event(event)
