"""Leases that stand for the accounts of the configuration: opened when the node starts, and renewed by themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import VigieError
from agent.base.phrase import say
from agent.base.secret_file import read_secret
from agent.config.looking_in import LiveAccount
from agent.live.book import LeaseBook
from agent.live.lease import EXPIRED, LeaseHolder, LeaseInForce, LeaseTerms
from agent.live.restraint import BY_INCIDENT, PLAN_USED_UP, against
from agent.operations.caller import Role

log = logging.getLogger(__name__)

STANDING_S: Final = 600.0
_AGAIN_NS: Final = 30 * NS
_BY_ITSELF: Final = ("", EXPIRED, PLAN_USED_UP, BY_INCIDENT)
"""What is over for such a reason was closed by nobody, and may begin anew."""


class LiveAccounts:
    """The attendant's thread calls `renew`; any thread `lease_of`.

    Never above an operator. Whoever closes such a lease closes it until the node starts again. A password file that changes ends
    the lease under the old password, within five minutes. What a battery or a data plan ended begins anew when they allow it.
    """

    def __init__(self, accounts: Sequence[LiveAccount], book: LeaseBook, clock: Clock) -> None:
        self._accounts = tuple(accounts)
        self._book = book
        self._clock = clock
        self._leases: dict[str, LeaseInForce] = {}
        self._closed: set[str] = set()
        self._not_before_ns: dict[str, int] = {}

    def lease_of(self, name: str) -> LeaseInForce | None:
        """The lease of this account, when it is in force."""
        lease = self._leases.get(name)
        return None if lease is None or lease.over else lease

    def renew(self) -> None:
        """Open and prolong what is due. Nothing is raised: what fails is told and tried again in half a minute."""
        for account in self._accounts:
            now_ns = self._clock.monotonic_ns()
            if self._is_due(account.name, now_ns) and against(self._book.looking, _terms(account.name)) is None:
                try:
                    self._renew(account)
                except (VigieError, OSError) as error:
                    self._not_before_ns[account.name] = now_ns + _AGAIN_NS
                    self._give_up(account.name)
                    why = str(error)
                    log.warning("the account %s of [live] lets nobody look: %s", account.name, why)

    def _is_due(self, name: str, now_ns: int) -> bool:
        lease = self._leases.get(name)
        if lease is not None and lease.over not in _BY_ITSELF:
            self._closed.add(name)
        if name in self._closed or now_ns < self._not_before_ns.get(name, now_ns):
            return False
        return lease is None or lease.left_s < STANDING_S / 2

    def _renew(self, account: LiveAccount) -> None:
        password = read_secret(account.password_file)
        lease = self._leases.get(account.name)
        if lease is not None and lease.secret.password == password and lease.prolong(STANDING_S):
            return
        if lease is not None:
            self._book.end(lease, EXPIRED if lease.over else say("its password was changed"))
        self._leases[account.name] = self._book.open(_terms(account.name), password)

    def _give_up(self, name: str) -> None:
        lease = self._leases.pop(name, None)
        if lease is not None:
            self._book.end(lease, say("its password cannot be read"))


def _terms(name: str) -> LeaseTerms:
    holder = LeaseHolder(name, Role.OPERATOR)
    return LeaseTerms(holder=holder, seconds=STANDING_S, through="configuration", standing=True)
