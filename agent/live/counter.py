"""What may be asked of leases, through MQTT and at the node: opened, renewed, closed, listed. Roles were checked at the desk."""

from __future__ import annotations

from collections.abc import Sequence

from agent.base.errors import RegisterError, StorageError
from agent.base.phrase import say
from agent.live.book import LeaseBook
from agent.live.lease import LeaseHolder, LeaseInForce, LeaseTerms
from agent.operations import local, payloads
from agent.operations.caller import Caller, Door, Refusal, Refused
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.ports.live import LiveDoor, Way

_REMEDY = {
    Way.RTSP: say("give [live] rtsp_port or rtsps_port a port"),
    Way.WEB: say("give [live] page_port a port, such as 8443"),
    Way.PUSH: say("set [live] push_url"),
}


class LeaseCounter:
    """Any thread. `doors`: the ways that are built and on."""

    def __init__(self, book: LeaseBook, doors: Sequence[LiveDoor], *, enabled: bool) -> None:
        self._book = book
        self._doors = tuple(doors)
        self._enabled = enabled

    def operations(self) -> Sequence[Operation]:
        """By the hub's verbs, and by those of the control socket."""
        return (
            Operation(VERBS["live-open"], self._open_for_hub),
            Operation(VERBS["live-renew"], self._renew),
            Operation(VERBS["live-close"], self._close),
            Operation(VERBS["live-list"], self._list),
            Operation(VERBS["lease-open"], self._open_here),
            Operation(VERBS["lease-renew"], self._renew),
            Operation(VERBS["lease-close"], self._close),
            Operation(VERBS["lease-list"], self._list),
        )

    def _open_for_hub(self, asked: payloads.LiveOpen, caller: Caller) -> payloads.LiveOpened:
        return self._open(_terms(asked, LeaseHolder(caller.subject, caller.role, asked.station), "token"))

    def _open_here(self, asked: local.LeaseOpen, _: Caller) -> payloads.LiveOpened:
        return self._open(_terms(asked, LeaseHolder(asked.by, asked.role, asked.station), "control socket"))

    def _open(self, terms: LeaseTerms) -> payloads.LiveOpened:
        by = terms.holder.by
        if not self._enabled:
            why = say("nobody can look in: [live] is not enabled in the daemon that runs")
            raise Refused(
                Refusal.FAILED, why, by=by, remedy=say("set [live] enabled = true, then `sudo systemctl restart vigie`")
            )
        doors = [door for door in self._doors if door.way is terms.way]
        if not doors:
            why = say("nobody can look in by {way} here: this node does not offer it", way=terms.way.value)
            raise Refused(Refusal.FAILED, why, by=by, remedy=_REMEDY[terms.way])
        try:
            lease = self._book.open(terms)
        except (RegisterError, StorageError) as error:
            what, remedy = error.said
            why = say("no lease without an entry in the register: {why}", why=what)
            raise Refused(Refusal.FAILED, why, by=by, remedy=remedy) from error
        urls: dict[str, str] = {}
        for door in doors:
            door.opened(lease.id)
            urls |= door.urls(lease.secret)
        return payloads.LiveOpened(lease=lease.id, until=lease.until, **urls)

    def _renew(self, asked: payloads.LiveRenew | local.LeaseRenew, caller: Caller) -> payloads.LeaseTold:
        return told(self._book.renew(asked.lease, asked.seconds, _holder(caller), at_the_node=_at_the_node(caller)))

    def _close(self, asked: payloads.LiveClose | local.LeaseClose, caller: Caller) -> payloads.LeaseTold:
        return told(self._book.close(asked.lease, _holder(caller), at_the_node=_at_the_node(caller)))

    def _list(self, _asked: object, _by: Caller) -> payloads.LiveLeases:
        return payloads.LiveLeases(leases=[told(lease) for lease in self._book.in_force()])


def _terms(asked: payloads.LiveOpen | local.LeaseOpen, holder: LeaseHolder, through: str) -> LeaseTerms:
    return LeaseTerms(
        holder=holder,
        way=asked.transport,
        seconds=asked.seconds,
        why=asked.why,
        incident=asked.incident,
        rendition=asked.picture,
        through=through,
    )


def told(lease: LeaseInForce) -> payloads.LeaseTold:
    """Without its secret."""
    terms = lease.terms
    return payloads.LeaseTold(
        lease=lease.id,
        by=terms.holder.by,
        station=terms.holder.station,
        why=terms.why,
        transport=terms.way,
        until=lease.until,
        viewers=lease.viewers,
        standing=terms.standing,
        picture=terms.rendition,
    )


def _holder(caller: Caller) -> LeaseHolder:
    return LeaseHolder(caller.subject, caller.role)


def _at_the_node(caller: Caller) -> bool:
    """Whoever may open the control socket may stop the node as well."""
    return caller.door is Door.SOCKET
