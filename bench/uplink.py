"""From an event to the hub: latency, a fleet's share of a core, and 2,000 nodes coming back at once.

Options: --only latency|fleet|herd, --seconds 40, --rates 1,50, --nodes 206,2000, --directory DIR (where the outbox
lies). The broker is a mosquitto on loopback; the hub is a process of its own and counted apart. The machine's own floor,
one fsync and one bare QoS 1 hop, is measured in the same run.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from agent.base.clock import SystemClock
from agent.demo.broker import LocalBroker
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.fleet.fleet import Fleet, Weather
from agent.fleet.hub_process import HubProcess
from agent.fleet.simulation import percentiles
from agent.fleet.wiring import PahoSharedLoop, transport
from agent.ports.event import Event, Priority
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, Opened, Publication
from agent.uplink.presence import Identity
from agent.uplink.session import Session

SETTINGS = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
PREFIX = "vigie"
HERD_WITHIN_S = 60.0
CALM = Weather(restarts_per_hour=0, outages_per_hour=0, storms_per_hour=0)


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Measure and print."""
    only, seconds = options.get("only"), float(str(options.get("seconds", 40)))
    sizes = [int(size) for size in str(options.get("nodes", "206,2000")).split(",")]
    rates = [int(rate) for rate in str(options.get("rates", "1,50")).split(",")]
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="vigie-uplink-") as name:
        directory = Path(str(options.get("directory", name)))
        if only in (None, "latency"):
            results["latency"] = latency(directory, seconds, rates)
        if only in (None, "fleet"):
            results["fleet"] = [fleet(directory, nodes, seconds) for nodes in sizes]
        if only in (None, "herd"):
            results["herd"] = herd(directory, sizes[-1])
    return results


# -- event -> committed -> hub -----------------------------------------------------------------------------------------


def latency(directory: Path, seconds: float, at: Sequence[int]) -> dict[str, Any]:
    """Raised to heard, on real threads and a real disk, beside one fsync and one bare publish at the same rate."""
    rates: dict[str, Any] = {}
    with LocalBroker(directory / "broker", settings=SETTINGS) as broker:
        for rate in at:
            floor = _floor_at(directory / f"floor-{rate}", broker, rate, seconds / 2)
            found = _latency_at(directory / f"rate-{rate}", broker, rate, seconds)
            ratio = {name: round(found[name] / floor[name], 2) for name in ("p50", "p99")}
            print(f"{rate:>3} events/s: p50 {found['p50']} ms, p99 {found['p99']} ms, most {found['most']} ms; the floor p50 "
                  f"{floor['p50']} ms, p99 {floor['p99']} ms; ratio {ratio['p50']} and {ratio['p99']}; "
                  f"{found['heard']} of {found['raised']} heard")  # fmt: skip
            rates[str(rate)] = {**found, "floor": floor, "ratio": ratio}
    return rates


def _floor_at(directory: Path, broker: LocalBroker, rate: int, seconds: float) -> dict[str, float]:
    """What this machine asks of anybody: append and fsync 4 KiB, publish at QoS 1, be heard by the same hub."""
    directory.mkdir()
    bare = transport(BrokerCredentials())
    with HubProcess(broker.url, PREFIX, BrokerCredentials()) as hub, (directory / "probe").open("wb") as file:
        bare.open(BrokerEndpoint.of(broker.url), ConnectOptions(f"bare-{rate}", None, 0, 30, 0, 20))
        while not any(isinstance(event, Opened) for event in bare.wait(0.1)):
            pass
        for number in range(max(20, int(rate * seconds))):
            time.sleep(1.0 / rate)
            began_ns = time.monotonic_ns()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            payload = f'{{"Data":{{"RaisedNs":{began_ns}}}}}'.encode()
            properties = (("sequence", str(number + 1)), ("class", "alarm"))
            bare.publish(Publication(f"{PREFIX}/bare-{rate}/onvif-ej/x", payload, 1, False, properties), number)
            bare.wait(0)
        time.sleep(1.0)
        bare.close()
        return percentiles(hub.count())


def _latency_at(directory: Path, broker: LocalBroker, rate: int, seconds: float) -> dict[str, Any]:
    directory.mkdir()
    clock = SystemClock()
    outbox = Outbox(OutboxStore(directory / "outbox.sqlite3", clock), clock)
    endpoint = BrokerEndpoint.of(broker.url)
    identity = Identity(f"pole-{rate}", PREFIX, "bench", "boot")
    session = Session(identity, [endpoint], outbox, transport(BrokerCredentials()), clock)
    dice = random.Random(rate)
    with HubProcess(broker.url, PREFIX, BrokerCredentials()) as hub:
        outbox.start()
        session.start()
        while not session.online:
            time.sleep(0.05)
        raised = max(20, int(rate * seconds))
        due = time.monotonic()
        for number in range(raised):
            due += dice.expovariate(rate) if rate > 1 else 1.0 / rate
            time.sleep(max(0.0, due - time.monotonic()))
            priority = Priority.ALARM if number % 10 == 0 else Priority.PROPERTY
            data = {"RaisedNs": time.monotonic_ns()}
            outbox.raise_event(Event("Device/vigie:Bench", clock.wall_ns(), {}, data, priority=priority))
        time.sleep(1.0)
        count = hub.count()
        for part in (session, outbox):
            part.stop()
            part.join(10)
    return {**percentiles(count), "raised": raised, "heard": len(count.latencies_ms)}


# -- many nodes --------------------------------------------------------------------------------------------------------


def fleet(directory: Path, nodes: int, seconds: float) -> dict[str, Any]:
    """CPU of all agents together, of the hub and of the broker, in steady weather."""
    with (
        LocalBroker(directory / f"broker-{nodes}", settings=SETTINGS) as broker,
        HubProcess(broker.url, PREFIX, BrokerCredentials()) as hub,
    ):
        before_bytes = psutil.Process().memory_info().rss
        made = _fleet(broker, nodes)
        try:
            while made.online < nodes:
                made.step(0.2)
            _turn(made, 5.0)
            memory_bytes = (psutil.Process().memory_info().rss - before_bytes) // nodes
            hub.reset_latencies()
            broker_process = psutil.Process(broker.pid)
            cpu_s, hub_s, broker_s = time.process_time(), hub.count().cpu_s, sum(broker_process.cpu_times()[:2])
            began = time.monotonic()
            _turn(made, seconds)
            took_s = time.monotonic() - began
            cpu_s = time.process_time() - cpu_s
            count = hub.count()
            broker_s = sum(broker_process.cpu_times()[:2]) - broker_s
        finally:
            made.close()
    result = {
        "nodes": nodes,
        "agents_percent": round(100 * cpu_s / took_s, 2),
        "hub_percent": round(100 * (count.cpu_s - hub_s) / took_s, 2),
        "broker_percent": round(100 * broker_s / took_s, 2),
        "bytes_per_node": memory_bytes,
        "latency_ms": percentiles(count),
        "heard": count.delivered,
    }
    print(f"{nodes} nodes, health every 10 s, 60 events an hour each: all agents {result['agents_percent']} % of a core, "
          f"hub {result['hub_percent']} %, broker {result['broker_percent']} %, {memory_bytes // 1024} KiB a node, "
          f"latency {result['latency_ms']}")  # fmt: skip
    return result


def herd(directory: Path, nodes: int) -> dict[str, Any]:
    """The broker restarts under all nodes: when each is back, second by second, from the moment it listens again."""
    with (
        LocalBroker(directory / "broker-herd", settings=SETTINGS) as broker,
        HubProcess(broker.url, PREFIX, BrokerCredentials()) as hub,
    ):
        made = _fleet(broker, nodes)
        try:
            while made.online < nodes:
                made.step(0.2)
            _turn(made, 3.0)
            broker.stop()
            while made.online:
                made.step(0.1)
            broker.start()
            began = time.monotonic()
            curve: list[int] = []
            while made.online < nodes and time.monotonic() - began < HERD_WITHIN_S:
                made.step(0.05)
                while len(curve) < int(time.monotonic() - began):
                    curve.append(made.online)
            back_s = time.monotonic() - began
            _turn(made, 3.0)
            online = made.online
            heard = hub.count()
        finally:
            made.close()
    arrivals = [later - earlier for earlier, later in zip([0, *curve], [*curve, online], strict=True)]
    busiest = max(arrivals)
    print(f"{nodes} nodes after a broker restart: {online} online again, the last after {back_s:.1f} s, "
          f"at most {busiest} in one second ({busiest / nodes:.0%}), {len(heard.online_at_s)} births heard")  # fmt: skip
    for second, arrived in enumerate(arrivals):
        print(f"  {second:>3}-{second + 1:<3} s {arrived:>5} {'#' * round(60 * arrived / busiest)}")
    return {"nodes": nodes, "online": online, "last_back_s": round(back_s, 1), "arrivals_per_s": arrivals}


def _fleet(broker: LocalBroker, nodes: int) -> Fleet:
    loop = PahoSharedLoop(BrokerCredentials())
    return Fleet(nodes, BrokerEndpoint.of(broker.url), loop, SystemClock(), CALM, prefix=PREFIX)


def _turn(made: Fleet, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        made.step(0.2)
