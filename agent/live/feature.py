"""Looking in as a feature: leases, the gate before the doors, and what may be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.model import Config
from agent.journal.folded_looks import FoldedLooks
from agent.live.accounts import LiveAccounts
from agent.live.attendant import LeaseAttendant
from agent.live.book import LeaseBook
from agent.live.counter import LeaseCounter
from agent.live.gate import LeaseGate, LiveSource
from agent.live.keyframes import KeyframeOnDemand
from agent.live.strangers import Strangers
from agent.live.tokens import LeaseTokens
from agent.live.unended import UnendedLeases
from agent.live.viewers import TOPICS, ViewersState
from agent.operations.arguments import Arguments
from agent.operations.caller import Caller
from agent.operations.desk import Desk
from agent.operations.operation import Operation
from agent.ports.event import EventSink
from agent.ports.health import LiveHealth
from agent.ports.live import LiveDoor, Way
from agent.sensors.ladder import Looking
from agent.stream.broadcast import Broadcast
from agent.stream.low_stream import FPS, SPARSE_FPS, LowStream

UNENDED = "leases.json"
Doors = Callable[[LeaseGate], Sequence[LiveDoor]]
Vouched = Callable[[str, str], tuple[Arguments, Caller]]


class Stream(Protocol):
    """What is looked at."""

    @property
    def broadcast(self) -> Broadcast: ...

    low: LowStream | None
    """None where nobody can look in."""

    def request_keyframe(self) -> None: ...


class LiveFeature(Feature[Config]):
    """`open_doors` makes the doors that are built and on; `vouched` checks a token as the command of that name."""

    topics = TOPICS
    keys = ("live",)

    def __init__(
        self,
        config: Config,
        stream: Stream,
        looks: FoldedLooks,
        desk: Desk,
        vouched: Vouched,
        open_doors: Doors,
        events: EventSink,
        clock: Clock,
    ) -> None:
        live, state_dir = config.live, Path(config.node.state_dir)
        self._desk = desk
        self._vouched = vouched
        self._book = LeaseBook(looks, UnendedLeases(state_dir / UNENDED), clock)
        self._strangers = Strangers(looks, clock)
        accounts = LiveAccounts(live.account if live.enabled else (), self._book, clock)
        keyframes = KeyframeOnDemand(stream.request_keyframe, clock)
        self._low, low = stream.low, None
        if self._low is not None:
            low = LiveSource(self._low.broadcast, KeyframeOnDemand(self._low.request_keyframe, clock))
            low.broadcast.attach(low.keyframes)
        self.gate = LeaseGate(
            self._book,
            accounts.lease_of,
            LeaseTokens(self._open_by_token, self._book),
            self._strangers,
            looks,
            stream.broadcast,
            keyframes,
            clock,
            live.max_viewers,
            low,
        )
        self._doors = tuple(open_doors(self.gate)) if live.enabled else ()
        self._counter = LeaseCounter(self._book, self._doors, enabled=live.enabled)
        self._components: tuple[Component, ...] = ()
        if live.enabled:
            stream.broadcast.attach(keyframes)
            state = ViewersState(events, config.node.id, clock)
            attendant = LeaseAttendant(self._book, accounts, self._strangers, lambda: self._see_to(state), clock)
            self._components = (attendant, *(component for door in self._doors for component in door.components()))

    def components(self) -> Sequence[Component]:
        return self._components

    def health(self) -> Mapping[str, Any]:
        viewers, leases = self._looking
        push = next((door.state for door in self._doors if door.way is Way.PUSH), "off")
        return {
            "live": LiveHealth(
                viewers=viewers,
                leases=leases,
                push=push,
                low=self._low is not None and self._low.is_wanted,
                low_dropped=0 if self._low is None else self._low.dropped,
                refused=self._strangers.refused,
            )
        }

    def operations(self) -> Sequence[Operation]:
        return self._counter.operations()

    def spare(self, looking: Looking) -> None:
        """Let no more looking in than this, from now on; the sensors' thread."""
        self._book.restrain(looking)

    def _see_to(self, state: ViewersState) -> None:
        """The attendant's thread, five times a second: the low stream is made while a lease is given it."""
        state.tell(*self._looking)
        if self._low is not None:
            fps = SPARSE_FPS if self._book.looking is Looking.SPARSELY else FPS
            self._low.want(fps if self._book.low_is_wanted() else 0.0)

    @property
    def _looking(self) -> tuple[int, int]:
        return self.gate.viewers, len(self._book.in_force())

    def _open_by_token(self, token: str) -> str:
        request, caller = self._vouched("live-open", token)
        return str(self._desk.do("live-open", request, caller).lease)
