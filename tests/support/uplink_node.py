"""A node reduced to its uplink: real outbox, real session, real paho, no camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agent.base.clock import Clock, SystemClock
from agent.events.bounds import Bounds
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.ports.event import Event, Priority, PropertyOperation
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, Publication
from agent.uplink.pace import Pace
from agent.uplink.presence import Identity
from agent.uplink.retained import Retained
from agent.uplink.session import Session
from hardware.mqtt_paho import PahoTransport

QUICK = Pace(
    backoff_s=0.05, backoff_most_s=0.2, stall_s=1.0, connect_timeout_s=2.0, goodbye_s=2.0, drain_per_s=1e6, drain_burst=1e6
)


class UplinkNode:
    """Starts and stops like the daemon does; `raise_alarm` and `raise_state` put events in."""

    def __init__(
        self,
        directory: Path,
        *urls: str,
        name: str = "pole-1",
        clock: Clock | None = None,
        credentials: BrokerCredentials | None = None,
        bounds: Bounds | None = None,
        filters: Sequence[str] = (),
        plain_filters: Sequence[str] = (),
        boot_id: str = "boot-1",
        prefix: str = "vigie",
        remembers: bool = False,
        greetings: Callable[[], Iterable[Publication]] = tuple,
        pace: Pace = QUICK,
        **other: Any,
    ) -> None:
        self.clock = clock or SystemClock()
        directory.mkdir(parents=True, exist_ok=True)
        self.store = OutboxStore(directory / "outbox.sqlite3", self.clock, bounds)
        self.outbox = Outbox(self.store, self.clock)
        self.transport = PahoTransport(credentials)
        self.session = Session(
            Identity(name, prefix, "1.0", boot_id),
            [BrokerEndpoint.of(url) for url in urls],
            self.outbox,
            self.transport,
            self.clock,
            pace=replace(pace, **other),
            filters=filters,
            greetings=greetings,
            retained=Retained(directory / "retained.json", name, self.store.count.sequence) if remembers else None,
            plain_filters=plain_filters or ([f"vigie/{name}/command/ping"] if filters else ()),
        )

    def start(self) -> None:
        self.outbox.start()
        self.session.start()

    def stop(self) -> None:
        for part in (self.session, self.outbox):
            part.stop()
            assert part.join(60), f"{part.name} does not stop"

    def raise_alarm(self, number: int) -> None:
        self.outbox.raise_event(
            Event("Device/vigie:Test/Alarm", self.clock.wall_ns(), {}, {"Number": number}, priority=Priority.ALARM)
        )

    def raise_state(self, number: int, source: str = "front") -> None:
        self.outbox.raise_event(
            Event(
                "VideoSource/MotionAlarm",
                self.clock.wall_ns(),
                {"Source": source},
                {"State": number % 2 == 1, "Number": number},
                PropertyOperation.CHANGED,
            )
        )

    def raise_with_still(self, number: int, still: bytes) -> None:
        self.outbox.raise_with_still(Event("Device/vigie:Test/Seen", self.clock.wall_ns(), {}, {"Number": number}), still)

    def end_state(self, source: str = "front") -> None:
        self.outbox.raise_event(
            Event("VideoSource/MotionAlarm", self.clock.wall_ns(), {"Source": source}, {}, PropertyOperation.DELETED)
        )
