"""ONVIF's mapping of events to MQTT (Core specification, Event Broker): topics and `onvif-ej` JSON."""

from __future__ import annotations

import json
import math
import unicodedata
from enum import StrEnum

from msgspec import Struct

from agent.base.clock import rfc3339
from agent.events.edge import Edge, severity_of
from agent.events.row import Kind, Row, edge_of, event_of
from agent.ports.event import Event, Priority, PropertyOperation, Value
from agent.ports.mqtt import Publication

SOURCE_MOST_CHARACTERS = 128
HOUR_S = 3600
EVERY_NODE = "+"

# How long a broker keeps a message for a subscriber that is away. Alarms and states never expire.
EXPIRY_S = {
    Priority.TELEMETRY: HOUR_S,
    Priority.REGISTER: 31 * 24 * HOUR_S,
    Priority.PROPERTY: 7 * 24 * HOUR_S,
    Priority.ALARM: None,
}


class Branch(StrEnum):
    """What stands below `<prefix>/<node id>/`: the one table of topics; docs/asyncapi.yaml has what is said on each."""

    STATUS = "status"
    HEALTH = "health"
    REGISTER = "register"
    EVENTS = "onvif-ej"
    STILLS = "still"
    COMMANDS = "command"
    ANSWERS = "answer"

    def of(self, rest: str) -> str | None:
        """What follows this branch in a topic's `rest` below its node; None when it lies on another."""
        return rest[len(self) + 1 :] if rest.startswith(f"{self}/") else None


class NodeTopics(Struct, frozen=True):
    """Every topic of one node, under `<prefix>/<node id>/`; with `EVERY_NODE` as the id, the filters of a whole town."""

    prefix: str
    node_id: str
    discovery: str = "homeassistant"
    """Where Home Assistant looks for devices."""

    @property
    def root(self) -> str:
        return f"{self.prefix}/{self.node_id}"

    @property
    def status(self) -> str:
        return f"{self.root}/{Branch.STATUS}"

    @property
    def health(self) -> str:
        return f"{self.root}/{Branch.HEALTH}"

    @property
    def register(self) -> str:
        return f"{self.root}/{Branch.REGISTER}"

    @property
    def commands(self) -> str:
        """The filter of all commands to this node."""
        return f"{self.root}/{Branch.COMMANDS}/+"

    @property
    def events(self) -> str:
        """The filter of all its events."""
        return f"{self.root}/{Branch.EVENTS}/#"

    def owns(self, topic: str) -> bool:
        """Whether it lies below this node."""
        return topic.startswith(f"{self.root}/")

    def answer(self, caller: str) -> str:
        """Where a caller may have the answer sent."""
        return f"{self.root}/{Branch.ANSWERS}/{caller}"

    def takes_answer(self, topic: str) -> bool:
        """Whether it is such a place."""
        below = self.answer("")
        return topic.startswith(below) and topic != below

    def command(self, verb: str) -> str:
        """Where one kind of command comes in."""
        return f"{self.root}/{Branch.COMMANDS}/{verb}"

    def still(self, event_id: str) -> str:
        """Where the masked still of an event goes."""
        return f"{self.root}/{Branch.STILLS}/{event_id}"

    @staticmethod
    def verb(topic: str) -> str:
        """What a request on one of `commands` asks for."""
        return topic.rpartition(f"/{Branch.COMMANDS}/")[2]

    @property
    def announcement(self) -> str:
        """Where Home Assistant hears of this node: the id is a level of its own, so one line of an access list does for all."""
        return f"{self.discovery}/device/vigie/{self.node_id}/config"

    def place(self, topic: str) -> str:
        """What access lists and memory take a topic for: every still has one of its own, and they are one."""
        stills = self.still("")
        return f"{stills}+" if topic.startswith(stills) else topic

    def event(self, event: Event) -> str:
        """`<root>/onvif-ej/<topic>[/&<source>/<source>...]`."""
        local = "/".join(part for part in map(_clean, event.topic.removeprefix("tns1:").split("/")) if part)
        sources = "/".join(_clean(_text(value)) for value in event.source.values())
        return f"{self.root}/{Branch.EVENTS}/{local}" + (f"/&{sources}" if event.source else "")


def event_payload(event: Event) -> bytes | None:
    """`{"UtcTime", "Source", "Data"}` by ONVIF's grammar; None, a zero-byte payload, for a deleted property."""
    if event.operation is PropertyOperation.DELETED:
        return None
    document: dict[str, object] = {
        "UtcTime": rfc3339(event.wall_ns),
        "Source": {name: _json_value(value) for name, value in event.source.items()},
    }
    if event.data:
        document["Data"] = {name: _json_value(value) for name, value in event.data.items()}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def publication_of(
    row: Row, topics: NodeTopics, *, restated: bool = False, resent: bool = False, retained: bool = True
) -> Publication:
    """What goes to the broker for one row of the outbox; `restated` marks a state that was sent before.

    `resent` marks one that a hub asked for again. Without `retained` not even a state is: what it says is true no more.
    """
    properties: tuple[tuple[str, str], ...] = (
        ("event-id", row.event_id),
        ("sequence", str(row.sequence)),
        ("epoch", row.epoch),
        ("clock-quality", row.quality.value),
        ("class", row.priority.name.lower()),
    )
    if row.class_number and not restated:
        properties += (("class-sequence", str(row.class_number)),)
    if restated:
        properties += (("restated", "true"),)
    if resent:
        properties += (("resent", "true"),)
    expiry_s = EXPIRY_S[row.priority]
    if row.kind is Kind.REGISTER:
        return Publication(topics.register, row.body, 1, False, properties, expiry_s, content_type="application/json")
    if row.kind is Kind.STILL:
        about = (*properties, ("still-of", row.about))
        return Publication(topics.still(row.about), row.body, 1, False, about, expiry_s, content_type="image/jpeg")
    event, edge = event_of(row.body), edge_of(row.body)
    properties += (("edge", (Edge.STATED if restated else edge).value), ("severity", severity_of(event, edge).value))
    state = event.operation is not None
    return Publication(
        topics.event(event),
        event_payload(event),
        1,
        state and retained,
        properties,
        None if state else expiry_s,
        content_type="application/json",
    )


def _json_value(value: Value) -> Value:
    """Numbers and logical states go unquoted; what JSON has no number for goes as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _clean(text: str) -> str:
    """Leave out what no MQTT topic may hold: wildcards, control characters, code points that are no text."""
    kept = (c for c in text if c not in "#+" and unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))
    return "".join(kept)[:SOURCE_MOST_CHARACTERS]
