"""Whether an event is news: what begins, ends or happens, against a state that is merely said again."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import StrEnum

from agent.ports.event import Event, Priority, PropertyOperation


class Edge(StrEnum):
    """`began`: what the event names is so and was not, or was not known to be. `ended`: it was, and is no more. `stated`: a state
    as it was, or for the first time, and not so. `withdrawn`: nobody looks after it any more. `happened`: no state at all."""

    BEGAN = "began"
    ENDED = "ended"
    STATED = "stated"
    WITHDRAWN = "withdrawn"
    HAPPENED = "happened"


class Severity(StrEnum):
    """`alarm`: somebody must look. `notice`: it is worth a line. `info`: an all-clear, or a state without fault."""

    INFO = "info"
    NOTICE = "notice"
    ALARM = "alarm"


def is_so(event: Event) -> bool:
    """Whether it says of what it names that it is so; PrivacyMask says it in words."""
    return any(value is True for value in event.data.values()) or event.data.get("State") == "opaque"


def severity_of(event: Event, edge: Edge) -> Severity:
    """An alarm that stands is one at every start as well: `edge` says that it is no news."""
    if edge is not Edge.HAPPENED and not is_so(event):
        return Severity.INFO
    if event.priority is Priority.ALARM:
        return Severity.ALARM
    return Severity.INFO if edge is Edge.STATED else Severity.NOTICE


def edge_unknown(event: Event) -> Edge:
    """Of an event from before edges were kept: what it would be if nothing was known before it."""
    match event.operation:
        case None:
            return Edge.HAPPENED
        case PropertyOperation.DELETED:
            return Edge.WITHDRAWN
        case _:
            return Edge.BEGAN if is_so(event) else Edge.STATED


class Edges:
    """What was last said of each state, `standing` at first. Any thread."""

    def __init__(self, standing: Iterable[Event]) -> None:
        self._lock = threading.Lock()
        self._so = {state_name(event): is_so(event) for event in standing}

    def next(self, event: Event) -> Edge:
        """The event's edge; it is what was last said from now on."""
        if event.operation is None:
            return Edge.HAPPENED
        name, now = state_name(event), is_so(event)
        with self._lock:
            before = self._so.pop(name, False)
            if event.operation is PropertyOperation.DELETED:
                return Edge.WITHDRAWN
            self._so[name] = now
        return Edge.STATED if now == before else Edge.BEGAN if now else Edge.ENDED


def state_name(event: Event) -> str:
    """What tells one state from another: its topic and what it is about."""
    return "/&".join([event.topic, *(f"{name}={value}" for name, value in event.source.items())])
