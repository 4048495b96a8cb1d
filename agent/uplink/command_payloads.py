"""What commands carry, in and out: one pydantic model per verb, and the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from agent.uplink.token import LONGEST_TOKEN, Refusal

LONGEST_SPAN = timedelta(hours=24)
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plausible(at: datetime) -> datetime:
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("must lie between 2020 and 2200")
    return at


def _legible(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable, on one line, without space around it")
    return text


At = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""RFC 3339 with its offset."""
Reference = Annotated[str, Field(min_length=3, max_length=120), AfterValidator(_legible)]


def wall_ns(at: datetime) -> int:
    """Unix nanoseconds, exact to the microsecond."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


class Request(BaseModel):
    """What every command carries: the token. Unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    token: Annotated[str, Field(max_length=LONGEST_TOKEN, description="JWT signed by the hub's key; one for each command")]


class Ping(Request):
    """Are you there?"""


class RequestFullState(Request):
    """Send birth, properties and health anew."""


class Reload(Request):
    """Read the configuration file again."""


class Snapshot(Request):
    """One masked picture, in the answer."""

    width: Annotated[int, Field(ge=64, le=960, description="at most so many samples wide")] = 640


class SetHealthInterval(Request):
    """How often health is sent, until the next reload or restart."""

    seconds: Annotated[float, Field(ge=1, le=3600)]


class _Span(Request):
    from_: Annotated[At, Field(alias="from")]
    to: At

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not timedelta(0) < self.to - self.from_ <= LONGEST_SPAN:
            raise ValueError("the span must begin before it ends, and last 24 h at most")
        return self


class Bookmark(_Span):
    """An incident of the centre, and the span of footage it is about."""

    incident: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_legible)]
    note: Annotated[str, Field(max_length=200), AfterValidator(_legible)] = ""


class ExportRequest(_Span):
    """Somebody shall export this span."""

    reference: Reference


class Hold(_Span):
    """Keep this span from destruction, for a legal reference, until `until`."""

    reference: Reference
    until: At | None = None


class Pong(BaseModel):
    """The answer to `ping`."""

    version: str
    boot_id: str
    uptime_s: float
    clock_quality: str


class Picture(BaseModel):
    """The answer to `snapshot`."""

    at: str
    opaque: bool
    reason: str
    mask_digest: str
    jpeg: Annotated[str, Field(description="a masked JPEG, base64", json_schema_extra={"contentEncoding": "base64"})]


class Held(BaseModel):
    """The answer to `hold`."""

    hold: int
    until: str


class Entered(BaseModel):
    """The answer to `bookmark` and `export-request`: the event that says so is on disk under this sequence."""

    sequence: int


class Interval(BaseModel):
    """The answer to `set-health-interval`."""

    seconds: float


class Done(BaseModel):
    """The answer to what is only set in motion: `reload`, `request-full-state`."""

    begun: bool = True


Result = Pong | Picture | Held | Entered | Interval | Done


class Accepted(BaseModel):
    """An answer: the command was carried out."""

    verb: str
    node: str
    at: str
    id: str
    ok: Literal[True] = True
    result: Result


class Refusing(BaseModel):
    """An answer: the command was not carried out, or failed. `id` is null while no signature vouches for it."""

    verb: str
    node: str
    at: str
    id: str | None
    ok: Literal[False] = False
    code: Refusal
    reason: str
