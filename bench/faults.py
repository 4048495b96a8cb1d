"""The uplink under faults, with an independent hub: broker killed, frozen, emptied; line cut; disk full; node killed.

Options: --broker mosquitto|cluster, --only NAME, --kills 200, --events 100000, --rounds 4, --seed 1. Everything but
`heard`, `duplicates`, `dropped` and, on a cluster, `returned_late` must be zero. `cut`, `full-disk` and the cluster (three
RabbitMQ nodes) need root.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agent.base.errors import DeviceError
from tests.support.fault_broker import BrokerUnderFault, mosquitto
from tests.support.fault_cluster import cluster
from tests.support.fault_hub import slow_hub
from tests.support.fault_outage import outage, outage_beyond_bounds
from tests.support.fault_process import FaultProcess
from tests.support.fault_scene import Scenario, Scene, fill, let_sessions_be_written, settled, wait_until
from tests.support.fault_tls import broker_certificate, node_certificate, renewed_certificate
from tests.support.independent_hub import Heard, Subscriber, Verdict, judge


def killed(scene: Scene) -> Verdict:
    """The broker is killed (SIGKILL) again and again in mid-traffic."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        with scene.node(*broker.urls) as node:
            for _ in range(scene.rounds):
                node.ask("raise 40", "raised")
                struck = scene.struck(node)
                if struck is None:
                    let_sessions_be_written()
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


def young_session(scene: Scene) -> Verdict:
    """All members lose power right after the node's first connect: RabbitMQ chokes on the session until told to forget it."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        let_sessions_be_written()  # the hub's
        with scene.node(*broker.urls, pace={"connect_timeout_s": 15.0}) as node:
            node.ask("raise 60", "raised")
            broker.kill()
            broker.start()
            wait_until(lambda: node.ask("health", "health")["state"] == "online", 180)
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def frozen(scene: Scene) -> Verdict:
    """The broker hangs (SIGSTOP) with connections open, longer than the node waits for acknowledgements."""
    with scene.broker() as broker, scene.hub(broker) as hub:
        with scene.node(*broker.urls, pace=_WILLS_COME_LATE) as node:
            for _ in range(2):
                node.ask("raise 30", "raised")
                struck = scene.struck(node)
                _hang(broker, struck, node)
                broker.thaw()
                wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub, node)
            _is_seen_online(hub)
            node.stop()
        return judge(hub.heard, node.alarms)


def left_hanging(scene: Scene) -> Verdict:
    """One member of the cluster hangs for good: the node goes on with another, as patient as it is in the field."""
    pace = {**_WILLS_COME_LATE, "connect_timeout_s": 15.0, "stall_s": 3.0}
    with scene.broker() as broker, scene.hub(broker) as hub:
        with scene.node(*broker.urls, pace=pace) as node:
            node.ask("raise 30", "raised")
            struck = scene.struck(node)
            let_sessions_be_written()
            _hang(broker, struck, node)
            wait_until(lambda: node.ask("health", "health")["state"] == "online", 90)
            node.ask("raise 30", "raised")
            settled(hub, node)
            broker.thaw()
            node.ask("raise 30", "raised")
            settled(hub, node)
            _is_seen_online(hub)
            node.stop()
        return judge(hub.heard, node.alarms)


_WILLS_COME_LATE = {"will_delay_s": 1, "birth_again_s": 1.5}


def _hang(broker: BrokerUnderFault, struck: str | None, node: FaultProcess) -> None:
    before = node.ask("health", "health")["reconnects"]
    broker.freeze(struck)
    node.ask("raise 60", "raised")
    wait_until(lambda: node.ask("health", "health")["reconnects"] > before)


def _is_seen_online(hub: Subscriber) -> None:
    """Whatever wills the broker still sends, the node's birth is the last word."""
    births = len(hub.on("/status"))
    hub.wait_for(lambda heard: _states(heard)[births:].count("online") > 1 and _states(heard)[-1] == "online", 30)


def _states(heard: list[Heard]) -> list[str]:
    return [json.loads(one.payload)["state"] for one in heard if one.topic.endswith("/status")]


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
                fault = node.ask("health", "health")["trouble"]
                if "full" not in fault and "I/O" not in fault:
                    raise DeviceError(f"the disk was not full after all: health says {fault!r}")
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
                # By what it has said, not by the clock alone: a slow machine has as much to lose as a fast one.
                node.wait_for_alarms(dice.randrange(15, 60))
                time.sleep(dice.uniform(0.0, 0.05))
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
    "slow-hub": slow_hub,
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
    "left-hanging": left_hanging,
    "member-emptied": member_emptied,
    "young-session": young_session,
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
