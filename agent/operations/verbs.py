"""What can be asked of a node: each verb with the roles it is for and the schema of its arguments."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from agent.operations import local, payloads
from agent.operations.arguments import Arguments
from agent.operations.caller import Door, Role

_ANYBODY = frozenset(Role)
_CENTRE = frozenset({Role.OPERATOR, Role.SUPERVISOR})
_INCIDENT = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.POLICE})
_UPKEEP = frozenset({Role.SUPERVISOR, Role.TECHNICIAN})


_REMOTE = frozenset({Door.MQTT})
_HERE = frozenset({Door.SOCKET})
_SHOWN = frozenset({Door.SOCKET, Door.PAGE})


class Verb(Struct, frozen=True):
    """One kind of request: for which roles, through which doors, and whether the register hears of it.

    A verb that is not entered reads what is no footage, or makes an entry of its own.
    """

    name: str
    roles: frozenset[Role]
    request: type[Arguments]
    doors: frozenset[Door] = _REMOTE
    entered: bool = True


def _local(name: str, request: type[Arguments], doors: frozenset[Door] = _HERE) -> Verb:
    return Verb(name, _UPKEEP, request, doors, entered=False)


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
        Verb("live-open", _ANYBODY, payloads.LiveOpen),
        Verb("live-renew", _ANYBODY, payloads.LiveRenew),
        Verb("live-close", _ANYBODY, payloads.LiveClose),
        Verb("live-list", _CENTRE, payloads.LiveList),
        Verb("withdraw", frozenset({Role.SUPERVISOR, Role.TECHNICIAN}), payloads.Withdraw),
        Verb("set-saver", _UPKEEP, payloads.SetSaver),
        Verb("locate", _CENTRE | _UPKEEP, payloads.Locate),
        Verb("reload", _UPKEEP, payloads.Reload),
        Verb("set-health-interval", _UPKEEP, payloads.SetHealthInterval),
        _local("status", local.ReadStatus, _SHOWN),
        _local("picture", local.ReadPictureMetrics),
        _local("masks-validate", local.MasksValidate),
        _local("masks-progress", local.MasksProgress),
        _local("lease-open", local.LeaseOpen),
        _local("lease-renew", local.LeaseRenew),
        _local("lease-close", local.LeaseClose),
        _local("lease-list", local.LeaseList),
    )
}
"""Every one, by name."""
COMMANDS: Mapping[str, Verb] = {name: verb for name, verb in VERBS.items() if Door.MQTT in verb.doors}
"""What the hub may ask."""
