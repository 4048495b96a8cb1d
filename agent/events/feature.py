"""The outbox as a feature: what is told to the hub is on disk first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.model import Config
from agent.events import alarms
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore


class EventsFeature(Feature[Config]):
    """First to start, last to stop: everybody else's last event still gets on disk."""

    topics = alarms.TOPICS

    def __init__(self, database: Path, clock: Clock) -> None:
        self.outbox = Outbox(OutboxStore(database, clock), clock)

    def components(self) -> Sequence[Component]:
        return (self.outbox,)

    def summary(self) -> Mapping[str, Any]:
        metrics = self.outbox.metrics()
        return {"events": metrics.sequence, "events_pending": metrics.pending}
