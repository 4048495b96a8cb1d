"""What the fault scenarios play in, and the means to be rough: full disks, cut lines, and waiting for calm."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.demo.broker import LocalBroker
from agent.errors import DeviceError
from bench.fault_process import FaultProcess
from bench.independent_hub import Heard, Subscriber, Verdict

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
