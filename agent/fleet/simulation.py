"""A run of a simulated fleet against a real broker, with an independent hub that counts."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, field, structs

from agent.base.clock import SystemClock
from agent.base.errors import UplinkError
from agent.fleet.fleet import Fleet, SharedLoop, Weather
from agent.fleet.hub_process import HubProcess
from agent.fleet.tally import FleetCount
from agent.ports.mqtt import Acknowledged, BrokerCredentials, BrokerEndpoint, ConnectOptions, Opened, Publication
from agent.uplink.topics import Branch, NodeTopics

STEP_S = 0.2
SETTLE_S = 60.0
GOODBYE_S = 10.0
WILL_MARGIN_S = 3.0  # a broker looks for overdue wills about once a second
SWEPT_AT_ONCE = 20
FILES_PER_NODE = 2


class Plan(Struct, frozen=True):
    """What to simulate."""

    url: str
    nodes: int
    seconds: float
    prefix: str
    weather: Weather
    credentials: BrokerCredentials = field(default_factory=BrokerCredentials)
    directory: Path | None = None
    keep: bool = False


class Outcome(Struct, frozen=True):
    """What came of it. CPU is in percent of one core, over the simulated time."""

    nodes: int
    seconds: float
    raised: int
    alarms_raised: int
    delivered: int
    alarms_delivered: int
    duplicates: int
    gaps: int
    dropped: int
    pending: int
    health_documents: int
    restarts: int
    outages: int
    storms: int
    latency_ms: dict[str, float]
    agents_cpu_percent: float
    agents_cpu_ms_per_node_minute: float
    hub_cpu_percent: float
    bytes_per_node: int
    online_after_s: float

    @property
    def lossless(self) -> bool:
        """Every event raised was heard."""
        return self.delivered == self.raised and not self.gaps

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**structs.asdict(self), "lossless": self.lossless}


def simulate(plan: Plan, loop: SharedLoop, progress: Callable[[Fleet, str], None]) -> Outcome:
    """Run the plan to its end; UplinkError when the broker cannot be reached."""
    _allow_files(plan.nodes * FILES_PER_NODE + 200)
    hub = HubProcess(plan.url, plan.prefix, plan.credentials)
    try:
        hub.__enter__()
    except TimeoutError as error:
        raise UplinkError(f"the broker {plan.url} cannot be used: {error}") from None
    before_bytes = _resident_bytes()
    fleet = Fleet(
        plan.nodes,
        BrokerEndpoint.of(plan.url),
        loop,
        SystemClock(),
        plan.weather,
        prefix=plan.prefix,
        directory=plan.directory,
    )
    try:
        return _run(plan, fleet, hub, before_bytes, progress)
    finally:
        if not plan.keep:
            _clean_up(fleet, loop, plan, progress)
        fleet.close()
        hub.__exit__(None, None, None)


def _run(plan: Plan, fleet: Fleet, hub: HubProcess, before_bytes: int, progress: Callable[[Fleet, str], None]) -> Outcome:
    began = time.monotonic()
    while fleet.online < plan.nodes and time.monotonic() - began < SETTLE_S:
        fleet.step(STEP_S)
        progress(fleet, "connecting")
    online_after_s = time.monotonic() - began
    cpu_s, hub_cpu_s, began = time.process_time(), hub.count().cpu_s, time.monotonic()
    while time.monotonic() - began < plan.seconds:
        fleet.step(STEP_S)
        progress(fleet, "running")
    took_s = time.monotonic() - began
    cpu_s = time.process_time() - cpu_s
    count = hub.count()
    hub_cpu_s = count.cpu_s - hub_cpu_s
    fleet.calm()
    ends = time.monotonic() + SETTLE_S
    while time.monotonic() < ends and (fleet.pending or count.delivered < _raised(fleet)):
        fleet.step(STEP_S)
        progress(fleet, "draining")
        if not fleet.pending:
            count = hub.count()
    return Outcome(
        nodes=plan.nodes,
        seconds=round(took_s, 1),
        raised=_raised(fleet),
        alarms_raised=sum(node.alarms_raised + node.epochs for node in fleet.nodes),
        delivered=count.delivered,
        alarms_delivered=count.alarms,
        duplicates=count.duplicates,
        gaps=count.missing,
        dropped=count.dropped,
        pending=fleet.pending,
        health_documents=count.health,
        restarts=fleet.restarts,
        outages=fleet.outages,
        storms=fleet.storms,
        latency_ms=percentiles(count),
        agents_cpu_percent=round(100 * cpu_s / took_s, 2),
        agents_cpu_ms_per_node_minute=round(1000 * cpu_s / plan.nodes / (took_s / 60), 2),
        hub_cpu_percent=round(100 * hub_cpu_s / took_s, 2),
        bytes_per_node=max(0, _resident_bytes() - before_bytes) // plan.nodes,
        online_after_s=round(online_after_s, 2),
    )


def percentiles(count: FleetCount) -> dict[str, float]:
    """p50, p90, p99 and the most, in milliseconds."""
    found = count.latencies_ms
    if not found:
        return {}
    return {name: round(found[min(len(found) - 1, int(len(found) * q))], 2) for name, q in _QUANTILES.items()}


_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "most": 1.0}


def _raised(fleet: Fleet) -> int:
    return sum(node.raised for node in fleet.nodes)


def _clean_up(fleet: Fleet, loop: SharedLoop, plan: Plan, progress: Callable[[Fleet, str], None]) -> None:
    """Say goodbye, then take back what the broker retained for nodes that never were."""
    progress(fleet, "taking back what the broker retained")
    fleet.stop()
    ends = time.monotonic() + GOODBYE_S
    while not fleet.gone and time.monotonic() < ends:
        fleet.step(STEP_S)
    sweeper = loop.transport()
    sweeper.open(BrokerEndpoint.of(plan.url), ConnectOptions("vigie-sweeper", None, 0, 30, 0, 20))
    wanted = [f"{NodeTopics(plan.prefix, node.name).root}/{part}" for node in fleet.nodes for part in _RETAINED]
    wills_are_out = time.monotonic() + fleet.will_delay_s + WILL_MARGIN_S
    ends = wills_are_out + GOODBYE_S
    opened, sent, answered = False, 0, 0
    while time.monotonic() < ends and answered < len(wanted):
        for transport, events in loop.turn(STEP_S):
            if transport is sweeper:
                opened = opened or any(isinstance(event, Opened) for event in events)
                answered += sum(isinstance(event, Acknowledged) for event in events)
        if opened and time.monotonic() > wills_are_out:
            for topic in wanted[sent : answered + SWEPT_AT_ONCE]:
                sent += 1
                sweeper.publish(Publication(topic, None, 1, retain=True), sent)
    sweeper.close()


_RETAINED = (Branch.STATUS, Branch.HEALTH, f"{Branch.EVENTS}/VideoSource/MotionAlarm/&camera")


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _allow_files(wanted: int) -> None:
    """Two thousand sockets need more descriptors than a shell usually grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise UplinkError(f"{wanted} open files are needed, {hard} are allowed", remedy=f"`ulimit -n {wanted}` first")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
