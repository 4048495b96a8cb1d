"""What the fault scenarios play in, and the means to be rough: full disks, and waiting for calm."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.base.errors import DeviceError
from tests.support.fault_broker import BrokerUnderFault, Stage, mosquitto
from tests.support.fault_process import FaultProcess
from tests.support.independent_hub import Heard, Subscriber, Verdict

ARRIVES_WITHIN_S = 180.0


@dataclass
class Scene:
    """What every scenario plays in. `kills`, `events` and `rounds` set its length.

    `stage` gives the broker. A fault strikes the member of it that the node speaks to, or with `whole` all of them.
    `node_id` tells scenes apart that share a broker.
    """

    directory: Path
    seed: int = 1
    kills: int = 200
    events: int = 100_000
    rounds: int = 4
    settings: dict[str, Any] = field(default_factory=dict)
    stage: Stage = mosquitto
    whole: bool = False
    node_id: str = "pole-1"

    @property
    def dice(self) -> random.Random:
        """The same for the same seed."""
        return random.Random(self.seed)

    def node(self, *urls: str, first: int = 0, wrap: tuple[str, ...] = (), **settings: Any) -> FaultProcess:
        """A node on its outbox; the same one every time."""
        made = {"directory": str(self.directory / "node"), "node": self.node_id, "urls": urls, "first": first}
        return FaultProcess({**made, **self.settings, **settings}, wrap)

    def broker(self, *, with_line: bool = False) -> AbstractContextManager[BrokerUnderFault]:
        """What the node sends to, for this scene."""
        return self.stage(self.directory, with_line=with_line)

    def struck(self, node: FaultProcess) -> str | None:
        """The member the node speaks to, or None for the whole broker."""
        return None if self.whole else str(node.ask("health", "health")["broker"])

    @contextmanager
    def hub(self, broker: BrokerUnderFault, name: str = "hub", in_hand: int | None = None) -> Iterator[Subscriber]:
        """An independent subscriber to all the node says. It prefers the member a node would come to last."""
        last, *others = reversed(broker.ports)
        hub = Subscriber(last, f"{name}-{self.node_id}", f"vigie/{self.node_id}/#", others=others, in_hand=in_hand)
        try:
            yield hub
        finally:
            hub.close(forget=True)


Scenario = Callable[[Scene], Verdict]


def settled(hub: Subscriber, node: FaultProcess, alarms: set[int] | None = None) -> None:
    """Wait until the node has nothing left to send and the hub has heard its last word, or for three minutes."""
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


def hears(hub: Subscriber, events: int) -> None:
    """Wait until the hub has heard so many different events, or for three minutes: the verdict will say what is missing."""
    ids: set[str] = set()
    seen = [0]

    def heard_all(heard: list[Heard]) -> bool:
        ids.update(one.event_id for one in heard[seen[0] :] if one.event_id and "restated" not in one.properties)
        seen[0] = len(heard)
        return len(ids) >= events

    with contextlib.suppress(AssertionError):
        hub.wait_for(heard_all, ARRIVES_WITHIN_S)


def wait_until(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Ask again and again; DeviceError when it never comes true."""
    ends = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > ends:
            raise DeviceError("what was waited for did not come about")
        pause.wait(0.05)


def let_sessions_be_written() -> None:
    """RabbitMQ writes the place of a new session down within half a second. What happens before that: `young-session`."""
    time.sleep(1.0)


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
