"""The leases in force: entered before they begin, in memory alone, and ended by their time, by somebody, or with the node."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Final

from msgspec.structs import replace

from agent.base.clock import NS, Clock, rfc3339
from agent.base.errors import RegisterError
from agent.base.phrase import say
from agent.journal.entry import Act, Fact
from agent.journal.folded_looks import FoldedLooks
from agent.live.lease import EXPIRED, LeaseHolder, LeaseInForce, LeaseTerms
from agent.live.restraint import OTHER_STREAM, SHORT_S, against, ends_at_once, longest_s, rendition
from agent.live.unended import UnendedLeases
from agent.operations.caller import Refusal, Refused, Role
from agent.ports.live import Rendition
from agent.sensors.ladder import Looking

log = logging.getLogger(__name__)

MOST_LEASES: Final = 64
UNKNOWN: Final = say("no lease of that name is in force: a lease that is over stays over; `vigie live list` names them")


class LeaseBook:
    """Any thread."""

    def __init__(self, journal: FoldedLooks, unended: UnendedLeases, clock: Clock) -> None:
        self._journal = journal
        self._unended = unended
        self._clock = clock
        self._entering = threading.Lock()  # one beginning at a time: the register has them in the order in which they hold
        self._leases: dict[str, LeaseInForce] = {}
        self._to_enter: deque[tuple[LeaseInForce, Act, dict[str, Fact]]] = deque()
        self.looking = Looking.FREELY
        self._settling = threading.Lock()

    def open(self, terms: LeaseTerms, password: str | None = None) -> LeaseInForce:
        """A new lease, in the register before this returns. Refused when there are too many; RegisterError, and there is none."""
        with self._entering:
            self._refuse_what_is_spared(terms)
            lease = LeaseInForce(replace(terms, seconds=longest_s(self.looking, terms.seconds)), self._clock, password)
            self.expire()
            if len(self._leases) >= MOST_LEASES:
                raise Refused(Refusal.BUSY, say("{count} leases are in force: close one", count=MOST_LEASES), by=terms.holder.by)
            self._enter_beginning(lease)
            self._leases[lease.id] = lease
        if not terms.standing:
            log.info("%s may look by %s until %s (%s)", terms.holder.by, terms.way, lease.until, lease.id)
        return lease

    def renew(self, id: str, seconds: float, by: LeaseHolder, *, at_the_node: bool = False) -> LeaseInForce:
        """So many seconds more, from now on; entered before they hold. Refused to strangers, and for a lease that is over."""
        with self._entering:
            lease = self._owned(id, by, at_the_node=at_the_node)
            self._refuse_what_is_spared(lease.terms)
            seconds = longest_s(self.looking, seconds)
            until = rfc3339(self._clock.wall_ns() + round(seconds * NS))
            self._journal.enter(Act.LEASE_RENEWED, by.by, {"lease": lease.id, "until": until})
            if not lease.prolong(seconds):
                raise Refused(Refusal.FAILED, UNKNOWN, by=by.by)
        return lease

    def close(self, id: str, by: LeaseHolder, *, at_the_node: bool = False) -> LeaseInForce:
        """End it. Refused to strangers. Every look of it is over on return, whatever the register says."""
        lease = self._owned(id, by, at_the_node=at_the_node)
        self.end(lease, say("closed by {by}", by=by.by))
        return lease

    def end(self, lease: LeaseInForce, why: str) -> None:
        """It is over, and all looks of it. Idempotent. The entry follows, and is made up for when the register refuses it."""
        if lease.end(why):
            self._leases.pop(lease.id, None)
            self._to_enter.append((lease, Act.LEASE_ENDED, {"lease": lease.id, "way": lease.terms.way, "why": why}))
            log.info("the lease of %s is over: %s (%s)", lease.terms.holder.by, why, lease.id)

    def restrain(self, looking: Looking) -> None:
        """No more than this from now on. What it ends and shortens is so on return; the entries follow."""
        self.looking = looking
        with self._entering:  # whoever was being let in is in the book by now
            for lease in self.in_force():
                why = against(looking, lease.terms)
                if why is not None and ends_at_once(looking, lease.terms):
                    self.end(lease, why)
                elif looking is not Looking.FREELY and lease.shorten(SHORT_S):
                    spared = "the node spares battery or data"
                    self._to_enter.append((lease, Act.LEASE_RENEWED, {"lease": lease.id, "until": lease.until, "why": spared}))
                lease.turn_to(self.rendition_of(lease), OTHER_STREAM)

    def rendition_of(self, lease: LeaseInForce) -> Rendition:
        """Which stream it is given now."""
        return rendition(self.looking, lease.terms)

    def low_is_wanted(self) -> bool:
        """Whether any lease in force is given the low stream."""
        return any(self.rendition_of(lease) is Rendition.LOW for lease in self.in_force())

    def expire(self) -> None:
        """End what is past its time."""
        for lease in self.in_force(even_expired=True):
            if lease.over:
                self.end(lease, EXPIRED)

    def end_all(self, why: str) -> None:
        """The node stops."""
        with self._entering:
            for lease in self.in_force(even_expired=True):
                self.end(lease, why)

    def settle(self) -> None:
        """Enter the ends that are not in the register yet, also those of an earlier life. RegisterError: tried again."""
        with self._settling:
            self._unended.make_up(self._journal)
            while self._to_enter:
                lease, act, facts = self._to_enter[0]
                if act is Act.LEASE_ENDED:
                    self._journal.leave({"lease": lease.id})
                self._journal.enter(act, lease.terms.holder.by, facts)
                self._to_enter.popleft()
                if act is Act.LEASE_ENDED:
                    self._unended.remove(lease.id)

    def find(self, id: str) -> LeaseInForce | None:
        """The lease of that name, when it is in force."""
        lease = self._leases.get(id)
        return None if lease is None or lease.over else lease

    def in_force(self, *, even_expired: bool = False) -> tuple[LeaseInForce, ...]:
        """The oldest first."""
        return tuple(lease for lease in list(self._leases.values()) if even_expired or not lease.over)

    def _refuse_what_is_spared(self, terms: LeaseTerms) -> None:
        if why := against(self.looking, terms):
            remedy = say("give the reference of the incident: vigie live open --incident")
            if self.looking is Looking.CLOSED:
                remedy = say("wait for the day of [nomad] data_cap_day, or raise data_cap_mb")
            raise Refused(Refusal.SPARED, why, by=terms.holder.by, remedy=remedy)

    def _enter_beginning(self, lease: LeaseInForce) -> None:
        by = lease.terms.holder.by
        self._unended.add(lease.id, by)
        try:
            self._journal.enter(Act.LEASE_OPENED, by, lease.facts)
        except RegisterError:
            self._unended.remove(lease.id)
            raise

    def _owned(self, id: str, by: LeaseHolder, *, at_the_node: bool) -> LeaseInForce:
        lease = self.find(id)
        if lease is None:
            raise Refused(Refusal.FAILED, UNKNOWN, by=by.by)
        holder = lease.terms.holder
        if not (at_the_node or by.role is Role.SUPERVISOR or (holder.name, holder.role) == (by.name, by.role)):
            raise Refused(Refusal.FORBIDDEN, say("only whoever opened a lease, or a supervisor, renews or closes it"), by=by.by)
        return lease
