"""Many simulated nodes on one thread: their sessions share one selector, their timers one heap."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.fleet.link import CuttableLink
from agent.fleet.simulated_node import SimulatedNode, seconds_ns
from agent.ports.mqtt import BrokerEndpoint, MqttTransport, TransportEvent
from agent.uplink.pace import Pace

FLEET_PACE = Pace(will_delay_s=5, session_expiry_s=3600)
TICK_S = 0.02
"""Timers may be so late: thousands of nodes in one process need not wake it one by one. The network always does at once."""


class Weather(Struct, frozen=True):
    """What happens to a fleet; rates are per node and hour, storms per hour for all. The same seed gives the same weather."""

    seed: int = 1
    events_per_hour: float = 60.0
    restarts_per_hour: float = 0.5
    outages_per_hour: float = 0.5
    outage_s: float = 20.0
    storms_per_hour: float = 6.0
    storm_events: int = 10
    health_s: float = 10.0


class SharedLoop(Protocol):
    """What the fleet asks of the driver: one selector under all transports."""

    def transport(self) -> MqttTransport:
        """A connection on this loop."""
        ...

    def turn(self, timeout_s: float) -> Sequence[tuple[MqttTransport, Sequence[TransportEvent]]]:
        """Wait for and do network work; who has something to tell, and what."""
        ...


class Fleet:
    """Turns all nodes; one thread. `step` returns within about `timeout_s`."""

    def __init__(
        self,
        count: int,
        endpoint: BrokerEndpoint,
        loop: SharedLoop,
        clock: Clock,
        weather: Weather,
        *,
        prefix: str = "vigie",
        pace: Pace = FLEET_PACE,
        directory: Path | None = None,
    ) -> None:
        self.nodes: list[SimulatedNode] = []
        self.storms = self.outages = self.restarts = 0
        self.will_delay_s = pace.will_delay_s
        self._loop = loop
        self._clock = clock
        self._weather = weather
        self._dice = random.Random(weather.seed)  # noqa: S311 - weather, no secret
        self._of: dict[MqttTransport, SimulatedNode] = {}
        self._timers: list[tuple[int, int, SimulatedNode | None, Callable[[], None]]] = []
        self._ticket = 0
        self._due: dict[SimulatedNode, int] = {}
        self._stirred: dict[SimulatedNode, None] = {}
        self._calm = False
        now_ns = clock.monotonic_ns()
        for number in range(count):
            self._add(f"sim-{number:04d}", prefix, endpoint, pace, directory, now_ns)
        self._repeat(None, weather.storms_per_hour, self._storm)

    def step(self, timeout_s: float) -> None:
        """Do what is due, wait for the network, hand each node what happened to it."""
        now_ns = self._clock.monotonic_ns()
        while self._timers and self._timers[0][0] <= now_ns:
            _, _, node, act = heapq.heappop(self._timers)
            act()
            if node is not None:
                self._stirred[node] = None
        if self._stirred:
            timeout_s = 0.0
        elif self._timers:
            timeout_s = min(timeout_s, max(TICK_S, (self._timers[0][0] - now_ns) / NS))
        for transport, events in self._loop.turn(timeout_s):
            self._turn(self._of[transport], list(events))
        stirred, self._stirred = self._stirred, {}
        for node in stirred:
            self._turn(node, [])

    def calm(self) -> None:
        """No more weather: lines are mended, nothing new is raised; what waits drains."""
        self._calm = True
        for node in self.nodes:
            node.link.mend()

    def storm(self, events: int) -> None:
        """Every node raises so many events at once."""
        for node in self.nodes:
            for _ in range(events):
                node.raise_something()
            self._stirred[node] = None

    def stop(self) -> None:
        """Ask every session for its goodbye; go on with `step` until `gone`."""
        for node in self.nodes:
            node.session.stop()
            self._stirred[node] = None

    @property
    def gone(self) -> bool:
        """Every session has ended."""
        return all(node.session.finished for node in self.nodes)

    @property
    def online(self) -> int:
        """How many sessions are up."""
        return sum(node.session.online for node in self.nodes)

    @property
    def pending(self) -> int:
        """Events that are on no broker yet."""
        return sum(node.pending for node in self.nodes)

    def close(self) -> None:
        """Give everything back."""
        for node in self.nodes:
            node.link.abort()
            node.close()

    # -- one node --------------------------------------------------------------------------------------------------

    def _add(self, name: str, prefix: str, endpoint: BrokerEndpoint, pace: Pace, directory: Path | None, now_ns: int) -> None:
        weather, transport = self._weather, self._loop.transport()
        dice = random.Random(self._dice.getrandbits(64))  # noqa: S311
        link = CuttableLink(transport, lambda: self._stirred.__setitem__(node, None))
        node = SimulatedNode(
            name, prefix, endpoint, link, self._clock, dice, pace=pace, health_s=weather.health_s, directory=directory
        )
        self.nodes.append(node)
        self._of[transport] = node
        self._stirred[node] = None
        self._repeat(node, weather.events_per_hour, node.raise_something)
        self._repeat(node, weather.restarts_per_hour, lambda: self._restart(node))
        self._repeat(node, weather.outages_per_hour, lambda: self._cut(node))
        self._at(now_ns + seconds_ns(dice.uniform(0, weather.health_s)), node, lambda: self._health(node))

    def _turn(self, node: SimulatedNode, events: list[TransportEvent]) -> None:
        node.turn([*node.link.take_own(), *events])
        deadline_ns = node.session.deadline_ns()
        known_ns = self._due.get(node)
        if deadline_ns is not None and (known_ns is None or deadline_ns < known_ns):
            self._due[node] = deadline_ns
            self._at(deadline_ns, node, lambda: self._deadline_came(node))

    def _deadline_came(self, node: SimulatedNode) -> None:
        self._due.pop(node, None)

    def _health(self, node: SimulatedNode) -> None:
        node.health.turn()
        self._at(self._clock.monotonic_ns() + seconds_ns(self._weather.health_s), node, lambda: self._health(node))

    # -- weather ---------------------------------------------------------------------------------------------------

    def _at(self, when_ns: int, node: SimulatedNode | None, act: Callable[[], None]) -> None:
        self._ticket += 1
        heapq.heappush(self._timers, (when_ns, self._ticket, node, act))

    def _repeat(self, node: SimulatedNode | None, per_hour: float, act: Callable[[], None]) -> None:
        """At random moments, so often on average."""
        if per_hour <= 0:
            return

        def again() -> None:
            if not self._calm:
                act()
                self._repeat(node, per_hour, act)

        wait_s = self._dice.expovariate(per_hour / 3600)
        self._at(self._clock.monotonic_ns() + seconds_ns(wait_s), node, again)

    def _storm(self) -> None:
        self.storms += 1
        self.storm(self._weather.storm_events)

    def _restart(self, node: SimulatedNode) -> None:
        self.restarts += 1
        node.restart()

    def _cut(self, node: SimulatedNode) -> None:
        self.outages += 1
        node.link.cut()
        mend_ns = self._clock.monotonic_ns() + seconds_ns(self._weather.outage_s)
        self._at(mend_ns, node, node.link.mend)
