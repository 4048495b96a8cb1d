"""What a node says, as schemas: status, events, the register, and the user properties that go with them.

Health is in `agent.ports.health`, commands and answers are in `agent.operations.payloads`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agent.base.clock import ClockQuality
from agent.events.edge import Edge, Severity
from agent.journal.entry import Act

ULID = r"^[0-9A-HJKMNP-TV-Z]{26}$"
SHA256 = r"^[0-9a-f]{64}$"

Scalar = bool | int | float | str
At = Annotated[datetime, Meta(tz=True)]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are errors."""


class Status(Said, frozen=True, kw_only=True):
    """Birth, goodbye and will of a node."""

    state: Literal["online", "offline", "stopping"]
    since: Annotated[
        At,
        Meta(
            description="online, stopping: since when. offline, which is the will: when the connection that is gone was begun,"
            " as the will is written then; it ended `will_delay_s` (20 s) or more before the message comes"
        ),
    ]
    version: str
    boot_id: str


class RegisterLine(Said, frozen=True, kw_only=True):
    """One line of the access and destruction register. The chain is over its exact bytes."""

    n: Annotated[int, Meta(ge=1)]
    at: At
    clock: ClockQuality
    act: Act
    by: str
    facts: dict[str, Scalar | None]
    prev: Annotated[str, Meta(pattern=SHA256)]
    node: Annotated[str, Meta(description="whose register; missing in lines of older versions")] | None = None
    key: Annotated[str, Meta(pattern=SHA256)] | None = None
    sig: Annotated[str, Meta(pattern=r"^[0-9a-f]+$")] | None = None


class EventProperties(msgspec.Struct, frozen=True, kw_only=True):
    """MQTT user properties of everything that went through the outbox."""

    event_id: Annotated[str, Meta(pattern=ULID, description="the key to fold duplicates by")] = msgspec.field(name="event-id")
    sequence: Annotated[str, Meta(pattern=r"^[0-9]+$", description="one unbroken count per node; a jump is a gap")]
    epoch: Annotated[str, Meta(description="which count; changes only with an OutboxEpoch event")]
    clock_quality: ClockQuality = msgspec.field(name="clock-quality")
    class_: Literal["alarm", "property", "register", "telemetry"] = msgspec.field(name="class")
    class_sequence: Annotated[
        Annotated[str, Meta(pattern=r"^[1-9][0-9]*$")] | None,
        Meta(
            description="one unbroken count per node, epoch and class, from 1; missing where a state is restated, and on what"
            " an older version raised"
        ),
    ] = msgspec.field(name="class-sequence", default=None)
    edge: Annotated[
        Edge | None,
        Meta(description="of an event: whether it is news; ring at `began` and `happened` where `severity` is `alarm`"),
    ] = None
    severity: Annotated[Severity | None, Meta(description="of an event: whether somebody must look")] = None
    restated: Annotated[Literal["true"] | None, Meta(description="a state that was sent before")] = None
    resent: Annotated[Literal["true"] | None, Meta(description="an event that a hub asked for again")] = None
    still_of: Annotated[Annotated[str, Meta(pattern=ULID)] | None, Meta(description="the event it belongs to")] = msgspec.field(
        name="still-of", default=None
    )
