"""What the session's core asks its shell to do."""

from __future__ import annotations

from dataclasses import dataclass

from agent.ports import BrokerEndpoint, ConnectOptions, Publication, Received


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection to this broker."""

    endpoint: BrokerEndpoint
    options: ConnectOptions


@dataclass(frozen=True, slots=True)
class Send:
    """Hand this to the transport."""

    publication: Publication
    tag: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribe to the session's filters."""


@dataclass(frozen=True, slots=True)
class Restate:
    """Hand over the full state (properties, greetings) and what was acknowledged just before: the broker may have lost it."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The broker has this row."""

    sequence: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The broker will never take this row."""

    sequence: int
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """What was in flight must be taken again."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End the connection; `abruptly` when the other side no longer answers."""

    with_will: bool = False
    abruptly: bool = False


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message for the command handler."""

    message: Received


@dataclass(frozen=True, slots=True)
class Probe:
    """See whether this broker can be reached."""

    endpoint: BrokerEndpoint


Instruction = Connect | Send | Subscribe | Restate | Forget | GiveUp | Release | Disconnect | Deliver | Probe
