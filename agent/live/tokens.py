"""A token of the hub in the place of a password: it opens one lease, once, and names that lease for as long as it lasts."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from typing import Final

from agent.live.book import LeaseBook
from agent.operations.caller import Refused

log = logging.getLogger(__name__)

MOST_REMEMBERED: Final = 256
MOST_REASONS: Final = 32


class LeaseTokens:
    """Any thread. `open` checks a token as a command is checked, uses it up, and returns the lease it opened; else Refused."""

    def __init__(self, open: Callable[[str], str], book: LeaseBook) -> None:
        self._open = open
        self._book = book
        self._lock = threading.Lock()
        self._opened: dict[bytes, str] = {}
        self._said: set[str] = set()

    def lease_of(self, token: str) -> str | None:
        """The lease that this token opened, while it lasts, or opens now; None when it opens none, or did before."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            lease = self._opened.get(digest)
            if lease is None:
                lease = self._first_use(token)
            if lease is not None:
                self._opened[digest] = lease
            self._forget()
            return lease if lease is not None and self._book.find(lease) is not None else None

    def _first_use(self, token: str) -> str | None:
        try:
            lease = self._open(token)
            self._said.clear()
            return lease
        except Refused as refused:
            # Strangers may try for ever: each reason once, until a token opens; how often they tried is in the register.
            is_news = refused.what not in self._said and len(self._said) < MOST_REASONS
            log.log(logging.INFO if is_news else logging.DEBUG, "a token opens no lease: %s", refused.what)
            self._said |= {refused.what} if is_news else set()
            return None

    def _forget(self) -> None:
        """What is over is used up all the same: the memory of used tokens knows it."""
        if len(self._opened) > MOST_REMEMBERED:
            self._opened = {digest: lease for digest, lease in self._opened.items() if self._book.find(lease) is not None}
