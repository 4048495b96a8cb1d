"""One lease: who looks in, why, by which way and until when. What holds of all of them: docs/live.md."""

from __future__ import annotations

import secrets
import threading
from typing import Final, Protocol

from msgspec import Struct

from agent.base.clock import NS, Clock, rfc3339
from agent.base.phrase import say
from agent.journal.entry import Fact
from agent.operations.caller import Role
from agent.operations.payloads import USUAL_LEASE_S
from agent.ports.live import Rendition, Secret, Way

EXPIRED: Final = say("its time is over")
_ID_BYTES: Final = 8
_PASSWORD_BYTES: Final = 24


class LeaseHolder(Struct, frozen=True):
    """Who looks: as the hub's token, the command line or the configuration names them."""

    name: str
    role: Role
    station: str = ""

    @property
    def by(self) -> str:
        """As the register names them."""
        return f"{self.name} ({self.role})"


class LeaseTerms(Struct, frozen=True, kw_only=True):
    """What somebody asks for. `through` says by which door. `standing`: renewed by itself, for an account.

    `incident`: the reference of what they look for, where they have one.
    """

    holder: LeaseHolder
    way: Way = Way.RTSP
    seconds: float = USUAL_LEASE_S
    why: str = ""
    incident: str = ""
    rendition: Rendition = Rendition.FULL
    through: str
    standing: bool = False


class UnderLease(Protocol):
    """What ends with a lease: a look."""

    @property
    def rendition(self) -> Rendition: ...

    def end(self, why: str) -> None: ...


class LeaseInForce:
    """A lease from its entry in the register to its end. Any thread; the book alone renews and ends it.

    `id` is what the register names it by, and the user's name of its secret. It is no secret itself.
    """

    def __init__(self, terms: LeaseTerms, clock: Clock, password: str | None = None, *, id: str | None = None) -> None:
        self.id = id or f"lease-{secrets.token_hex(_ID_BYTES)}"
        self.terms = terms
        self.secret = Secret(self.id, password or secrets.token_urlsafe(_PASSWORD_BYTES), terms.way)
        self._clock = clock
        self._lock = threading.Lock()
        self._until_ns = clock.monotonic_ns() + round(terms.seconds * NS)
        self._over = ""
        self._looks: list[UnderLease] = []

    @property
    def over(self) -> str:
        """Why it is over, in words; empty while it lasts. Its time ends it, whether anybody has noticed yet or not."""
        return self._over or (EXPIRED if self._clock.monotonic_ns() >= self._until_ns else "")

    @property
    def until(self) -> str:
        """When its time is over, by the wall clock as it stands now: RFC 3339."""
        return rfc3339(self._clock.wall_ns() + self._until_ns - self._clock.monotonic_ns())

    @property
    def left_s(self) -> float:
        """Seconds until its time is over."""
        return (self._until_ns - self._clock.monotonic_ns()) / NS

    @property
    def viewers(self) -> int:
        """How many look under it now."""
        return len(self._looks)

    @property
    def facts(self) -> dict[str, Fact]:
        """For the register: its beginning."""
        terms = self.terms
        return {
            "lease": self.id,
            "way": terms.way,
            "until": self.until,
            "why": terms.why,
            **({"incident": terms.incident} if terms.incident else {}),
            **({"picture": terms.rendition} if terms.rendition is Rendition.LOW else {}),
            "station": terms.holder.station,
            "through": terms.through,
            "standing": terms.standing,
        }

    def begin(self, look: UnderLease) -> bool:
        """Let this look be ended with the lease; False when it is over already."""
        with self._lock:
            if self.over:
                return False
            self._looks.append(look)
            return True

    def left(self, look: UnderLease) -> None:
        """Its viewer is gone. Idempotent."""
        with self._lock:
            self._looks = [each for each in self._looks if each is not look]

    def prolong(self, seconds: float) -> bool:
        """So many seconds more from now on; False when it is over: nothing brings it back."""
        with self._lock:
            if self.over:
                return False
            self._until_ns = self._clock.monotonic_ns() + round(seconds * NS)
            return True

    def turn_to(self, rendition: Rendition, why: str) -> None:
        """End every look at another stream than this; whoever looks may come again."""
        with self._lock:
            looks = [look for look in self._looks if look.rendition is not rendition]
        for look in looks:
            look.end(why)

    def shorten(self, seconds: float) -> bool:
        """At most so many seconds more from now on; False when it is over by then anyway."""
        with self._lock:
            until_ns = self._clock.monotonic_ns() + round(seconds * NS)
            if self.over or self._until_ns <= until_ns:
                return False
            self._until_ns = until_ns
            return True

    def end(self, why: str) -> bool:
        """Over, and every look with it, before this returns. False when it was ended before."""
        with self._lock:
            if self._over:
                return False
            self._over = why
            looks = self._looks
        for look in looks:
            look.end(why)
        return True
