"""What is asked at the node itself, through the control socket or the local page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agent.operations.arguments import Arguments
from agent.operations.caller import Role
from agent.operations.payloads import USUAL_LEASE_S, LeaseId, LeaseSeconds, Station, Why
from agent.ports.live import Rendition, Way


class ReadStatus(Arguments, frozen=True, kw_only=True):
    """The health document."""


class ReadPictureMetrics(Arguments, frozen=True, kw_only=True):
    """Focus and exposure of the picture, for whoever stands at the lens."""


class MasksValidate(Arguments, frozen=True, kw_only=True):
    """Take this view as the one the masks were drawn for."""

    by: Annotated[str, Meta(max_length=200)] = ""
    lift: bool = False
    nudge: bool = False


class MasksProgress(Arguments, frozen=True, kw_only=True):
    """What the validation under way asks the technician to do now."""


class LeaseOpen(Arguments, frozen=True, kw_only=True):
    """A lease to look in, for whoever the technician names."""

    by: Annotated[str, Meta(min_length=1, max_length=64)]
    role: Role
    station: Station = ""
    why: Why = ""
    incident: Why = ""
    transport: Way = Way.RTSP
    picture: Rendition = Rendition.FULL
    seconds: LeaseSeconds = USUAL_LEASE_S


class LeaseRenew(Arguments, frozen=True, kw_only=True):
    """A lease in force shall last so long from now on."""

    lease: LeaseId
    seconds: LeaseSeconds = USUAL_LEASE_S


class LeaseClose(Arguments, frozen=True, kw_only=True):
    """End a lease and every look under it."""

    lease: LeaseId


class LeaseList(Arguments, frozen=True, kw_only=True):
    """The leases in force."""
