"""`vigie fleet`: many nodes' worth of real MQTT sessions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.cli._manners import Group
from agent.cli._numbers import Measure, Whole
from agent.cli._options import broker_options, json_option, print_json
from agent.ports.mqtt import BrokerCredentials

if TYPE_CHECKING:
    from agent.fleet.fleet import Fleet
    from agent.fleet.simulation import Outcome


@click.group(cls=Group)
def command() -> None:
    """Fleets: see what a broker and a hub make of many nodes."""


@command.command()
@click.option("--nodes", type=Whole(1, 20_000), required=True, help="how many")
@broker_options
@click.option("--for", "seconds", type=Measure(min=1), default=60.0, show_default=True, metavar="SECONDS")
@click.option("--seed", type=Whole(), default=1, show_default=True, help="the same seed gives the same weather")
@click.option("--events", type=Measure(min=0), default=60.0, show_default=True, help="per node and hour")
@click.option("--churn", type=Measure(min=0), default=2.0, show_default=True, help="restarts per node and hour")
@click.option("--outages", type=Measure(min=0), default=2.0, show_default=True, help="cut lines per node and hour")
@click.option("--storms", type=Measure(min=0), default=60.0, show_default=True, help="bursts of all nodes per hour")
@click.option("--health", type=Measure(min=1), default=10.0, show_default=True, help="seconds between health documents")
@click.option(
    "--outbox-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="outboxes on disk instead of in memory"
)
@click.option("--keep", is_flag=True, help="leave what the broker retained of the simulated nodes")
@json_option
def simulate(
    nodes: int,
    broker: str,
    seconds: float,
    seed: int,
    prefix: str,
    credentials: BrokerCredentials,
    events: float,
    churn: float,
    outages: float,
    storms: float,
    health: float,
    outbox_dir: Path | None,
    *,
    keep: bool,
    as_json: bool,
) -> int:
    """Run N nodes with the real session, outbox and topics, through churn, outages and storms.

    Leaves with 1 when an event was lost.
    """
    from agent.fleet.fleet import Weather
    from agent.fleet.simulation import Plan
    from agent.fleet.simulation import simulate as run
    from agent.fleet.wiring import PahoSharedLoop

    weather = Weather(seed, events, churn, outages, storms_per_hour=storms, health_s=health)
    plan = Plan(broker, nodes, seconds, prefix, weather, credentials, outbox_dir, keep)
    if outbox_dir is not None:
        outbox_dir.mkdir(parents=True, exist_ok=True)
    with _progress(seconds, quiet=as_json) as tell:
        outcome = run(plan, PahoSharedLoop(credentials), tell)
    if as_json:
        print_json(outcome.as_json())
    else:
        _print_table(outcome)
    return 0 if outcome.lossless else 1


def _progress(seconds: float, *, quiet: bool) -> AbstractContextManager[Callable[[Fleet, str], None]]:
    """A status line that lives while the fleet does."""
    if quiet:
        return nullcontext(lambda fleet, phase: None)
    return _StatusLine(seconds)


class _StatusLine:
    def __init__(self, seconds: float) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status(f"a fleet, for {seconds:.0f} s")

    def __enter__(self) -> Callable[[Fleet, str], None]:
        self._status.start()
        return lambda fleet, phase: self._status.update(
            f"{phase}: {fleet.online} of {len(fleet.nodes)} online, {fleet.pending} waiting, "
            f"{fleet.restarts} restarts, {fleet.outages} outages, {fleet.storms} storms"
        )

    def __exit__(self, *_: Any) -> None:
        self._status.stop()


def _print_table(outcome: Outcome) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    latency = ", ".join(f"{name} {value} ms" for name, value in outcome.latency_ms.items())
    rows = {
        "nodes": f"{outcome.nodes}, all online after {outcome.online_after_s} s",
        "weather": f"{outcome.restarts} restarts, {outcome.outages} outages, {outcome.storms} storms in {outcome.seconds} s",
        "raised": f"{outcome.raised} events, {outcome.alarms_raised} of them alarms",
        "delivered": f"{outcome.delivered} events, {outcome.alarms_delivered} of them alarms",
        "duplicated": f"{outcome.duplicates}, folded by event-id",
        "gaps": f"{outcome.gaps} missing, {outcome.dropped} announced as dropped, {outcome.pending} still waiting",
        "latency": f"raised to heard: {latency}",
        "agents": f"{outcome.agents_cpu_percent} % of a core for all, {outcome.agents_cpu_ms_per_node_minute} ms of CPU per node "
        f"and minute, {outcome.bytes_per_node // 1024} KiB per node",
        "hub": f"{outcome.hub_cpu_percent} % of a core, {outcome.health_documents} health documents",
        "verdict": "nothing lost" if outcome.lossless else "EVENTS ARE MISSING",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
