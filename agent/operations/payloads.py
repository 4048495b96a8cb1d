"""What commands carry, in and out: the arguments of each verb, and the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from agent.operations.arguments import Arguments, Rule
from agent.operations.caller import LONGEST_TOKEN, Refusal
from agent.ports.live import Rendition, Way

LONGEST_SPAN = timedelta(hours=24)
LONGEST_LEASE_S = 8 * 3600
USUAL_LEASE_S = 600
LEEWAY = timedelta(seconds=10)
"""So far may the hub's clock and this node's be apart."""
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PLAUSIBLE = Rule(lambda at: _EARLIEST <= at < _LATEST, "must lie between 2020 and 2200")
_LEGIBLE = Rule(
    lambda text: text.isprintable() and text == text.strip(), "must be printable, on one line, without space around it"
)
At = Annotated[datetime, Meta(tz=True), _PLAUSIBLE]
"""RFC 3339 with its offset."""
Reference = Annotated[str, Meta(min_length=3, max_length=120), _LEGIBLE]


def wall_ns(at: datetime) -> int:
    """Unix nanoseconds, exact to the microsecond."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


class Request(Arguments, frozen=True, kw_only=True):
    """What every command carries: the token. Unknown keys are errors, and nothing is converted."""

    token: Annotated[str, Meta(max_length=LONGEST_TOKEN, description="JWT signed by the hub's key; one for each command")]


class Ping(Request, frozen=True, kw_only=True):
    """Are you there?"""


class RequestFullState(Request, frozen=True, kw_only=True):
    """Send birth, properties and health anew."""


class Reload(Request, frozen=True, kw_only=True):
    """Read the configuration file again."""


class Resend(Request, frozen=True, kw_only=True):
    """Send again what was acknowledged within the last 24 h: the events of an epoch from one sequence to another."""

    epoch: Annotated[str, Meta(min_length=1, max_length=64)]
    from_: Annotated[int, Meta(ge=1, le=1 << 53)] = msgspec.field(name="from")
    to: Annotated[int, Meta(ge=1, le=1 << 53)]

    def amiss(self) -> str:
        return "" if self.from_ <= self.to else "from must not be above to"


class Snapshot(Request, frozen=True, kw_only=True):
    """One masked picture, in the answer."""

    width: Annotated[int, Meta(ge=64, le=960, description="at most so many samples wide")] = 640


class SetHealthInterval(Request, frozen=True, kw_only=True):
    """How often health is sent, until the next reload or restart."""

    seconds: Annotated[float, Meta(ge=1, le=3600)]


class _Span(Request, frozen=True, kw_only=True):
    from_: At = msgspec.field(name="from")
    to: At

    def amiss(self) -> str:
        in_order = timedelta(0) < self.to - self.from_ <= LONGEST_SPAN
        return "" if in_order else "the span must begin before it ends, and last 24 h at most"

    def amiss_at(self, now: datetime) -> str:
        late = [name for name, at in (("from", self.from_), ("to", self.to)) if at > now + LEEWAY]
        return f"{' and '.join(late)}: in the future, by this node's clock it is {now:%Y-%m-%dT%H:%M:%SZ}" if late else ""


class Bookmark(_Span, frozen=True, kw_only=True):
    """An incident of the centre, and the span of footage it is about."""

    incident: Annotated[str, Meta(min_length=1, max_length=64), _LEGIBLE]
    note: Annotated[str, Meta(max_length=200), _LEGIBLE] = ""


class ExportRequest(_Span, frozen=True, kw_only=True):
    """Somebody shall export this span."""

    reference: Reference


class Hold(_Span, frozen=True, kw_only=True):
    """Keep this span from destruction, for a legal reference, until `until`."""

    reference: Reference
    until: At | None = None


LeaseId = Annotated[str, Meta(min_length=1, max_length=64), _LEGIBLE]
LeaseSeconds = Annotated[int, Meta(ge=1, le=LONGEST_LEASE_S, description="from now on")]
Why = Annotated[str, Meta(max_length=200), _LEGIBLE]
Station = Annotated[str, Meta(max_length=64), _LEGIBLE]


class LiveOpen(Request, frozen=True, kw_only=True):
    """A lease to look in at the live picture, for whoever the token names."""

    transport: Way = Way.RTSP
    picture: Rendition = Rendition.FULL
    seconds: LeaseSeconds = USUAL_LEASE_S
    why: Why = ""
    incident: Why = ""
    station: Station = ""


class LiveRenew(Request, frozen=True, kw_only=True):
    """A lease in force shall last so long from now on: by whoever opened it, or a supervisor."""

    lease: LeaseId
    seconds: LeaseSeconds = USUAL_LEASE_S


class LiveClose(Request, frozen=True, kw_only=True):
    """End a lease and every look under it: by whoever opened it, or a supervisor."""

    lease: LeaseId


class LiveList(Request, frozen=True, kw_only=True):
    """The leases in force, and how many look."""


class Withdraw(Request, frozen=True, kw_only=True):
    """End the deployment of a unit that is moved: its camera closes, and no command opens it again."""

    why: Annotated[str, Meta(max_length=200), _LEGIBLE] = ""


class Locate(Request, frozen=True, kw_only=True):
    """Where is the unit?"""


class Saver(StrEnum):
    """How much a unit is to do without, as a battery that is so far gone would have it."""

    OFF = "off"
    SAVING = "saving"
    LOW = "low"


class SetSaver(Request, frozen=True, kw_only=True):
    """Do without health, stills and looks as on a battery that is so far gone, until the next one or a restart."""

    rung: Saver


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command that was carried out, by verb."""


class Pong(Result, frozen=True, kw_only=True):
    """The answer to `ping`."""

    version: str
    boot_id: str
    uptime_s: float
    clock_quality: str


class Picture(Result, frozen=True, kw_only=True):
    """The answer to `snapshot`."""

    at: str
    opaque: bool
    reason: str
    mask_digest: str
    jpeg: Annotated[str, Meta(description="a masked JPEG, base64", extra_json_schema={"contentEncoding": "base64"})]


class Held(Result, frozen=True, kw_only=True):
    """The answer to `hold`."""

    hold: int
    until: str


class Entered(Result, frozen=True, kw_only=True):
    """The answer to `bookmark` and `export-request`: the event that says so is on disk under this sequence."""

    sequence: int
    footage: Annotated[bool, Meta(description="whether anything of the span is recorded and not destroyed")]


class Interval(Result, frozen=True, kw_only=True):
    """The answer to `set-health-interval`."""

    seconds: float


class Resent(Result, frozen=True, kw_only=True):
    """The answer to `resend`. They come on their own topics, marked `resent`, beside the answer and in no promised order."""

    resent: Annotated[int, Meta(description="how many are sent again now")]
    waiting: Annotated[int, Meta(description="not acknowledged yet: they come by themselves")]
    gone: Annotated[int, Meta(description="this node has them no more, or gave out no such number")]
    next: Annotated[int | None, Meta(description="where to ask on: the counts are of what lies below; null: done")] = None


class LiveOpened(Result, frozen=True, kw_only=True):
    """The answer to `live-open`: each address complete with its credentials, told this once; null for what is not offered."""

    lease: str
    until: str
    rtsp: str | None = None
    rtsps: str | None = None
    page: str | None = None


class LeaseTold(Result, frozen=True, kw_only=True):
    """A lease as others may know it, and the answer to `live-renew` and `live-close`."""

    lease: str
    by: str
    station: str
    why: str
    transport: Way
    until: str
    viewers: int
    standing: bool
    picture: Rendition


class LiveLeases(Result, frozen=True, kw_only=True):
    """The answer to `live-list`."""

    leases: list[LeaseTold]


class Withdrawn(Result, frozen=True, kw_only=True):
    """The answer to `withdraw`."""

    deployment: str
    at: str


class Located(Result, frozen=True, kw_only=True):
    """The answer to `locate`: degrees of WGS 84, as the unit's own receiver has it."""

    latitude: float
    longitude: float


class Saving(Result, frozen=True, kw_only=True):
    """The answer to `set-saver`: what was asked for, and all that the unit does without now, in words."""

    rung: str
    spares: str


class Done(Result, frozen=True, kw_only=True):
    """The answer to what is only set in motion: `reload`, `request-full-state`."""

    begun: bool = True


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: the command was carried out."""

    verb: str
    node: str
    at: str
    id: str
    ok: Annotated[bool, Meta(extra_json_schema={"const": True})] = True
    result: Result


class Refusing(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: the command was not carried out, or failed. `id` is null while no signature vouches for it."""

    verb: str
    node: str
    at: str
    id: str | None
    ok: Annotated[bool, Meta(extra_json_schema={"const": False})] = False
    code: Refusal
    reason: str
