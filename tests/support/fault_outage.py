"""A day without a broker, by a clock that jumps: 100,000 events wait, then drain past an independent hub."""

from __future__ import annotations

import time

from agent.base.clock import Clock
from agent.events.bounds import Bounds, default_classes
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.ports.event import Event, Priority, PropertyOperation
from agent.ports.mqtt import BrokerEndpoint
from agent.uplink.presence import Identity
from agent.uplink.session import Session
from hardware.mqtt_paho import PahoTransport
from tests.support.fault_broker import BrokerUnderFault
from tests.support.fault_node import QUICK
from tests.support.fault_scene import Scene, hears, let_sessions_be_written
from tests.support.independent_hub import Verdict, judge
from tests.support.jumping_clock import JumpingClock

DAY_S = 24 * 3600
ALARM_EVERY = 50
COMMIT_EVERY = 200
DRAINED_WITHIN_S = 300.0
LATE_ALARMS = 5


def outage(scene: Scene) -> Verdict:
    """A day of silence within bounds: everything arrives."""
    return _outage(scene, Bounds())


def outage_beyond_bounds(scene: Scene) -> Verdict:
    """A day of silence in an outbox too small for it: states are dropped and announced, no alarm is."""
    classes = default_classes()
    small = classes[Priority.PROPERTY]
    classes[Priority.PROPERTY] = type(small)(scene.events // 5, small.body_bytes, small.age_ns)
    return _outage(scene, Bounds(classes))


def _outage(scene: Scene, bounds: Bounds) -> Verdict:
    with scene.broker() as broker:
        if len(broker.urls) > 1:
            let_sessions_be_written()  # those of the scene before
        broker.kill()
        return _silence(scene, bounds, broker)


def _silence(scene: Scene, bounds: Bounds, broker: BrokerUnderFault) -> Verdict:
    clock = JumpingClock()
    directory = scene.directory / "node"
    directory.mkdir(parents=True)
    outbox = Outbox(OutboxStore(directory / "outbox.sqlite3", clock, bounds), clock)
    transport = PahoTransport()
    endpoints = [BrokerEndpoint.of(url) for url in broker.urls]
    session = Session(Identity(scene.node_id, "vigie", "1.0", "boot"), endpoints, outbox, transport, clock, pace=QUICK)
    alarms: set[int] = set()
    for number in range(scene.events):
        clock.skip(DAY_S / scene.events)
        if number % ALARM_EVERY == 0:
            alarms.add(number)
            outbox.raise_event(_alarm(number, clock))
        else:
            outbox.raise_event(_state(number, clock))
        if number % COMMIT_EVERY == 0:
            outbox.write_once()
            session.turn(transport.wait(0))
    broker.start()
    with scene.hub(broker) as hub:
        late = set(range(scene.events, scene.events + LATE_ALARMS))
        for number in late:
            outbox.raise_event(_alarm(number, clock))
        ends = time.monotonic() + DRAINED_WITHIN_S
        while time.monotonic() < ends and (outbox.write_once() or not outbox.drained or outbox.metrics().pending):
            session.turn(transport.wait(0.02))
        metrics = outbox.metrics()
        hears(hub, metrics.sequence - metrics.dropped)
        transport.abort()
        verdict = judge(hub.heard, alarms | late)
        states_before = 0
        for heard in hub.heard:
            if heard.properties.get("class") == "property" and "restated" not in heard.properties:
                states_before += 1
            if f'"Number":{max(late)}}}'.encode() in heard.payload:
                break
        print(
            f"  the alarms raised last passed the backlog: {states_before} of {verdict.heard - verdict.alarms} states came before"
        )
    return verdict


def _alarm(number: int, clock: Clock) -> Event:
    return Event("Device/vigie:Fault/Alarm", clock.wall_ns(), {}, {"Number": number}, priority=Priority.ALARM)


def _state(number: int, clock: Clock) -> Event:
    data = {"State": number % 2 == 0}
    return Event("VideoSource/MotionAlarm", clock.wall_ns(), {"Source": "front"}, data, PropertyOperation.CHANGED)
