"""The uplink under faults, with an independent hub: broker killed, frozen, emptied; line cut; disk full; node killed.

Options: --broker mosquitto|cluster, --only NAME, --kills 200, --events 100000, --rounds 4, --seed 1. Everything but
`heard`, `duplicates` and `dropped` must be zero. `cut`, `full-disk` and the cluster (three RabbitMQ nodes) need root.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agent.errors import DeviceError
from bench.fault_broker import mosquitto
from bench.fault_cluster import cluster
from bench.fault_outage import outage, outage_beyond_bounds
from bench.fault_scene import Scenario, Scene, fill, settled, wait_until
from bench.fault_tls import broker_certificate, node_certificate, renewed_certificate
from bench.independent_hub import Subscriber, Verdict, judge


def killed(scene: Scene) -> Verdict:
    """The broker is killed (SIGKILL) again and again in mid-traffic."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        with scene.node(*broker.urls) as node:
            for _ in range(scene.rounds):
                node.ask("raise 40", "raised")
                struck = scene.struck(node)
                node.order("raise 40")
                time.sleep(scene.dice.uniform(0.01, 0.05))
                broker.kill(struck)
                node.wait_for("raised")
                broker.start()
                wait_until(lambda: node.ask("health", "health")["state"] == "online")
            node.ask("raise 40", "raised")
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def frozen(scene: Scene) -> Verdict:
    """The broker hangs (SIGSTOP) with connections open, longer than the node waits for acknowledgements."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        with scene.node(*broker.urls) as node:
            for _ in range(2):
                node.ask("raise 30", "raised")
                struck = scene.struck(node)
                reconnects = node.ask("health", "health")["reconnects"]
                broker.freeze(struck)
                node.ask("raise 60", "raised")
                wait_until(lambda before=reconnects: node.ask("health", "health")["reconnects"] > before)  # type: ignore[misc]
                broker.thaw()
                wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def emptied(scene: Scene) -> Verdict:
    """The broker comes back without its memory, and the hub comes back after the node."""
    with scene.broker() as broker, scene.hub(broker) as hub, scene.node(*broker.urls) as node:
        node.ask("raise 50", "raised")
        settled(hub, node)
        hub.close()
        broker.empty()
        node.ask("raise 50", "raised")
        wait_until(lambda: "nobody" in node.ask("health", "health")["reason"])
        with scene.hub(broker, "after") as after:
            settled(after, node)
            _state_is_retained(scene, broker.ports[broker.urls.index(node.ask("health", "health")["broker"])])
            node.stop()
            return judge([*hub.heard, *after.heard], node.alarms)


def member_emptied(scene: Scene) -> Verdict:
    """One member of the cluster is replaced by an empty one, and the node comes back to it: it must know the state too."""
    with (
        scene.broker() as broker,
        scene.hub(broker) as hub,
        scene.node(*broker.urls, pace={"fail_back_s": 1.0}) as node,
    ):
        node.ask("raise 50", "raised")
        settled(hub, node)
        struck = str(node.ask("health", "health")["broker"])
        node.order("raise 50")
        broker.empty(struck)
        node.wait_for("raised")
        wait_until(lambda: node.ask("health", "health")["broker"] == struck)
        settled(hub, node)
        _state_is_retained(scene, broker.ports[broker.urls.index(struck)])
        node.stop()
        return judge(hub.heard, node.alarms)


def _state_is_retained(scene: Scene, port: int) -> None:
    """A hub that comes late finds the node's state. RabbitMQ keeps it per member, and tells those who ask for the very topic."""
    topic = f"vigie/{scene.node_id}/onvif-ej/VideoSource/MotionAlarm/&front"
    late = Subscriber(port, f"late-{scene.node_id}", topic)
    late.wait_for(lambda heard: any(h.retain for h in heard))
    late.close(forget=True)


def cut(scene: Scene) -> Verdict:
    """The network is cut without a word: the interface of the node's namespace goes down and comes back."""
    with (
        scene.broker(with_line=True) as broker,
        scene.hub(broker) as hub,
        scene.node(*broker.line_urls, wrap=broker.line.wrap) as node,
    ):
        for _ in range(3):
            node.ask("raise 30", "raised")
            node.order("raise 60")
            broker.line.cut()
            node.wait_for("raised")
            wait_until(lambda: node.ask("health", "health")["state"] != "online")
            broker.line.mend()
            wait_until(lambda: node.ask("health", "health")["state"] == "online")
        settled(hub, node)
        node.stop()
        return judge(hub.heard, node.alarms)


def full_disk(scene: Scene) -> Verdict:
    """The disk under the outbox fills up and is freed again: with the broker there, without it, and across a restart."""
    mount = scene.directory / "small"
    mount.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)], check=True)
    try:
        with scene.broker() as broker, scene.hub(broker) as hub:
            with scene.node(*broker.urls, directory=str(mount / "node"), patience_s=0.05) as node:
                node.ask("raise 20", "raised")
                ballast = fill(mount)
                node.ask("raise 40", "raised")
                trouble = node.ask("health", "health")["trouble"]
                if "full" not in trouble and "I/O" not in trouble:
                    raise DeviceError(f"the disk was not full after all: health says {trouble!r}")
                settled(hub, node, {*node.alarms, *node.volatile})
                ballast.unlink()
                broker.kill()
                node.ask("raise 20", "raised")
                ballast = fill(mount)
                node.ask("raise 40", "raised")
                ballast.unlink()
                wait_until(lambda: not node.ask("health", "health")["trouble"])
                everything = {*node.alarms, *node.volatile}
                node.kill()
            broker.start()
            ballast = fill(mount)
            with scene.node(*broker.urls, directory=str(mount / "node"), first=10_000, patience_s=0.05) as node:
                node.ask("raise 20", "raised")
                settled(hub, node, node.alarms | node.volatile)
                ballast.unlink()
                wait_until(lambda: not node.ask("health", "health")["trouble"])
                node.ask("raise 5", "raised")
                everything |= node.alarms | node.volatile
                settled(hub, node, everything)
                node.stop()
            return judge(hub.heard, everything)
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


def node_killed(scene: Scene) -> Verdict:
    """The node is killed (-9) at random instants, also in mid-commit and in mid-send."""
    dice = scene.dice
    alarms: set[int] = set()
    with scene.broker() as broker, scene.hub(broker) as hub:
        for _ in range(scene.kills):
            with scene.node(*broker.urls, first=max(alarms, default=-1) + 2) as node:
                node.order("raise 100000")
                time.sleep(dice.uniform(0.0, 0.25))
                node.kill()
                alarms |= node.alarms
        with scene.node(*broker.urls, first=max(alarms, default=-1) + 2) as node:
            node.ask("raise 5", "raised")
            alarms |= node.alarms
            settled(hub, node, alarms)
            node.stop()
        return judge(hub.heard, alarms)


SCENARIOS: Mapping[str, Scenario] = {
    "killed": killed,
    "frozen": frozen,
    "emptied": emptied,
    "cut": cut,
    "full-disk": full_disk,
    "node-killed": node_killed,
    "outage": outage,
    "outage-full": outage_beyond_bounds,
    "node-certificate": node_certificate,
    "broker-certificate": broker_certificate,
    "renewed-certificate": renewed_certificate,
}
# In a cluster `killed` and `frozen` strike the member the node speaks to.
CLUSTER_SCENARIOS: Mapping[str, Scenario] = {
    **SCENARIOS,
    "all-killed": lambda scene: killed(replace(scene, whole=True, rounds=1 + scene.rounds // 4)),
    "all-frozen": lambda scene: frozen(replace(scene, whole=True)),
    "member-emptied": member_emptied,
}


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Play them all, print a line each."""
    only, on = options.get("only"), options.get("broker", "mosquitto")
    if on not in ("mosquitto", "cluster"):
        raise DeviceError(f"there is no broker {on!r}", remedy="--broker mosquitto or --broker cluster")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="vigie-faults-") as directory, ExitStack() as until_the_end:
        place = Path(directory)
        stage = until_the_end.enter_context(cluster(place / "cluster")) if on == "cluster" else mosquitto
        for name, scenario in (CLUSTER_SCENARIOS if on == "cluster" else SCENARIOS).items():
            if only not in (None, name):
                continue
            scene = Scene(
                place / name,
                seed=int(str(options.get("seed", 1))),
                kills=int(str(options.get("kills", 200))),
                events=int(str(options.get("events", 100_000))),
                rounds=int(str(options.get("rounds", 4))),
                stage=stage,
                node_id=f"pole-{name}",
            )
            began = time.monotonic()
            verdict = scenario(scene)
            results[name] = {**asdict(verdict), "sound": verdict.sound, "seconds": round(time.monotonic() - began, 1)}
            print(f"{name:<20} {'sound' if verdict.sound else 'NOT SOUND':<10} {results[name]}")
    return results
