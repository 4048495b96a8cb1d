"""One line of the outbox: what is kept on disk until the broker has acknowledged it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from msgspec import Struct

from agent.base.clock import Clock, ClockQuality
from agent.events.edge import Edge, edge_unknown, state_name
from agent.events.event_id import is_event_id, new_event_id
from agent.ports.event import Event, Priority, PropertyOperation


class Kind(StrEnum):
    """What a row's body is."""

    EVENT = "event"
    REGISTER = "register"
    STILL = "still"


class Draft(Struct, frozen=True):
    """A row before it has its place in the sequence.

    `about` is the event-id a still belongs to; `state` names the property an event sets, empty for an occurrence;
    `ends_state` says that the property is deleted.
    """

    event_id: str
    priority: Priority
    kind: Kind
    raised_ns: int
    quality: ClockQuality
    body: bytes
    about: str = ""
    state: str = ""
    ends_state: bool = False


class Row(Struct, frozen=True):
    """A draft with its `sequence`, counted through the node's life, and the `epoch` that count belongs to.

    `class_number` counts the rows of its class within the epoch, from 1; 0 where no number is known, or matters.
    """

    sequence: int
    epoch: str
    event_id: str
    priority: Priority
    kind: Kind
    raised_ns: int
    quality: ClockQuality
    body: bytes
    about: str = ""
    class_number: int = 0

    @classmethod
    def of(cls, draft: Draft, sequence: int, epoch: str, class_number: int = 0) -> Row:
        """The draft in its place."""
        return cls(
            sequence,
            epoch,
            draft.event_id,
            draft.priority,
            draft.kind,
            draft.raised_ns,
            draft.quality,
            draft.body,
            draft.about,
            class_number,
        )

    def check(self) -> None:
        """Raise ValueError, TypeError or KeyError when this cannot have been written by us: the disk has changed it."""
        if not (isinstance(self.raised_ns, int) and isinstance(self.body, bytes) and is_event_id(self.event_id)):
            raise TypeError("a column is not of its type")
        if self.kind is Kind.EVENT:
            event_of(self.body)


def event_body(event: Event, edge: Edge | None = None) -> bytes:
    """The event as compact JSON; `event_of` gives it back."""
    body: dict[str, Any] = {"t": event.topic, "w": event.wall_ns, "p": int(event.priority)}
    if event.source:
        body["s"] = dict(event.source)
    if event.data:
        body["d"] = dict(event.data)
    if event.operation is not None:
        body["o"] = event.operation.value
    if edge is not None:
        body["e"] = edge.value
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_plain).encode("utf-8", "backslashreplace")


def _plain(value: object) -> object:
    """What JSON has no word for: a number or truth of numpy as Python's own, anything else as text. Nobody's node ends for it."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def event_of(body: bytes) -> Event:
    """The event a body was made of."""
    fields = json.loads(body)
    operation = fields.get("o")
    return Event(
        fields["t"],
        fields["w"],
        fields.get("s", {}),
        fields.get("d", {}),
        None if operation is None else PropertyOperation(operation),
        Priority(fields["p"]),
    )


def edge_of(body: bytes) -> Edge:
    """Whether the event of a body was news."""
    kept = json.loads(body).get("e")
    return edge_unknown(event_of(body)) if kept is None else Edge(kept)


def draft_of(event: Event, clock: Clock, edge: Edge | None = None) -> Draft:
    """Give an event its id and its place in time; `edge` where it is known."""
    return Draft(
        new_event_id(event.wall_ns),
        event.priority,
        Kind.EVENT,
        clock.wall_ns(),
        clock.quality(),
        event_body(event, edge),
        state="" if event.operation is None else state_name(event),
        ends_state=event.operation is PropertyOperation.DELETED,
    )
