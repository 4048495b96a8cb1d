"""What is on its way to the broker on one connection, and how much more may be."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.ports.mqtt import Opened
from agent.uplink.pace import Pace

REFILL_EVERY_NS = NS // 20


class Sent(Struct, frozen=True):
    """One publication that is out: where it goes (`NodeTopics.place`), its size, the row it is, whether it is paced as all that
    is no alarm, whether the broker is to retain it, or to clear what it retains.
    """

    place: str
    packet_bytes: int = 0
    sequence: int | None = None
    ordinary: bool = False
    retained: bool = False
    clears: bool = False

    @property
    def key(self) -> int | str:
        """What it is told by when it is sent again."""
        return self.place if self.sequence is None else self.sequence


class InFlightWindow:
    """One thread. `begin` with every connection.

    Tags are never used twice in the life of a session, so a late answer of an earlier connection matches nothing.
    """

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._granted = Opened(session_present=False)
        self._tag = 0
        self._out: dict[int, Sent] = {}
        self._unheard: dict[str, tuple[int, Sent]] = {}
        self._balks: Counter[int] = Counter()
        self._holds_back = False
        self._begun_ns = self._heard_ns = self._tokens_ns = clock.monotonic_ns()
        self._tokens = pace.drain_burst
        self._audience = False
        self._hush_ends_ns = 0

    def begin(self, granted: Opened) -> None:
        """A new connection, with what the broker grants."""
        self.clear()
        self._granted = granted
        self._begun_ns = self._heard_ns = self._tokens_ns = self._clock.monotonic_ns()
        self._tokens = self._pace.drain_burst
        self._audience = False
        self._hush_ends_ns = 0

    def clear(self) -> None:
        """The connection is gone, and with it whatever was out."""
        self._out.clear()
        self._unheard.clear()
        self._balks.clear()
        self._holds_back = False

    # -- out and back ----------------------------------------------------------------------------------------------

    def launch(self, sent: Sent) -> int:
        """Count a publication as out, under the tag returned."""
        if not self._out:
            self._heard_ns = self._clock.monotonic_ns()
        self._tag += 1
        self._out[self._tag] = sent
        if sent.ordinary:
            self._tokens -= 1
        return self._tag

    def is_out(self, tag: int) -> bool:
        """Whether an answer is waited for."""
        return tag in self._out

    def land(self, tag: int) -> Sent:
        """It was answered, and so whatever went without an answer before it was read."""
        self._unheard = {place: (before, sent) for place, (before, sent) in self._unheard.items() if before >= tag}
        return self._out.pop(tag)

    def let_go(self, sent: Sent) -> None:
        """Sent at QoS 0: nobody will answer it. It counts as unanswered until something that was sent later is."""
        self._unheard[sent.place] = self._tag, sent

    @property
    def unanswered(self) -> list[Sent]:
        """What the broker may not have taken yet."""
        return [*self._out.values(), *(sent for _, sent in self._unheard.values())]

    def hold_back(self, sequence: int) -> bool:
        """A row was refused for a moment: nothing follows until it `may_try_again`. False: that was so too often by now."""
        self._balks[sequence] += 1
        if self._balks[sequence] > self._pace.balks_most:
            return False
        self._holds_back = True
        self.hush()
        return True

    @property
    def may_try_again(self) -> bool:
        """All that was out is answered, and the moment is over."""
        return self._holds_back and not self._out and self._clock.monotonic_ns() >= self._hush_ends_ns

    def try_again(self) -> None:
        """All rows that wait are taken once more."""
        self._holds_back = False

    @property
    def is_empty(self) -> bool:
        """No answer is waited for."""
        return not self._out

    # -- the other side --------------------------------------------------------------------------------------------

    def heard(self) -> None:
        """The broker is alive."""
        self._heard_ns = self._clock.monotonic_ns()

    @property
    def is_stalled(self) -> bool:
        """An answer is overdue and nothing else came either."""
        return bool(self._out) and self._clock.monotonic_ns() - self._heard_ns > self._pace.stall_s * NS

    def found_audience(self) -> None:
        """Somebody is subscribed."""
        self._audience = True

    @property
    def is_listened_to(self) -> bool:
        """Whether a subscriber has been seen on this connection, or was waited for long enough."""
        return self._audience or self._clock.monotonic_ns() - self._begun_ns > self._pace.audience_s * NS

    def hush(self) -> None:
        """Nobody listened: say nothing for a moment."""
        self._hush_ends_ns = self._clock.monotonic_ns() + round(self._pace.hush_s * NS)

    # -- how much more ---------------------------------------------------------------------------------------------

    def has_window(self, *, alone: bool) -> bool:
        """One more publication may go out; `alone`: only while no answer is waited for."""
        return len(self._out) < (1 if alone else self._window)

    def room(self, *, alone: bool) -> tuple[int, int]:
        """How many rows may be sent now, and how many of them that are no alarms."""
        self._refill()
        if self._holds_back:
            return 0, 0
        if alone or not self.is_listened_to:
            one = int(not self._out and self._clock.monotonic_ns() >= self._hush_ends_ns)
            return one, one
        room = max(0, self._window - len(self._out))
        for_others = max(1, self._window - self._pace.alarm_room) - sum(sent.ordinary for sent in self._out.values())
        return room, max(0, min(room, for_others, int(self._tokens)))

    def deadline_ns(self) -> int | None:
        """When time alone changes something."""
        now_ns = self._clock.monotonic_ns()
        due = [self._heard_ns + round(self._pace.stall_s * NS) + 1] if self._out else []
        if (self._holds_back or not self._audience) and self._hush_ends_ns > now_ns:
            due.append(self._hush_ends_ns)
        if self._tokens < 1:
            due.append(now_ns + REFILL_EVERY_NS)
        return min(due, default=None)

    @property
    def _window(self) -> int:
        return max(1, min(self._pace.window, self._granted.receive_maximum))

    def _refill(self) -> None:
        now_ns = self._clock.monotonic_ns()
        gained = (now_ns - self._tokens_ns) / NS * self._pace.drain_per_s
        self._tokens = min(self._pace.drain_burst, self._tokens + gained)
        self._tokens_ns = now_ns
