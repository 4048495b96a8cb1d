"""The hub's picture of its nodes, folded from their messages; no I/O.

Every change comes out as one JSON-able document, which is what `vigie watch --json` prints.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.base.clock import NS
from agent.base.phrase import joined, many, say
from agent.fleet.event_fold import EventFold, Fold
from agent.fleet.sequence import SequenceLedger
from agent.fleet.states import States, facts, is_alarm
from agent.ports.health import NO_PICTURE
from agent.ports.health_words import name_of, word
from agent.ports.mqtt import Received
from agent.uplink.topics import EVERY_NODE, Branch, NodeTopics

SILENT_AFTER_S = 35.0
TWIN_FOR_S = 600.0
SOON_DAYS = 30
STARTING_S = 60.0
RUNS_KEPT = 20
ALARMS_KEPT = 20
Change = dict[str, Any]


@dataclass(slots=True)
class NodeView:
    """What is known of one node. `seen_ns` is on the hub's monotonic clock."""

    node: str
    state: str = "unknown"
    since: str = ""
    version: str = ""
    boot_id: str = ""
    seen_ns: int = 0
    silent: bool = False
    epoch: str = ""
    events: int = 0
    dropped: int = 0
    ledger: SequenceLedger = field(default_factory=SequenceLedger)
    alarms: deque[str] = field(default_factory=lambda: deque(maxlen=ALARMS_KEPT))
    alarm_count: int = 0
    health: Mapping[str, Any] = field(default_factory=dict)
    states: States = field(default_factory=States)
    fold: EventFold = field(default_factory=EventFold)
    runs: list[str] = field(default_factory=list)
    """The `boot_id` of every birth that was heard live, each once, the last one last."""
    twin_ns: int | None = None
    """When something last spoke for a second node under this name; None when nothing does."""

    def meet_twin(self, evidence: str, **facts: object) -> list[Change]:
        """Two nodes run under this name: a change, unless that is told already."""
        known, self.twin_ns = self.twin_ns is not None, self.seen_ns
        return [] if known else [{"node": self.node, "change": "two-nodes", "evidence": evidence, **facts}]

    def meet_boot(self, boot_id: str) -> list[Change]:
        """A birth: a run that another followed never comes back."""
        back = boot_id in self.runs[:-1]
        before = self.runs[-1:]
        self.runs = [*(run for run in self.runs if run != boot_id), boot_id][-RUNS_KEPT:]
        return self.meet_twin("births of two runs in turn", boots=[*before, boot_id]) if back else []

    def faults(self) -> list[tuple[int, str]]:
        """What is wrong, each with its weight, worst first."""
        found: list[tuple[int, str]] = []
        if self.twin_ns is not None:
            found.append((110, say("two nodes under this name: give one of them another [node] id")))
        if self.state != "online":
            found.append((100, word(self.state)))
        elif self.silent:
            found.append((90, say("silent")))
        privacy, recording, camera = self.part("privacy"), self.part("recording"), self.part("camera")
        standing = self.states.standing
        failed = [name for name, state in self.part("components").items() if state == "failed"]
        if failed:
            found.append((80, say("failed: {names}", names=joined(", ", [name_of(name) for name in sorted(failed)]))))
        delivers = camera.get("state") in ("delivering", None)
        if self._is_starting(camera):
            found.append((5, say("starting: waits for its first frame")))
        elif not delivers:
            found.append((75, say("camera: {why}", why=camera.get("reason") or word(camera["state"]))))
        if privacy.get("state") == "opaque" and (delivers or privacy.get("reason") != NO_PICTURE):
            found.append((70, say("opaque: {why}", why=privacy.get("reason") or say("no reason given"))))
        found.extend((65, words) for words in standing.values())
        if self.ledger.unexplained:
            found.append((60, many("{number} event missing", "{number} events missing", self.ledger.unexplained)))
        waits = recording.get("state") == "waiting" and not delivers  # for the camera, which is told above
        if recording and not waits and recording.get("state") not in ("recording", "running", "idle", None):
            found.append((50, say("recording: {why}", why=recording.get("reason") or word(recording["state"]))))
        if self.part("evidence").get("trouble") and "SigningFailure" not in standing:
            found.append((48, say("not signed: {why}", why=self.part("evidence")["trouble"])))
        if recording.get("shortfall") and "RetentionShortfall" not in standing:
            found.append((45, say("retention short by {days} d", days=recording["shortfall"])))
        if self.dropped:
            found.append((40, say("{dropped} events dropped", dropped=self.dropped)))
        if self.part("outbox").get("set_aside"):
            found.append(
                (
                    42,
                    say(
                        "{count} events set aside: {why}",
                        count=self.part("outbox")["set_aside"],
                        why=self.part("uplink").get("reason", ""),
                    ),
                )
            )
        elif self.part("uplink").get("reason"):
            found.append((25, say("line: {why}", why=self.part("uplink")["reason"])))
        if self.part("outbox").get("trouble"):
            found.append((35, say("outbox: {why}", why=self.part("outbox")["trouble"])))
        days = self.part("uplink").get("certificate_days")
        if isinstance(days, int) and days < SOON_DAYS:
            found.append(
                (30, say("its certificate ends in {days} d", days=days) if days >= 0 else say("its certificate has expired"))
            )
        if self.part("board").get("throttled"):
            found.append((20, say("throttled")))
        if self.part("clock").get("quality") == "unset":
            found.append((15, say("clock unset")))
        return sorted(found, reverse=True)

    def _is_starting(self, camera: Mapping[str, Any]) -> bool:
        """In its first minute, and its camera has said neither a frame nor what is wrong."""
        is_young = float(self.health.get("uptime_s") or STARTING_S) < STARTING_S
        return is_young and camera.get("state") == "silent" and not camera.get("captured") and not camera.get("reason")

    def part(self, name: str) -> Mapping[str, Any]:
        """One part of the last health document; empty when there was none."""
        part = self.health.get(name)
        return part if isinstance(part, dict) else {}


class FleetFeed:
    """All nodes below one topic prefix."""

    def __init__(self, prefix: str) -> None:
        self.nodes: dict[str, NodeView] = {}
        self._prefix = prefix

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        town = NodeTopics(self._prefix, EVERY_NODE)
        return town.status, town.health, town.events, town.register

    def by_fault(self) -> list[NodeView]:
        """The worst fault first, of equals the most of it, then by name: many small ones do not outweigh a dead node."""

        def key(view: NodeView) -> tuple[int, int, str]:
            weights = [weight for weight, _ in view.faults()]
            return (-max(weights, default=0), -sum(weights), view.node)

        return sorted(self.nodes.values(), key=key)

    def take(self, message: Received, now_ns: int) -> list[Change]:
        """Fold one message; the changes it brought. What cannot be read becomes a change that says so."""
        if not message.topic.startswith(f"{self._prefix}/") or ("trial", "true") in message.user_properties:
            return []  # no node of ours, or a doctor that tries the access list
        node, _, rest = message.topic.removeprefix(f"{self._prefix}/").partition("/")
        view = self.nodes.get(node)
        changes: list[Change] = []
        if view is None:
            view = self.nodes[node] = NodeView(node)
        if not message.retain:
            view.seen_ns = now_ns
            if view.silent:
                view.silent = False
                changes.append({"node": node, "change": "heard-again"})
        elif not view.seen_ns:
            view.seen_ns = now_ns
        try:
            return changes + self._fold(view, rest, message)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return [*changes, {"node": node, "change": "unreadable", "topic": message.topic, "why": str(error)}]

    def look(self, now_ns: int) -> list[Change]:
        """Find the nodes that have fallen silent without a will."""
        changes: list[Change] = []
        for view in self.nodes.values():
            if view.twin_ns is not None and now_ns - view.twin_ns > TWIN_FOR_S * NS:
                view.twin_ns = None
            if view.state == "online" and not view.silent and now_ns - view.seen_ns > SILENT_AFTER_S * NS:
                view.silent = True
                changes.append({"node": view.node, "change": "silent", "for_s": round((now_ns - view.seen_ns) / NS)})
        return changes

    def _fold(self, view: NodeView, rest: str, message: Received) -> list[Change]:
        if rest == Branch.STATUS:
            return self._status(view, _document(message.payload), retained=message.retain)
        if rest == Branch.HEALTH:
            return self._health(view, _document(message.payload))
        if rest == Branch.REGISTER or Branch.EVENTS.of(rest) is not None:
            return self._event(view, rest, message)
        return []

    def _status(self, view: NodeView, status: Mapping[str, Any], *, retained: bool) -> list[Change]:
        before = (view.state, view.boot_id)
        told = view.meet_boot(str(status.get("boot_id", ""))) if str(status["state"]) == "online" and not retained else []
        view.state, view.since = str(status["state"]), str(status.get("since", ""))
        view.version, view.boot_id = str(status.get("version", "")), str(status.get("boot_id", ""))
        if before == (view.state, view.boot_id):
            return told
        return [*told, {"node": view.node, "change": "status", **status}]

    def _health(self, view: NodeView, health: Mapping[str, Any]) -> list[Change]:
        view.health = health
        return [{"node": view.node, "change": "health", "health": health}]

    def _event(self, view: NodeView, rest: str, message: Received) -> list[Change]:
        properties = dict(message.user_properties)
        topic = rest.removeprefix(f"{Branch.EVENTS}/")
        remembered = message.retain or "restated" in properties
        body = _document(message.payload) if message.payload else {}
        stirred = rest != topic and view.states.take(topic, properties, body if message.payload else None, remembered=remembered)
        if remembered:
            # The broker's memory, or the node's: a state and no event. It is told only where it was not known.
            return [{"node": view.node, "change": "state", "topic": topic, **body}] if stirred else []
        sequence = int(properties["sequence"])
        changes: list[Change] = []
        epoch = properties.get("epoch", "")
        # A node that nobody has heard of before, and that has no story of its own: there is nothing to lose yet.
        first_start = "vigie:OutboxEpoch" in rest and not view.epoch and _is_first_start(body)
        if "vigie:OutboxEpoch" in rest and epoch != view.epoch:
            changes.append(self._new_epoch(view, epoch, body.get("Data", {})))
        event_id = properties.get("event-id") or f"{epoch} {sequence}"
        fold = view.fold.take(epoch, sequence, event_id)
        if fold is Fold.DUPLICATE:
            return [*changes, {"node": view.node, "change": "duplicate", "sequence": sequence, "event-id": event_id}]
        hole_before = view.ledger.missing
        if fold is Fold.TWIN:
            changes.extend(view.meet_twin("one number under two event ids", sequence=sequence, epoch=epoch))
        else:
            view.epoch = epoch or view.epoch
            view.ledger.take(sequence)
        view.events += 1
        alarm = is_alarm(properties, body) and not first_start
        if alarm:
            view.alarm_count += 1
            view.alarms.append(topic)
        changes.append(
            {
                "node": view.node,
                "change": "alarm" if alarm else "event",
                "topic": topic,
                "sequence": sequence,
                "event-id": event_id,
                "clock-quality": properties.get("clock-quality"),
                "edge": properties.get("edge"),
                **body,
            }
        )
        if "vigie:EventsDropped" in rest:
            changes.append(self._own_up(view, body))
        missing = view.ledger.missing
        if missing > hole_before:
            changes.append({"node": view.node, "change": "gap", "missing": missing, "holes": view.ledger.holes()[-5:]})
        elif missing < hole_before and not missing:
            changes.append({"node": view.node, "change": "gap-closed"})
        return changes

    def _new_epoch(self, view: NodeView, epoch: str, data: Mapping[str, Any]) -> Change:
        first, last_known = int(data["FirstSequence"]), int(data.get("LastKnownSequence", 0))
        view.fold.begin(epoch, first, anew=first <= view.ledger.highest)
        if first <= view.ledger.highest:
            view.ledger.restart()
        elif first > last_known + 1:
            view.ledger.excuse(last_known + 1, first - 1, first - 1 - max(last_known, view.ledger.highest))
        return {"node": view.node, "change": "epoch", "epoch": epoch, **data}

    def _own_up(self, view: NodeView, body: Mapping[str, Any]) -> Change:
        data = body["Data"]
        view.ledger.excuse(int(data["First"]), int(data["Last"]), int(data["Count"]))
        view.dropped += int(data["Count"])
        return {"node": view.node, "change": "dropped", **body["Source"], **data}


def _is_first_start(body: Mapping[str, Any]) -> bool:
    data = facts(body)
    return not data.get("PreviousEpoch") and data.get("LastKnownSequence") == 0 and data.get("FirstSequence") == 1


def _document(payload: bytes) -> dict[str, Any]:
    found = json.loads(payload)
    if not isinstance(found, dict):
        raise TypeError("no JSON object")
    return found
