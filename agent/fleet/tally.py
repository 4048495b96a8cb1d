"""What a hub counts of a fleet: delivered, twice, never, and how late."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import dataclass, field

from agent.fleet.sequence import SequenceLedger
from agent.ports.mqtt import Received
from agent.uplink.topics import Branch

LATENCIES_MOST = 200_000


@dataclass
class FleetCount:
    """What the hub counted. Latencies are from raised to heard, in milliseconds, sorted."""

    delivered: int = 0
    duplicates: int = 0
    missing: int = 0
    dropped: int = 0
    alarms: int = 0
    health: int = 0
    nodes: int = 0
    per_node: dict[str, int] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    online_at_s: list[float] = field(default_factory=list)


class FleetTally:
    """Folds messages into a Count."""

    def __init__(self, prefix: str) -> None:
        self.count = FleetCount()
        self._prefix = f"{prefix}/"
        self._ledgers: dict[str, SequenceLedger] = {}

    def take(self, message: Received) -> None:
        """One message."""
        node, _, rest = message.topic.removeprefix(self._prefix).partition("/")
        if rest == Branch.HEALTH:
            self.count.health += 1
        elif rest == Branch.STATUS and not message.retain:
            if b'"online"' in message.payload:
                self.count.online_at_s.append(time.monotonic())
        elif Branch.EVENTS.of(rest) is not None and not message.retain:
            properties = dict(message.user_properties)
            if "restated" in properties or "sequence" not in properties:
                return
            self._event(node, rest, int(properties["sequence"]), properties.get("class") == "alarm", message.payload)

    def _event(self, node: str, rest: str, sequence: int, alarm: bool, payload: bytes) -> None:
        ledger = self._ledgers.get(node)
        if ledger is None:
            ledger = self._ledgers[node] = SequenceLedger()
        if not ledger.take(sequence):
            return
        self.count.alarms += alarm
        data = json.loads(payload).get("Data", {}) if payload else {}
        if "RaisedNs" in data and len(self.count.latencies_ms) < LATENCIES_MOST:
            self.count.latencies_ms.append((time.monotonic_ns() - data["RaisedNs"]) / 1e6)
        if "vigie:EventsDropped" in rest:
            self.count.dropped += data["Count"]

    def report(self) -> FleetCount:
        """The figures so far."""
        count, ledgers = self.count, self._ledgers
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return FleetCount(
            delivered=sum(ledger.received for ledger in ledgers.values()),
            duplicates=sum(ledger.duplicates for ledger in ledgers.values()),
            missing=sum(ledger.missing for ledger in ledgers.values()),
            dropped=count.dropped,
            alarms=count.alarms,
            health=count.health,
            nodes=len(ledgers),
            per_node={node: ledger.received for node, ledger in ledgers.items()},
            latencies_ms=sorted(count.latencies_ms),
            cpu_s=usage.ru_utime + usage.ru_stime,
            online_at_s=list(count.online_at_s),
        )
