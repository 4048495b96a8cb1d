"""Brokers that grant little, refuse, or break the line: every alarm arrives, or is set aside, counted and told.

Numbers refer to docs/outbox.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.demo.broker import LocalBroker
from agent.ports.mqtt import BrokerCredentials, Publication
from agent.uplink.pace import Pace
from tests.support.fault_scene import wait_until
from tests.support.hostile_broker import HostileBroker, Taken, Temper
from tests.support.independent_hub import Heard, Subscriber
from tests.support.uplink_node import UplinkNode

ALARMS = 30


def numbers(taken: list[Taken] | list[Heard]) -> set[int]:
    """The numbers the test put into its alarms."""
    return {json.loads(t.payload)["Data"]["Number"] for t in taken if b'"Number"' in t.payload}


def blames(node: UplinkNode, boot_id: str) -> bool:
    """Whether health names the other node of this name by its boot."""
    return f"the other's boot_id is {boot_id}" in node.session.health().reason


def is_online(node: UplinkNode) -> bool:
    """Whether health says that the broker has it."""
    return node.session.health().state == "online"


def has_settled(node: UplinkNode, kept: int) -> bool:
    """Whether all that waits was set aside, and it is so much."""
    return node.outbox.metrics().pending == node.session.set_aside == kept


def started(directory: Path, url: str, **pace: Any) -> UplinkNode:
    """A node that raised its alarms and says how it fares."""
    node = UplinkNode(directory / "node", url, filters=["vigie/pole-1/command/+"], **pace)
    node.session.publish_health(json.dumps({"camera": {"figures": {"x": "x" * 1500}}}).encode())
    node.start()
    for number in range(ALARMS):
        node.raise_alarm(number)
    return node


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("retain_available false", "keeps no retained messages"),
        ("max_qos 0", "offers QoS 0 alone"),
        ("max_packet_size 1200", "takes no packet above 1200 bytes"),
        ("max_inflight_messages 1", ""),
        ("max_keepalive 10", ""),
        ("max_topic_alias 0", ""),
    ],
)
def test_each_limit_of_mosquitto_is_honoured_and_told(tmp_path: Path, settings: str, told: str) -> None:
    """(19) Every alarm reaches an independent hub, health says what the broker does not do, and the line stands."""
    with LocalBroker(tmp_path / "broker", settings=f"allow_anonymous true\n{settings}") as broker:
        hub = Subscriber(broker.port)
        node = started(tmp_path, broker.url)
        hub.wait_for(lambda heard: numbers(heard) == set(range(ALARMS)))
        wait_until(lambda: node.outbox.metrics().pending == 0)
        assert told in node.session.health().reason
        assert node.session.health().state == "online"
        assert node.session.health().reconnects == 0
        hub.wait_for(lambda heard: any(h.topic.endswith("/health") for h in heard))
        node.stop()
        hub.close()


TEMPERS = {
    "no retain": Temper(retain=False),
    "no retain, unannounced": Temper(says=False, retain=False),
    "QoS 0": Temper(qos=0),
    "one at a time": Temper(receive_maximum=1),
    "no session": Temper(session_expiry_s=0),
    "no wildcards": Temper(wildcards=False),
    "no wildcards, unannounced": Temper(says=False, wildcards=False, hangs_up_on_subscribe=False),
    "an id of its own": Temper(assigned_id="client-of-the-broker"),
    "a short keep-alive": Temper(keepalive_s=1),
    "an unknown reason for success": Temper(answer=lambda taken: 0x3F),
    "nothing is wrong": Temper(),
}


@pytest.mark.parametrize("name", TEMPERS)
def test_a_broker_of_this_temper_gets_every_alarm(tmp_path: Path, name: str) -> None:
    """(19) Whatever it grants, announced or not, it ends with every alarm, and the line stands."""
    with HostileBroker(TEMPERS[name]) as broker:
        node = started(tmp_path, broker.url)
        broker.wait_for(lambda taken: numbers(taken) == set(range(ALARMS)))
        wait_until(lambda: node.outbox.metrics().pending == 0)
        wait_until(lambda: node.session.health().state == "online")
        assert broker.filters
        assert node.session.health().reconnects <= 3
        node.stop()


VERBS = [f"vigie/pole-1/command/set-something-{number}" for number in range(20)]


def test_subscriptions_fit_into_what_the_broker_takes(tmp_path: Path) -> None:
    """(19) Twenty commands by their names are more than one small packet: all are subscribed to, and no row pays for it."""
    with HostileBroker(Temper(wildcards=False, packet_bytes=600)) as broker:
        node = UplinkNode(tmp_path / "node", broker.url, filters=["vigie/pole-1/command/+"], plain_filters=VERBS)
        node.start()
        for number in range(ALARMS):
            node.raise_alarm(number)
        broker.wait_for(lambda taken: numbers(taken) == set(range(ALARMS)))
        wait_until(lambda: broker.filters == VERBS)
        health = node.session.health()
        assert (health.state, health.reconnects, node.outbox.metrics().dropped) == ("online", 0, 0)
        assert "cannot be received" not in health.reason
        node.stop()


def test_a_broker_too_small_for_any_subscription_still_gets_the_rows(tmp_path: Path) -> None:
    """(19) What cannot be had is told, and the line stands."""
    long = "vigie/pole-1/command/" + "x" * 400
    with HostileBroker(Temper(packet_bytes=350)) as broker:
        node = UplinkNode(tmp_path / "node", broker.url, filters=[long])
        node.start()
        node.raise_alarm(0)
        broker.wait_for(lambda taken: numbers(taken) == {0})
        wait_until(lambda: "commands cannot be received: the message is too large" in node.session.health().reason)
        assert node.session.health().reconnects == 0
        node.stop()


def poison(taken: Taken) -> bool:
    """One state's topic."""
    return "MotionAlarm" in taken.topic


def large(taken: Taken) -> bool:
    """Two of the stills."""
    return taken.packet_bytes > 1500


STUBBORN: dict[str, tuple[Temper, str]] = {
    "an access list that ends the line": (Temper(hangs_up_on=poison), "MotionAlarm/&front breaks the line"),
    "the same, and it says so": (Temper(hangs_up_on=poison, hangs_up_with=0x87), "MotionAlarm/&front breaks the line"),
    "an unknown reason for ending it": (Temper(hangs_up_on=poison, hangs_up_with=0xEE), "MotionAlarm/&front breaks the line"),
    "an unknown refusal": (Temper(answer=lambda taken: 0xC7 if poison(taken) else 0), "MotionAlarm/&front is refused"),
    "silence": (Temper(answer=lambda taken: None if poison(taken) else 0), "MotionAlarm/&front breaks the line"),
    "quota": (Temper(answer=lambda taken: 0x97 if poison(taken) else 0), "MotionAlarm/&front is refused"),
}


@pytest.mark.parametrize("name", STUBBORN)
def test_what_a_broker_never_takes_is_set_aside_counted_and_told(tmp_path: Path, name: str) -> None:
    """(16) Seventy states of one topic wait, told by an event and in health; every alarm arrives, and the line stands."""
    temper, told = STUBBORN[name]
    with HostileBroker(temper) as broker:
        node = UplinkNode(tmp_path / "node", broker.url, stall_s=0.5)
        for number in range(70):
            node.raise_state(number)
        node.start()
        for number in range(ALARMS):
            node.raise_alarm(number)
        taken = broker.wait_for(
            lambda taken: numbers(taken) >= set(range(ALARMS)) and any("EventsSetAside" in t.topic for t in taken), 60
        )
        wait_until(lambda: node.outbox.metrics().pending == node.session.set_aside == 70, 30)
        assert told in node.session.health().reason
        story = next(json.loads(t.payload)["Data"] for t in taken if "EventsSetAside" in t.topic)
        assert story["Topic"] == "vigie/pole-1/onvif-ej/VideoSource/MotionAlarm/&front"
        before = len(broker.connects)
        node.raise_alarm(1000)
        broker.wait_for(lambda taken: 1000 in numbers(taken))
        assert len(broker.connects) == before
        node.stop()


def test_two_nodes_under_one_name_say_so(tmp_path: Path) -> None:
    """(21) A cloned card on one mosquitto, which tells neither: each names the other's run in its health."""
    with LocalBroker(tmp_path / "broker") as broker:
        nodes = [UplinkNode(tmp_path / boot, broker.url, boot_id=boot) for boot in ("boot-1", "boot-2")]
        for node in nodes:
            node.start()
        for node, other in zip(nodes, ("boot-2", "boot-1"), strict=True):
            wait_until(partial(blames, node, other), 30)
        for node in nodes:
            node.stop()


def test_one_node_that_comes_back_again_and_again_is_no_twin(tmp_path: Path) -> None:
    """(21) A broker that restarts is no second node; what was retained of a former run is none either."""
    with LocalBroker(tmp_path / "broker") as broker:
        for boot in ("boot-1", "boot-2"):
            node = UplinkNode(tmp_path / "node", broker.url, boot_id=boot)
            node.start()
            for _ in range(2):
                wait_until(partial(is_online, node))
                broker.kill()
                broker.start()
            wait_until(partial(is_online, node))
            assert "under this name:" not in node.session.health().reason
            node.stop()


@pytest.mark.parametrize(("says", "code"), [(True, 0x95), (False, None)])
def test_a_largest_packet_that_nobody_announced(tmp_path: Path, says: bool, code: int | None) -> None:
    """(16, 19) Large stills and health break the line; whatever is smaller arrives, and what does not is counted and told."""
    temper = Temper(hangs_up_on=large, hangs_up_with=code)
    temper.says = says
    with HostileBroker(temper) as broker:
        node = UplinkNode(tmp_path / "node", broker.url)
        node.session.publish_health(b'{"camera": "%s"}' % (b"x" * 2000))
        for number in range(4):
            node.raise_with_still(number, b"\xff" * (3000 if number % 2 else 100))
        node.start()
        for number in range(100, 100 + ALARMS):
            node.raise_alarm(number)
        broker.wait_for(lambda taken: numbers(taken) >= set(range(100, 100 + ALARMS)) | set(range(4)), 60)
        wait_until(lambda: len({t.topic for t in broker.taken if "/still/" in t.topic}) == 2, 30)  # each once or more
        wait_until(lambda: node.outbox.metrics().pending == node.session.set_aside, 30)
        wait_until(lambda: node.session.set_aside + node.outbox.metrics().dropped == 2)
        wait_until(lambda: node.session.health().state == "online")
        assert "vigie/pole-1/health" in node.session.health().reason
        node.stop()


def test_a_small_broker_that_never_says_why_is_found_out_by_size(tmp_path: Path) -> None:
    """(16, 19) It takes 800 bytes and ends the line in silence: what is larger waits, told and no loss, and the line stands."""
    temper = Temper(hangs_up_on=lambda taken: taken.packet_bytes > 800)
    temper.says = False
    with HostileBroker(temper) as broker:
        node = UplinkNode(tmp_path / "node", broker.url)
        node.session.publish_health(json.dumps({"node": "pole-1", "camera": {"figures": {"x": "x" * 1500}}}).encode())
        for number in range(10):
            node.raise_with_still(number, b"\xff" * (3000 if number % 2 else 100))
        for number in range(6):
            node.outbox.enter_register(b'{"n": "%s"}' % (b"x" * (900 if number % 2 else 50)))
        node.start()
        for number in range(100, 100 + ALARMS):
            node.raise_alarm(number)
        broker.wait_for(lambda taken: numbers(taken) >= set(range(100, 100 + ALARMS)) | set(range(10)), 60)
        wait_until(lambda: node.outbox.metrics().pending == node.session.set_aside == 8, 30)
        wait_until(lambda: node.session.health().state == "online")
        assert len(broker.connects) <= 12
        assert node.outbox.metrics().dropped == 0
        assert "breaks the line over packets above" in node.session.health().reason
        before = len(broker.connects)
        node.outbox.enter_register(b'{"n": "%s"}' % (b"x" * 2000))
        node.raise_alarm(1000)
        broker.wait_for(lambda taken: 1000 in numbers(taken))
        wait_until(lambda: node.session.set_aside == 9)
        assert len(broker.connects) == before
        node.stop()


@pytest.mark.parametrize("queued", [0, 100_000])
def test_mosquitto_that_ends_the_line_over_a_refused_publish(tmp_path: Path, queued: int) -> None:
    """(16, 20) An announcement and a state that the access list refuses: both named, every alarm at the hub, the line stands.

    mosquitto 2.0 with `max_queued_messages 0` answers a refused message by ending the connection.
    """
    access = tmp_path / "access"
    access.write_text("user hub\ntopic read #\n\nuser node\ntopic write vigie/+/status\ntopic write vigie/+/onvif-ej/Device/#\n")
    with access.open("a") as file:
        file.write("topic write vigie/+/onvif-ej/Monitoring/#\ntopic write vigie/+/health\n")
    announcement = Publication("homeassistant/device/vigie/pole-1/config", b"{}", 1, True)
    settings = f"allow_anonymous true\nmax_queued_messages {queued}\nacl_file {access}"
    with LocalBroker(tmp_path / "broker", settings=settings) as broker:
        hub = Subscriber(broker.port, tls=lambda client: client.username_pw_set("hub"))
        node = UplinkNode(
            tmp_path / "node", broker.url, greetings=lambda: [announcement], credentials=BrokerCredentials(username="node")
        )
        for number in range(5):
            node.raise_state(number)
        node.start()
        for number in range(ALARMS):
            node.raise_alarm(number)
        hub.wait_for(lambda heard: numbers(heard) >= set(range(ALARMS)), 60)
        wait_until(lambda: node.outbox.metrics().pending == node.session.set_aside == 5, 30)
        wait_until(lambda: node.session.health().state == "online")
        for name in (announcement.topic, "MotionAlarm/&front"):
            assert name in node.session.health().reason
        hub.wait_for(lambda heard: any("EventsSetAside" in h.topic for h in heard))
        node.stop()
        hub.close()


def test_a_minute_at_the_pace_of_the_field(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """(16, 19, 20) All brokers of this file at once, waits and rests as a node has them: nothing is left unsaid.

    Every alarm is with its broker, every state that one never takes is set aside; how long each took is recorded.
    """
    names = [*TEMPERS, *STUBBORN]
    began_s = time.monotonic()
    with ExitStack() as stack:
        fields: dict[str, tuple[HostileBroker, UplinkNode, int]] = {}
        for name in names:
            temper = TEMPERS[name] if name in TEMPERS else STUBBORN[name][0]
            broker = stack.enter_context(HostileBroker(temper))
            node = UplinkNode(tmp_path / f"node-{len(fields)}", broker.url, pace=Pace(), filters=["vigie/pole-1/command/+"])
            node.raise_state(1)
            node.start()
            stack.callback(node.stop)
            for number in range(ALARMS):
                node.raise_alarm(number)
            fields[name] = broker, node, int(name in STUBBORN)
        for name, (broker, node, kept) in fields.items():
            broker.wait_for(lambda taken: numbers(taken) >= set(range(ALARMS)), 120)
            wait_until(partial(has_settled, node, kept), 120)
            record_property(name, round(time.monotonic() - began_s, 1))
            print(f"{name}: {time.monotonic() - began_s:.1f} s after the start, {len(broker.connects)} connections")
