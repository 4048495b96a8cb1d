"""What a node says, as schemas: status, events, the register, and the user properties that go with them.

Health is in `health`, commands and answers are in `command_payloads`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.clock import ClockQuality
from agent.journal.entry import Act

ULID = r"^[0-9A-HJKMNP-TV-Z]{26}$"
SHA256 = r"^[0-9a-f]{64}$"

Scalar = bool | int | float | str


class Said(BaseModel):
    """Base: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(Said):
    """Birth, goodbye and will of a node."""

    state: Literal["online", "offline", "stopping"]
    since: Annotated[
        AwareDatetime,
        Field(
            description="online, stopping: since when. offline, which is the will: when the connection that is gone was begun,"
            " as the will is written then; it ended `will_delay_s` (20 s) or more before the message comes"
        ),
    ]
    version: str
    boot_id: str


class OnvifEvent(Said):
    """An ONVIF event in JSON, as the Core specification's Event Broker maps it. An empty payload deletes a property."""

    UtcTime: AwareDatetime
    Source: Annotated[dict[str, Scalar], Field(description="what it is about, in the order of the topic")]
    Data: Annotated[dict[str, Scalar], Field(description="what is so")] = {}


class RegisterLine(Said):
    """One line of the access and destruction register. The chain is over its exact bytes."""

    n: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    clock: ClockQuality
    act: Act
    by: str
    facts: dict[str, Scalar | None]
    prev: Annotated[str, Field(pattern=SHA256)]
    key: Annotated[str | None, Field(pattern=SHA256)] = None
    sig: Annotated[str | None, Field(pattern=r"^[0-9a-f]+$")] = None


class EventProperties(BaseModel):
    """MQTT user properties of everything that went through the outbox."""

    event_id: Annotated[str, Field(alias="event-id", pattern=ULID, description="the key to fold duplicates by")]
    sequence: Annotated[str, Field(pattern=r"^[0-9]+$", description="one unbroken count per node; a jump is a gap")]
    epoch: Annotated[str, Field(description="which count; changes only with an OutboxEpoch event")]
    clock_quality: Annotated[ClockQuality, Field(alias="clock-quality")]
    class_: Annotated[Literal["alarm", "property", "register", "telemetry"], Field(alias="class")]
    restated: Annotated[Literal["true"] | None, Field(description="a state that was sent before")] = None
    still_of: Annotated[str | None, Field(alias="still-of", pattern=ULID, description="the event it belongs to")] = None
