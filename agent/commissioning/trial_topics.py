"""Every topic a node will use, each as a message that says nothing: what the doctor tries an access list with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from agent.base.clock import rfc3339
from agent.base.topic import ANY, NODE, Topic
from agent.ports.event import Event
from agent.ports.mqtt import Publication
from agent.uplink.topics import NodeTopics

TRIAL: Final = ("trial", "true")
"""The user property that marks such a message: no event, no state, no place in the count."""


def trials(topics: NodeTopics, told: Iterable[Topic], wall_ns: int, announcement: Publication | None) -> Iterator[Publication]:
    """One message for each of `told`, the topics of every feature, and for each topic that is no event.

    At QoS 1 and never retained: a broker that keeps a state keeps it. `announcement` is said as it is, or not at all: Home
    Assistant would take an empty one for the end of the device.
    """
    for name in (topics.status, topics.health, topics.register):
        yield _said(name, b"{}")
    for topic in told:
        named = {name: {NODE: topics.node_id, ANY: "trial"}.get(value, value) for name, value in topic.source.items()}
        body = {"UtcTime": rfc3339(wall_ns), "Source": {}, "Data": {}}
        yield _said(topics.event(Event(topic.name, wall_ns, named)), json.dumps(body).encode())
    yield _said(topics.still("trial"), b"")
    yield _said(topics.answer("trial"), b"{}")
    if announcement is not None:
        yield _said(announcement.topic, announcement.payload or b"{}")


def _said(topic: str, payload: bytes) -> Publication:
    return Publication(topic, payload, 1, False, (TRIAL,), content_type="application/json")
