"""The attendant: ends what is past its time, renews what stands, enters what waits, and tells how many look."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import RegisterError, StorageError
from agent.base.phrase import say
from agent.live.accounts import LiveAccounts
from agent.live.book import LeaseBook
from agent.live.strangers import Strangers

log = logging.getLogger(__name__)

EVERY_S: Final = 0.2
_REGISTER_AGAIN_NS: Final = 10 * NS
STOPPING: Final = say("the node stops")


class LeaseAttendant(Component):
    """Component `leases`. Not critical: without it leases end by their time all the same, and the node records on."""

    critical = False

    def __init__(
        self, book: LeaseBook, accounts: LiveAccounts, strangers: Strangers, tell: Callable[[], None], clock: Clock
    ) -> None:
        super().__init__("leases", clock)
        self._book = book
        self._accounts = accounts
        self._strangers = strangers
        self._tell = tell
        self._enter_again_ns = 0

    def work(self) -> None:
        """Until stopped: then every lease ends."""
        while not self.stopping.is_set():
            self.round()
            self.progressed()
            self.clock.wait(self.stopping, EVERY_S)
        self._book.end_all(STOPPING)
        self._enter(now=True)

    def round(self) -> None:
        """One look at everything."""
        self._book.expire()
        self._accounts.renew()
        if self.clock.monotonic_ns() >= self._enter_again_ns:
            self._enter()
        self._tell()

    def _enter(self, *, now: bool = False) -> None:
        try:
            self._book.settle()
            self._strangers.settle(now=now)
        except (RegisterError, StorageError) as error:  # the register has raised its alarm itself
            self._enter_again_ns = self.clock.monotonic_ns() + _REGISTER_AGAIN_NS
            log.warning("what happened to leases is not entered yet: %s", error)
