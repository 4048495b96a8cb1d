"""A node's uplink as a process of its own, to be killed, cut off and starved: `python -m tests.support.fault_node SETTINGS-JSON`.

Orders come on stdin, one a line: `raise N` (N alarms made durable one by one, each followed by a state), `flood N` (N
states at once), `skip S` (so many seconds pass at once), `health`, `stop`. Every alarm's number is printed once it is on
disk: from then on it must arrive.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from agent.base.errors import OutboxError
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.ports.event import Event, Priority, PropertyOperation
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint
from agent.uplink.pace import Pace
from agent.uplink.presence import Identity
from agent.uplink.session import Session
from hardware.mqtt_paho import PahoTransport
from tests.support.jumping_clock import JumpingClock

QUICK = Pace(
    backoff_s=0.2,
    backoff_most_s=0.5,
    stall_s=1.5,
    connect_timeout_s=2.0,
    goodbye_s=10.0,
    drain_per_s=1e6,
    drain_burst=1e6,
    hush_s=0.3,
)


def say(kind: str, value: object) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps([kind, value]) + "\n")
    sys.stdout.flush()


class FaultNode:
    """Outbox and session, real throughout."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.clock = JumpingClock()
        directory = Path(settings["directory"])
        directory.mkdir(parents=True, exist_ok=True)
        self.outbox = Outbox(OutboxStore(directory / "outbox.sqlite3", self.clock), self.clock)
        files: dict[str, Any] = {name: Path(path) for name, path in settings.get("files", {}).items()}
        credentials = BrokerCredentials(**files)
        identity = Identity(settings.get("node", "pole-1"), "vigie", "1.0", "boot")
        self.session = Session(
            identity,
            [BrokerEndpoint.of(url) for url in settings["urls"]],
            self.outbox,
            PahoTransport(credentials),
            self.clock,
            pace=replace(QUICK, **settings.get("pace", {})),
            filters=[identity.topics.commands],
            credentials=credentials,
        )
        self.session.credentials.every_s = settings.get("stamp_every_s", self.session.credentials.every_s)
        self.number = int(settings.get("first", 0))
        self.patience_s = float(settings.get("patience_s", 0.25))
        self.outbox.start()
        self.session.start()

    def obey(self, order: str) -> bool:
        """Carry one order out; False when it was the last."""
        verb, _, count = order.strip().partition(" ")
        match verb:
            case "raise":
                for _ in range(int(count)):
                    self.raise_alarm()
                say("raised", int(count))
            case "flood":
                for _ in range(int(count)):
                    self.raise_state()
                say("flooded", int(count))
            case "skip":
                self.clock.skip(float(count))
                say("skipped", float(count))
            case "health":
                metrics = self.outbox.metrics()
                health = msgspec.structs.asdict(self.session.health())
                say("health", {**health, "pending": metrics.pending, "trouble": metrics.fault, "sequence": metrics.sequence})
            case _:
                for part in (self.session, self.outbox):
                    part.stop()
                    part.join(20)
                say("stopped", self.outbox.metrics().pending)
                return False
        return True

    def raise_alarm(self) -> None:
        """One alarm, told once it is durable (or, on a disk that refuses, once it is in memory), and one state."""
        number, self.number = self.number, self.number + 1
        event = Event("Device/vigie:Fault/Alarm", self.clock.wall_ns(), {}, {"Number": number}, priority=Priority.ALARM)
        try:
            self.outbox.raise_event_durably(event, self.patience_s)
            say("alarm", number)
        except OutboxError:
            say("volatile", number)
        self.raise_state()

    def raise_state(self) -> None:
        """Motion begins or ends."""
        data = {"State": self.number % 2 == 0}
        self.outbox.raise_event(
            Event("VideoSource/MotionAlarm", self.clock.wall_ns(), {"Source": "front"}, data, PropertyOperation.CHANGED)
        )


def main() -> None:
    """Obey until told to stop, or until stdin ends."""
    node = FaultNode(json.loads(sys.argv[1]))
    say("ready", threading.get_native_id())
    for order in sys.stdin:
        if not node.obey(order):
            return


if __name__ == "__main__":
    main()
