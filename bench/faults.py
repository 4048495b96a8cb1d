"""The uplink under faults, with an independent hub: broker killed, frozen, emptied; line cut; disk full; node killed.

Options: --only NAME, --kills 200, --events 100000, --seed 1. Everything but `heard`, `duplicates` and `dropped` must be
zero. `cut` and `full-disk` need root. The TLS scenarios are in `vigie bench faults-tls`.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent.demo.broker import LocalBroker, free_port
from agent.errors import DeviceError
from bench.fault_process import FaultProcess
from bench.independent_hub import Heard, Subscriber, Verdict, judge

# A broker that may hold what a hub has not taken yet: mosquitto's default drops beyond 1000 messages.
SETTINGS = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
ARRIVES_WITHIN_S = 60.0


@dataclass
class Scene:
    """What every scenario plays in. `kills` and `events` set its length."""

    directory: Path
    seed: int = 1
    kills: int = 200
    events: int = 100_000
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def dice(self) -> random.Random:
        """The same for the same seed."""
        return random.Random(self.seed)

    def node(self, *urls: str, first: int = 0, wrap: tuple[str, ...] = (), **settings: Any) -> FaultProcess:
        """A node on its outbox; the same one every time."""
        made = {"directory": str(self.directory / "node"), "urls": urls, "first": first, **self.settings, **settings}
        return FaultProcess(made, wrap)


Scenario = Callable[[Scene], Verdict]


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
    """The disk under the outbox fills up and is freed again: while the broker is there, and while it is not."""
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
            with scene.node(broker.url, directory=str(mount / "node"), first=10_000) as node:
                node.ask("raise 5", "raised")
                everything |= node.alarms
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


# -- the means ---------------------------------------------------------------------------------------------------------


@contextmanager
def hub_on(broker: LocalBroker, name: str = "hub") -> Iterator[Subscriber]:
    """An independent subscriber to everything."""
    hub = Subscriber(broker.port, name)
    try:
        yield hub
    finally:
        hub.close()


def settled(hub: Subscriber, node: FaultProcess, alarms: set[int] | None = None) -> None:
    """Wait until the node has nothing left to send and the hub has heard its last word, or for a minute."""
    node.ask("raise 1", "raised")
    last = max(node.alarms | node.volatile)
    wanted = (alarms or set()) | {last}
    marks = {f'"Number":{number}}}'.encode() for number in wanted}

    def heard_all(heard: list[Heard]) -> bool:
        for one in heard[seen[0] :]:
            marks.difference_update([m for m in (one.payload[one.payload.find(b'"Number":') :][:-1],) if m in marks])
        seen[0] = len(heard)
        return not marks

    seen = [0]
    try:
        hub.wait_for(heard_all, ARRIVES_WITHIN_S)
    except AssertionError:
        return  # the verdict will say what is missing
    wait_until(lambda: not node.ask("health", "health")["pending"])
    last_sequence = node.ask("health", "health")["sequence"]
    hub.wait_for(lambda heard: any(h.properties.get("sequence") == str(last_sequence) for h in heard), ARRIVES_WITHIN_S)


def wait_until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Ask again and again; DeviceError when it never comes true."""
    ends = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > ends:
            raise DeviceError("what was waited for did not come about")
        pause.wait(0.05)


def fill(mount: Path) -> Path:
    """Leave not a byte on a file system; the file that takes it all."""
    ballast = mount / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast


def ip(*words: str) -> None:
    """iproute2."""
    subprocess.run(["ip", *words], check=True)


@contextmanager
def namespace() -> Iterator[tuple[str, str, str]]:
    """A network namespace with one line to us: its name, our address on that line, and our end's interface."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        raise DeviceError("a network namespace needs root and iproute2", remedy="`sudo` and `apt install iproute2`")
    tag = f"{os.getpid() % 100_000}"
    name, inside, outside = f"vigie{tag}", f"vgi{tag}", f"vgo{tag}"
    third = os.getpid() % 250
    ip("netns", "add", name)
    try:
        ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        ip("addr", "add", f"10.213.{third}.1/30", "dev", outside)
        ip("link", "set", outside, "up")
        ip("-n", name, "addr", "add", f"10.213.{third}.2/30", "dev", inside)
        ip("-n", name, "link", "set", inside, "up")
        yield name, f"10.213.{third}.1", outside
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", outside], check=False, capture_output=True)
