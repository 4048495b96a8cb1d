"""What can be asked of a node: each verb with the roles it is for and the schema of its arguments."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from agent.operations import payloads
from agent.operations.caller import Role

_ANYBODY = frozenset(Role)
_CENTRE = frozenset({Role.OPERATOR, Role.SUPERVISOR})
_INCIDENT = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.POLICE})
_UPKEEP = frozenset({Role.SUPERVISOR, Role.TECHNICIAN})


class Verb(Struct, frozen=True):
    """One kind of command."""

    name: str
    roles: frozenset[Role]
    request: type[payloads.Request]


VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("ping", _ANYBODY, payloads.Ping),
        Verb("request-full-state", _CENTRE | _UPKEEP, payloads.RequestFullState),
        Verb("resend", _CENTRE | _UPKEEP, payloads.Resend),
        Verb("snapshot", _CENTRE, payloads.Snapshot),
        Verb("bookmark", _INCIDENT, payloads.Bookmark),
        Verb("export-request", _INCIDENT, payloads.ExportRequest),
        Verb("hold", frozenset({Role.SUPERVISOR, Role.POLICE}), payloads.Hold),
        Verb("reload", _UPKEEP, payloads.Reload),
        Verb("set-health-interval", _UPKEEP, payloads.SetHealthInterval),
    )
}
