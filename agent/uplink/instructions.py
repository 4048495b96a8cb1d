"""What the session's core asks its shell to do."""

from __future__ import annotations

from msgspec import Struct

from agent.ports.mqtt import BrokerEndpoint, ConnectOptions, Publication, Received
from agent.uplink.aside import Told


class Connect(Struct, frozen=True):
    """Open a connection to this broker."""

    endpoint: BrokerEndpoint
    options: ConnectOptions


class Send(Struct, frozen=True):
    """Hand this to the transport."""

    publication: Publication
    tag: int


class Subscribe(Struct, frozen=True):
    """Subscribe to the commands, `plainly` to each by its name where the broker takes no wildcards, and to our own `status`,
    in packets of `packet_bytes` at most.
    """

    plainly: bool = False
    status: bool = False
    packet_bytes: int | None = None


class Restate(Struct, frozen=True):
    """Hand over the full state (properties, greetings), and with `replay` what was acknowledged just before: the broker may
    have lost it.
    """

    replay: bool = True


class TopicSweep(Struct, frozen=True):
    """Clear what the broker keeps of this node under a former name."""


class Cleared(Struct, frozen=True):
    """The broker keeps nothing on this topic any more."""

    topic: str


class Forget(Struct, frozen=True):
    """The broker has this row."""

    sequence: int


class GiveUp(Struct, frozen=True):
    """The broker will never take this row."""

    sequence: int
    why: str


class SetAside(Struct, frozen=True):
    """The broker does not take this row for now: it stays in the outbox, and others go on. `told` is news for the hub."""

    sequence: int
    told: Told | None = None


class BringBack(Struct, frozen=True):
    """What was set aside is to be taken again: the broker takes some of it by now."""


class Release(Struct, frozen=True):
    """What was in flight must be taken again."""


class Disconnect(Struct, frozen=True):
    """End the connection; `abruptly` when the other side no longer answers."""

    with_will: bool = False
    abruptly: bool = False


class Deliver(Struct, frozen=True):
    """A message for the command handler."""

    message: Received


class Probe(Struct, frozen=True):
    """See whether this broker can be reached."""

    endpoint: BrokerEndpoint


RowInstruction = Forget | GiveUp | SetAside | BringBack | Release
"""What the outbox is to be told of its rows."""

Instruction = Connect | Send | Subscribe | Restate | RowInstruction | Disconnect | Deliver | Probe | TopicSweep | Cleared
