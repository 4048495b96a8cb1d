"""What a pull point is told of one event, and the set of topics it may choose from: the same events as by MQTT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from agent.base.clock import rfc3339
from agent.base.topic import Schema, Topic
from agent.onvif.markup import Markup, el, together
from agent.onvif.topic_filter import CONCRETE_SET
from agent.ports.event import Event, PropertyOperation

_ROOT: Final = "tns1:"
_TYPES: Final = {"boolean": "xs:boolean", "integer": "xs:int", "number": "xs:float"}
_AT: Final = "date-time"


def notification(event: Event, operation: PropertyOperation | None) -> Markup:
    """One message. `operation` is the event's own, or Initialized where a state is told to somebody who has just come."""
    about: dict[str, object] = {"UtcTime": rfc3339(event.wall_ns)}
    if operation is not None:
        about["PropertyOperation"] = operation.value
    message = el("tt:Message", _items("tt:Source", event.source), _items("tt:Data", event.data), attr=about)
    topic = el("wsnt:Topic", _prefixed(event.topic), attr={"Dialect": CONCRETE_SET})
    return el("wsnt:NotificationMessage", topic, el("wsnt:Message", message))


def topic_set(topics: Iterable[Topic]) -> Markup:
    """Every topic with what it says, as the tree that ONVIF makes of their names."""
    tree: dict[str, _Branch] = {}
    for topic in topics:
        names = _prefixed(topic.name).split("/")
        below = tree
        for name in names:
            branch = below.setdefault(name, _Branch())
            below = branch.below
        branch.topic = topic
    return el("wstop:TopicSet", *(branch.written(name) for name, branch in tree.items()))


class _Branch:
    """A name in the tree: a topic, or what stands above topics, or both."""

    def __init__(self) -> None:
        self.topic: Topic | None = None
        self.below: dict[str, _Branch] = {}

    def written(self, name: str) -> Markup:
        inner = [branch.written(below) for below, branch in self.below.items()]
        if self.topic is None:
            return el(name, *inner)
        return el(name, _description(self.topic), *inner, attr={"wstop:topic": True})


def _description(topic: Topic) -> Markup:
    source = [_item(name, "xs:string") for name in topic.source]
    data = [_item(name, _type(schema)) for name, schema in topic.data.items()]
    parts = [el(name, *items) for name, items in (("tt:Source", source), ("tt:Data", data)) if items]
    return el("tt:MessageDescription", *parts, attr={"IsProperty": topic.state})


def _item(name: str, type: str) -> Markup:
    return el("tt:SimpleItemDescription", attr={"Name": name, "Type": type})


def _type(schema: Schema) -> str:
    if schema.get("format") == _AT:
        return "xs:dateTime"
    kind = schema.get("type")
    return _TYPES.get(kind, "xs:string") if isinstance(kind, str) else "xs:string"


def _items(name: str, values: Mapping[str, object]) -> Markup:
    items = [el("tt:SimpleItem", attr={"Name": key, "Value": value}) for key, value in values.items()]
    return el(name, *items) if items else together()


def _prefixed(topic: str) -> str:
    return topic if topic.partition("/")[0].count(":") else _ROOT + topic
