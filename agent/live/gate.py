"""The gate: who may look is decided here, and nowhere in a driver. Implements agent.ports.live.Gate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from agent.base.clock import Clock, rfc3339
from agent.base.errors import EncoderError, RegisterError
from agent.base.phrase import say
from agent.journal.entry import Act, Fact
from agent.journal.folded_looks import QUIET_NS, FoldedLooks
from agent.live.book import LeaseBook
from agent.live.keyframes import KeyframeOnDemand
from agent.live.lease import LeaseInForce
from agent.live.look import LeasedLook
from agent.live.restraint import OTHER_STREAM
from agent.live.strangers import Strangers
from agent.picture.access_unit import VideoFormat
from agent.ports.live import LookRefused, NoEntry, Rendition, Secret, Transport
from agent.stream.broadcast import Broadcast

BACKLOG_S: Final = 2.0
"""A viewer that is further behind begins again at a keyframe: nobody wants to see the past."""
MOST_ADDRESSES: Final = 16
"""From so many addresses at most may one lease be used within five minutes: its secret has got about."""


class LiveSource(Struct, frozen=True):
    """A stream, and how to ask it for a keyframe."""

    broadcast: Broadcast
    keyframes: KeyframeOnDemand

    @property
    def format(self) -> VideoFormat | None:
        """None before its first picture."""
        try:
            return self.broadcast.format
        except EncoderError:
            return None


class TokenDoor(Protocol):
    """Who opens a lease by showing the hub's token in the place of a password."""

    def lease_of(self, token: str) -> str | None:
        """The lease that this token opened, while it lasts, or opens now; None when it opens none."""
        ...


class LeaseGate:
    """Any thread. `accounts` gives the lease that stands for an account's name."""

    def __init__(
        self,
        book: LeaseBook,
        accounts: Callable[[str], LeaseInForce | None],
        tokens: TokenDoor,
        strangers: Strangers,
        journal: FoldedLooks,
        stream: Broadcast,
        keyframes: KeyframeOnDemand,
        clock: Clock,
        max_viewers: int,
        low: LiveSource | None = None,
    ) -> None:
        self._book = book
        self._accounts = accounts
        self._tokens = tokens
        self._strangers = strangers
        self._journal = journal
        self._full = LiveSource(stream, keyframes)
        self._low = low
        self._clock = clock
        self._max_viewers = max_viewers
        self._lock = threading.Lock()
        self._inside = 0
        self._seen: dict[tuple[str, str], int] = {}

    @property
    def viewers(self) -> int:
        """How many look now."""
        return self._inside

    @property
    def format(self) -> VideoFormat | None:
        """See Gate."""
        return self._full.format

    def format_of(self, lease: str) -> VideoFormat | None:
        """See Gate."""
        found = self._book.find(lease)
        return None if found is None else self._source(self._book.rendition_of(found)).format

    def _source(self, rendition: Rendition) -> LiveSource:
        return self._low if rendition is Rendition.LOW and self._low is not None else self._full

    def challenge(self, user: str) -> Secret | None:
        """See Gate."""
        lease = self._accounts(user) or self._book.find(user)
        return None if lease is None else lease.secret

    def bearer(self, token: str) -> str | None:
        """See Gate."""
        return self._tokens.lease_of(token)

    def refused(self, transport: Transport, address: str, user: str) -> None:  # noqa: ARG002 - what a stranger typed is kept nowhere
        """See Gate."""
        self._strangers.count(transport, address)

    def enter(self, lease: str, transport: Transport, address: str) -> LeasedLook:
        """See Gate. `address` is the viewer's host alone: its port differs each time."""
        found = self._book.find(lease)
        if found is None:
            raise LookRefused(NoEntry.UNKNOWN, say("no such lease is in force"))
        if transport.way is not found.terms.way:
            raise LookRefused(
                NoEntry.NOT_THIS_WAY,
                say("this lease is for {way}, not for {other}", way=found.terms.way.value, other=transport.way.value),
            )
        rendition = self._book.rendition_of(found)
        format = self._source(rendition).format
        if format is None:
            raise LookRefused(NoEntry.NO_STREAM, say("the node has no picture yet"))
        self._take_place()
        try:
            return self._entered(found, transport, address, format, rendition)
        except BaseException:
            self._leave_place()
            raise

    def _entered(
        self, lease: LeaseInForce, transport: Transport, address: str, format: VideoFormat, rendition: Rendition
    ) -> LeasedLook:
        self._know(lease.id, address)
        by = lease.terms.holder.by
        facts: dict[str, Fact] = {"how": transport, "address": address, "lease": lease.id}
        if rendition is Rendition.LOW:
            facts["picture"] = rendition
        try:
            self._journal.enter(Act.LIVE_BEGUN, by, facts)
        except RegisterError as error:
            raise LookRefused(NoEntry.NO_REGISTER, say("nobody looks unentered: {why}", why=error.said[0])) from error
        source = self._source(rendition)
        reader = source.broadcast.subscribe(max(8, round(BACKLOG_S * format.fps)))
        look = LeasedLook(
            lease, facts, reader, format, rendition, source.keyframes, self._journal, self._clock, gone=self._leave_place
        )
        if not lease.begin(look):
            reader.close()
            end: dict[str, Fact] = {"seconds": 0.0, "why": lease.over, "ended": rfc3339(self._clock.wall_ns())}
            self._journal.enter(Act.LIVE_ENDED, by, {**facts, **end})
            raise LookRefused(NoEntry.UNKNOWN, say("the lease is over: {why}", why=lease.over))
        if self._book.rendition_of(lease) is not rendition:  # the rung changed in the middle: it was not in the lease yet
            look.end(OTHER_STREAM)
        return look

    def _take_place(self) -> None:
        with self._lock:
            if self._inside >= self._max_viewers:
                raise LookRefused(NoEntry.FULL, say("{count} look already: one must leave first", count=self._max_viewers))
            self._inside += 1

    def _leave_place(self) -> None:
        with self._lock:
            self._inside -= 1

    def _know(self, lease: str, address: str) -> None:
        """Bound what one lease can write: LookRefused when it is used from everywhere."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            self._seen = {key: at_ns for key, at_ns in self._seen.items() if now_ns - at_ns < 2 * QUIET_NS}
            mine = [key for key in self._seen if key[0] == lease]
            if (lease, address) not in self._seen and len(mine) >= MOST_ADDRESSES:
                raise LookRefused(NoEntry.FULL, say("this lease is used from {count} addresses already", count=MOST_ADDRESSES))
            self._seen[lease, address] = now_ns
