"""The uplink under faults, with an independent hub: broker killed, frozen, emptied; line cut; disk full; node killed.

Options: --only NAME, --kills 200, --events 100000, --seed 1. Everything but `heard`, `duplicates` and `dropped` must be
zero. `cut` and `full-disk` need root. Expired and renewed certificates: tests/faults/test_uplink_tls.py.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.demo.broker import LocalBroker, free_port
from agent.errors import DeviceError
from bench.fault_outage import outage, outage_beyond_bounds
from bench.fault_scene import SETTINGS, Scenario, Scene, fill, hub_on, ip, namespace, settled, wait_until
from bench.independent_hub import Subscriber, Verdict, judge


def killed(scene: Scene) -> Verdict:
    """The broker is killed (SIGKILL) again and again in mid-traffic."""
    with LocalBroker(scene.directory / "broker", settings=SETTINGS) as broker, hub_on(broker) as hub:
        with scene.node(broker.url) as node:
            for _ in range(4):
                node.ask("raise 40", "raised")
                node.order("raise 40")
                time.sleep(scene.dice.uniform(0.01, 0.05))
                broker.kill()
                node.wait_for("raised")
                broker.start()
                wait_until(lambda: node.ask("health", "health")["state"] == "online")
            node.ask("raise 40", "raised")
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def frozen(scene: Scene) -> Verdict:
    """The broker hangs (SIGSTOP) with connections open, longer than the node waits for acknowledgements."""
    with LocalBroker(scene.directory / "broker", settings=SETTINGS) as broker, hub_on(broker) as hub:
        with scene.node(broker.url) as node:
            for _ in range(2):
                node.ask("raise 30", "raised")
                broker.freeze()
                node.ask("raise 60", "raised")
                wait_until(lambda: node.ask("health", "health")["state"] != "online")
                broker.thaw()
                wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def emptied(scene: Scene) -> Verdict:
    """The broker comes back without its memory, and the hub comes back after the node."""
    with (
        LocalBroker(scene.directory / "broker", settings=SETTINGS) as broker,
        hub_on(broker) as hub,
        scene.node(broker.url) as node,
    ):
        node.ask("raise 50", "raised")
        settled(hub, node)
        hub.close()
        broker.stop()
        (broker.directory / "mosquitto.db").unlink(missing_ok=True)
        broker.start()
        node.ask("raise 50", "raised")
        wait_until(lambda: "nobody" in node.ask("health", "health")["reason"])
        with hub_on(broker, "hub-after") as after:
            settled(after, node)
            late = Subscriber(broker.port, "late", topic="vigie/+/onvif-ej/VideoSource/#")
            late.wait_for(lambda heard: any(h.retain for h in heard))
            late.close()
            node.stop()
            return judge([*hub.heard, *after.heard], node.alarms)


def cut(scene: Scene) -> Verdict:
    """The network is cut without a word: the interface of the node's namespace goes down and comes back."""
    port = free_port()
    with (
        namespace() as (name, host, outside),
        LocalBroker(scene.directory / "broker", settings=f"{SETTINGS}listener {port} {host}\n") as broker,
        hub_on(broker) as hub,
        scene.node(f"mqtt://{host}:{port}", wrap=("ip", "netns", "exec", name)) as node,
    ):
        for _ in range(3):
            node.ask("raise 30", "raised")
            node.order("raise 60")
            ip("link", "set", outside, "down")
            node.wait_for("raised")
            wait_until(lambda: node.ask("health", "health")["state"] != "online")
            ip("link", "set", outside, "up")
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
        with LocalBroker(scene.directory / "broker", settings=SETTINGS) as broker, hub_on(broker) as hub:
            with scene.node(broker.url, directory=str(mount / "node")) as node:
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
            with scene.node(broker.url, directory=str(mount / "node"), first=10_000) as node:
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
    """The node is killed (-9) at random instants, also in mid-commit and in mid-send; the broker now and then as well."""
    dice = scene.dice
    alarms: set[int] = set()
    with LocalBroker(scene.directory / "broker", settings=SETTINGS) as broker, hub_on(broker) as hub:
        for _ in range(scene.kills):
            with scene.node(broker.url, first=max(alarms, default=-1) + 2) as node:
                node.order("raise 100000")
                time.sleep(dice.uniform(0.0, 0.25))
                node.kill()
                alarms |= node.alarms
        with scene.node(broker.url, first=max(alarms, default=-1) + 2) as node:
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
}


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Play them all, print a line each."""
    only = options.get("only")
    results: dict[str, Any] = {}
    for name, scenario in SCENARIOS.items():
        if only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="vigie-faults-") as directory:
            scene = Scene(
                Path(directory),
                int(str(options.get("seed", 1))),
                int(str(options.get("kills", 200))),
                int(str(options.get("events", 100_000))),
            )
            began = time.monotonic()
            verdict = scenario(scene)
        results[name] = {**asdict(verdict), "sound": verdict.sound, "seconds": round(time.monotonic() - began, 1)}
        print(f"{name:<12} {'sound' if verdict.sound else 'NOT SOUND':<10} {results[name]}")
    return results
