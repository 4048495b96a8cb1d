"""One simulated node: the real session, outbox, topics and health, without camera and without threads."""

from __future__ import annotations

import random
from pathlib import Path

from agent.base.clock import NS, Clock
from agent.base.component import ComponentState
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.fleet.link import CuttableLink
from agent.ports.event import Event, Priority, PropertyOperation
from agent.ports.health import (
    BoardHealth,
    CameraHealth,
    ClockHealth,
    DiskHealth,
    PrivacyHealth,
    RecordingHealth,
    ViewHealth,
)
from agent.ports.mqtt import BrokerEndpoint, TransportEvent
from agent.uplink.health import HealthPublisher
from agent.uplink.pace import Pace
from agent.uplink.presence import Identity
from agent.uplink.session import Session

SIMULATED = "simulated"
ALARM_SHARE = 0.05


class SimulatedNode:
    """Turned by its fleet on the fleet's thread. `restart` is a reboot: same outbox, new session."""

    def __init__(
        self,
        name: str,
        prefix: str,
        endpoint: BrokerEndpoint,
        link: CuttableLink,
        clock: Clock,
        dice: random.Random,
        *,
        pace: Pace,
        health_s: float,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.link = link
        self.boots = 0
        self.alarms_raised = 0
        self.epochs = 1
        self._prefix = prefix
        self._endpoint = endpoint
        self._clock = clock
        self._dice = dice
        self._pace = pace
        self._moving = False
        self._store = OutboxStore(None if directory is None else directory / f"{name}.sqlite3", clock)
        self.outbox = Outbox(self._store, clock)
        self.session = self._boot()
        self.health = HealthPublisher(name, SIMULATED, clock, self._parts, self._publish_health, health_s)

    def _boot(self) -> Session:
        self.boots += 1
        identity = Identity(self.name, self._prefix, SIMULATED, f"boot-{self.boots}")
        return Session(identity, [self._endpoint], self.outbox, self.link, self._clock, pace=self._pace, dice=self._dice)

    def restart(self) -> None:
        """The power goes and comes back: whatever was in flight is taken again."""
        self.link.abort()
        self.outbox.release()
        self.session = self._boot()

    def raise_something(self) -> None:
        """Motion begins or ends; now and then an alarm. Each carries the moment it was raised, for the hub to measure."""
        now_ns = self._clock.monotonic_ns()
        if self._dice.random() < ALARM_SHARE:
            self.alarms_raised += 1
            event = Event("VideoSource/SignalLoss", self._clock.wall_ns(), {}, {"RaisedNs": now_ns}, priority=Priority.ALARM)
        else:
            self._moving = not self._moving
            event = Event(
                "VideoSource/MotionAlarm",
                self._clock.wall_ns(),
                {"Source": "camera"},
                {"State": self._moving, "RaisedNs": now_ns},
                PropertyOperation.CHANGED,
            )
        self.outbox.raise_event(event)

    def turn(self, events: list[TransportEvent]) -> None:
        """Commit what was raised, take what happened, send what there is."""
        self.outbox.write_once()
        self.session.turn(events)
        self.outbox.write_once()

    @property
    def raised(self) -> int:
        """How many events this node has counted in its life."""
        return self._store.count.sequence

    @property
    def pending(self) -> int:
        """How many of them the broker does not have yet."""
        return self.outbox.pending

    def close(self) -> None:
        """Give the outbox back."""
        self._store.close()

    def _publish_health(self, document: bytes) -> None:
        self.session.publish_health(document)

    def _parts(self) -> dict[str, object]:
        camera = CameraHealth(driver=SIMULATED, fps=25.0, captured=1, dropped=0, last_frame_age_s=0.02, state="delivering")
        privacy = PrivacyHealth(state="masked", masks=6, mask_digest="0" * 64, view=ViewHealth(state="verified", shift_px=0.1))
        recording = RecordingHealth(state="recording", days=14.0, bytes=10**11)
        disk = DiskHealth(free_bytes=10**10, total_bytes=10**12)
        board = BoardHealth(temperature_c=50.0, throttled=False, load_1m=0.5, rss_bytes=10**8)
        return {
            "config_digest": "0" * 64,
            "clock": ClockHealth(quality=self._clock.quality(), offset_ms=0.0),
            "camera": camera,
            "privacy": privacy,
            "recording": recording,
            "disk": disk,
            "outbox": self.outbox.metrics().health(),
            "board": board,
            "uplink": self.session.health(),
            "components": {"uplink": ComponentState.RUNNING, "outbox": ComponentState.RUNNING},
        }


def seconds_ns(seconds: float) -> int:
    """Nanoseconds."""
    return round(seconds * NS)
