"""An honest house for tests of the ways of looking in: leases in a dictionary, a register that is a list, the real broadcast."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from agent.base.errors import EncoderError
from agent.base.queues import Closed
from agent.picture.access_unit import VideoFormat
from agent.ports.live import LiveFrame, Look, LookRefused, NoEntry, Secret, Transport
from agent.stream.broadcast import Broadcast, Closing


@dataclass(frozen=True)
class Entered:
    """A line of the register: somebody begins to look, or has ended."""

    lease: str
    transport: Transport
    address: str
    why: str = ""


@dataclass
class SmallGate:
    """`full` lets in nobody more, `no_register` cannot write; `keyframe` is asked for one."""

    broadcast: Broadcast
    keyframe: Callable[[], None] = lambda: None
    secrets: dict[str, Secret] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    formats: dict[str, VideoFormat] = field(default_factory=dict)
    """Of leases that are given another stream."""
    register: list[Entered] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    looks: list[SmallLook] = field(default_factory=list)
    most: int = 100
    no_register: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, password: str = "correct horse", name: str = "") -> Secret:
        """A lease; its name is its user."""
        secret = Secret(name or f"lease-{next(self.numbers)}", password)
        self.secrets[secret.lease] = secret
        return secret

    def end(self, lease: str, why: str = "closed by a supervisor") -> None:
        """Of a lease: every look of it is over."""
        del self.secrets[lease]
        for look in [each for each in self.looks if each.lease == lease]:
            look.finish(why)

    @property
    def format(self) -> VideoFormat | None:
        try:
            return self.broadcast.format
        except EncoderError:
            return None

    def format_of(self, lease: str) -> VideoFormat | None:
        return self.formats.get(lease, self.format)

    def challenge(self, user: str) -> Secret | None:
        return self.secrets.get(user)

    def bearer(self, token: str) -> str | None:
        return self.tokens.get(token)

    def enter(self, lease: str, transport: Transport, address: str) -> Look:
        with self.lock:
            if lease not in self.secrets:
                raise LookRefused(NoEntry.UNKNOWN, "there is no such lease")
            if len(self.looks) >= self.most:
                raise LookRefused(NoEntry.FULL, "as many look as may")
            if self.no_register:
                raise LookRefused(NoEntry.NO_REGISTER, "the register cannot be written")
            self.register.append(Entered(lease, transport, address))
            look = SmallLook(self, lease, transport, address)
            self.looks.append(look)
        return look

    def refused(self, transport: Transport, address: str, user: str) -> None:
        self.refusals.append(user)

    @property
    def ends(self) -> list[str]:
        """Why looks ended, in order."""
        return [entry.why for entry in self.register if entry.why]


class SmallLook:
    """A reader of the broadcast with an entry in the register."""

    def __init__(self, gate: SmallGate, lease: str, transport: Transport, address: str) -> None:
        self._gate, self.lease, self._entry = gate, lease, (lease, transport, address)
        self._reader = gate.broadcast.subscribe()
        self._call: Callable[[], None] = lambda: None
        self._over = ""
        self._closed = False

    @property
    def by(self) -> str:
        return self.lease

    @property
    def format(self) -> VideoFormat:
        return self._gate.broadcast.format

    def get(self, timeout_s: float) -> LiveFrame | None:
        if self._over:
            raise LookRefused(NoEntry.UNKNOWN, self._over)
        try:
            item = self._reader.get(timeout_s)
        except Closed:
            raise LookRefused(NoEntry.UNKNOWN, "closed") from None
        if item is None:
            return None
        return LiveFrame(item.unit, closing=True) if isinstance(item, Closing) else LiveFrame(item.unit, item.missed)

    def on_frame(self, call: Callable[[], None]) -> None:
        self._reader.on_item(call)

    def request_keyframe(self) -> None:
        self._gate.keyframe()

    def on_over(self, call: Callable[[], None]) -> None:
        self._call = call
        if self._over:
            call()

    @property
    def over(self) -> str:
        return self._over

    def finish(self, why: str) -> None:
        """The lease is over."""
        self._over = why
        self._call()

    def close(self, why: str) -> None:
        with self._gate.lock:
            if self._closed:
                return
            self._closed = True
            self._reader.close()
            self._gate.looks.remove(self)
            self._gate.register.append(Entered(*self._entry, why=why))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close("left")
