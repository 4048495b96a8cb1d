"""The session against a real broker, with a subscriber that shares none of our code."""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker, free_port
from agent.events.replay_window import KEPT_S
from tests.support.fault_scene import wait_until
from tests.support.footage import REPOSITORY
from tests.support.forwarder import Forwarder
from tests.support.independent_hub import Heard, Subscriber
from tests.support.jumping_clock import JumpingClock
from tests.support.uplink_node import UplinkNode


def numbers(heard: list[Heard]) -> list[int]:
    """The numbers the test put into its events, as they came."""
    return [json.loads(h.payload)["Data"]["Number"] for h in heard if h.payload and b"Number" in h.payload]


def states(hub: Subscriber, name: str = "pole-1") -> list[str]:
    """What the hub heard of whether a node is there, in its order."""
    return [json.loads(h.payload)["state"] for h in hub.on(f"{name}/status")]


def test_birth_and_events_reach_the_hub(hub: Subscriber, node: UplinkNode) -> None:
    """The hub hears the birth, then every event once, in sequence, with its properties."""
    for number in range(50):
        node.raise_alarm(number)
    heard = hub.wait_for(lambda all_heard: len(numbers(all_heard)) >= 50)
    status = next(h for h in heard if h.topic == "vigie/pole-1/status")
    assert json.loads(status.payload)["state"] == "online"
    assert numbers(heard) == list(range(50))
    events = [h for h in heard if "/onvif-ej/" in h.topic]
    sequences = [h.sequence for h in events]
    assert sequences == list(range(1, len(events) + 1))
    assert len({h.event_id for h in events}) == len(events)
    assert {h.properties["clock-quality"] for h in events} <= {"synchronised", "holdover", "unset"}


def test_the_first_health_after_a_connect_says_that_the_line_is_up(hub: Subscriber, broker: LocalBroker, tmp_path: Path) -> None:
    """The newest document was made while there was no line yet: a hub would take it for a fault."""
    node = UplinkNode(tmp_path / "n", broker.url)
    node.session.publish_health(json.dumps({"node": "pole-1", "uplink": {"state": "connecting", "reason": "no line"}}).encode())
    node.start()
    heard = hub.wait_for(lambda heard: any(h.topic.endswith("/health") for h in heard))
    first = json.loads(next(h for h in heard if h.topic.endswith("/health")).payload)
    assert (first["node"], first["uplink"]["state"], first["uplink"]["broker"]) == ("pole-1", "online", broker.url)
    assert "no line" not in first["uplink"]["reason"]
    node.stop()


def test_what_is_acknowledged_is_not_pending(hub: Subscriber, node: UplinkNode) -> None:
    """Once the broker has acknowledged everything, nothing is pending."""
    for number in range(10):
        node.raise_alarm(number)
    hub.wait_for(lambda heard: len(numbers(heard)) >= 10)
    wait_until(lambda: node.outbox.metrics().pending == 0)


def test_what_is_acknowledged_leaves_once_the_broker_outlived_it(hub: Subscriber, broker: LocalBroker, tmp_path: Path) -> None:
    """The next sign of life ten seconds later lets go of what went before."""
    clock = JumpingClock()
    node = UplinkNode(tmp_path / "n", broker.url, clock=clock)
    node.start()
    for number in range(10):
        node.raise_alarm(number)
    hub.wait_for(lambda heard: len(numbers(heard)) >= 10)
    wait_until(lambda: node.outbox.metrics().pending == 0)
    assert sum(node.store.tally.count.values()) > 10
    clock.skip(KEPT_S)
    node.raise_alarm(10)
    wait_until(lambda: sum(node.store.tally.count.values()) == 1)
    node.stop()


@pytest.mark.parametrize("away_s", [0, 600])
def test_a_broker_that_dies_with_what_it_acknowledged_costs_nothing(broker: LocalBroker, tmp_path: Path, away_s: int) -> None:
    """The hub is slow, the broker acknowledges and dies before the hub has read: the hub hears all, in order, however late."""
    slow = Subscriber(broker.port, in_hand=10)
    clock = JumpingClock()
    node = UplinkNode(tmp_path / "n", broker.url, clock=clock)
    node.start()
    wait_until(lambda: node.session.health().state == "online")
    with slow.reading_nothing():
        for number in range(30):
            node.raise_alarm(number)
        wait_until(lambda: node.outbox.metrics().sequence > 30 and node.outbox.metrics().pending == 0)
        broker.kill()
    wait_until(lambda: node.session.health().state != "online")
    clock.skip(away_s)
    node.raise_alarm(30)
    wait_until(lambda: node.outbox.metrics().sequence > 31)
    broker.start()
    slow.wait_for(lambda heard: set(numbers(heard)) == set(range(31)), 30)
    assert list(dict.fromkeys(numbers(slow.heard))) == list(range(31))
    assert len({h.event_id for h in slow.heard if h.event_id}) == node.outbox.metrics().sequence
    node.stop()
    slow.close()


def test_a_broker_that_dies_with_what_an_absent_hub_had_not_fetched_costs_nothing(tmp_path: Path) -> None:
    """As docs/hub/mosquitto.conf has it, the broker writes down what it holds before the node stops repeating it."""
    published = (REPOSITORY / "docs/hub/mosquitto.conf").read_text().splitlines()
    saving = [line for line in published if line.startswith(("autosave_interval", "max_queued"))]
    clock = JumpingClock()
    with LocalBroker(tmp_path / "broker", settings="\n".join(["allow_anonymous true", *saving])) as broker:
        Subscriber(broker.port).close()
        node = UplinkNode(tmp_path / "n", broker.url, clock=clock)
        node.start()
        for number in range(30):
            node.raise_alarm(number)
        wait_until(lambda: node.outbox.metrics().sequence > 30 and node.outbox.metrics().pending == 0)
        saved = broker.directory / "mosquitto.db"
        before_ns = time.time_ns()
        wait_until(lambda: saved.exists() and saved.stat().st_mtime_ns > before_ns)
        clock.skip(KEPT_S)
        node.raise_alarm(30)
        wait_until(lambda: sum(node.store.tally.count.values()) == 1 and node.outbox.metrics().pending == 0)
        broker.kill()
        broker.start()
        hub = Subscriber(broker.port)
        hub.wait_for(lambda heard: set(numbers(heard)) == set(range(31)), 30)
        assert list(dict.fromkeys(numbers(hub.heard))) == list(range(31))
        node.stop()
        hub.close()


def test_a_broker_that_dies_and_comes_back_gets_everything(hub: Subscriber, node: UplinkNode, broker: LocalBroker) -> None:
    """Events raised while the broker is dead arrive, in order, once it is back."""
    node.raise_alarm(0)
    hub.wait_for(lambda heard: numbers(heard) == [0])
    broker.kill()
    for number in range(1, 30):
        node.raise_alarm(number)
    broker.start()
    hub.wait_for(lambda heard: set(numbers(heard)) == set(range(30)), 30)
    first_seen = list(dict.fromkeys(numbers(hub.heard)))
    assert first_seen == list(range(30))


def test_the_journal_says_when_the_broker_is_out_of_reach(
    hub: Subscriber, node: UplinkNode, broker: LocalBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with the reason and the remedy for each outage, one when it is over; tries that fail on the way add none."""
    caplog.set_level(logging.INFO, "agent.uplink")
    node.raise_alarm(0)
    hub.wait_for(lambda heard: numbers(heard) == [0])
    broker.kill()
    wait_until(lambda: "nobody listens" in node.session.health().reason)
    broker.start()
    wait_until(lambda: node.session.health().state == "online")
    node.stop()
    outages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(outages) == 1
    assert "the broker is out of reach" in outages[0]
    assert "`vigie doctor`" in outages[0]
    assert caplog.records[-1].getMessage() == f"online at {broker.url}"


def test_properties_are_retained_and_deleted(hub: Subscriber, node: UplinkNode, broker: LocalBroker) -> None:
    """A late hub gets the state that holds, and nothing of one that was deleted."""
    node.raise_state(1, "front")
    node.raise_state(3, "back")
    node.end_state("back")
    hub.wait_for(lambda heard: any(h.topic.endswith("&back") and h.payload == b"" for h in heard))
    late = Subscriber(broker.port, "late")
    node.raise_alarm(7)
    heard = late.wait_for(lambda heard: 7 in numbers(heard))
    late.close()
    retained = {h.topic for h in heard if h.retain}
    assert "vigie/pole-1/onvif-ej/VideoSource/MotionAlarm/&front" in retained
    assert not any(topic.endswith("&back") for topic in retained)


def test_goodbye_says_stopping_then_offline(broker: LocalBroker, tmp_path: Path) -> None:
    """A clean stop says `stopping`; the will follows, since nobody is there any more."""
    hub = Subscriber(broker.port)
    node = UplinkNode(tmp_path / "n", broker.url, will_delay_s=0)
    node.start()
    hub.wait_for(lambda heard: any(h.topic.endswith("/status") for h in heard))
    node.stop()
    hub.wait_for(lambda heard: len([h for h in heard if h.topic.endswith("/status")]) >= 3)
    heard = states(hub)
    hub.close()
    assert heard == ["online", "stopping", "offline"]


def test_an_alarm_passes_rows_that_the_access_list_refuses(tmp_path: Path) -> None:
    """(12, 16) Sixty refused states rest or wait, and the alarm behind them is heard on the same connection."""
    access = tmp_path / "access"
    access.write_text("topic read #\ntopic write vigie/+/status\ntopic write vigie/+/onvif-ej/Device/#\n")
    with LocalBroker(tmp_path / "broker", settings=f"allow_anonymous true\nacl_file {access}") as broker:
        hub = Subscriber(broker.port)
        node = UplinkNode(tmp_path / "n", broker.url)
        node.start()
        hub.wait_for(lambda _: states(hub) == ["online"])
        for number in range(60):
            node.raise_state(number)
        wait_until(lambda: "MotionAlarm/&front is refused" in node.session.health().reason)
        wait_until(lambda: node.outbox.metrics().sequence >= 60)
        node.raise_alarm(60)
        hub.wait_for(lambda heard: numbers(heard) == [60])
        assert states(hub) == ["online"]
        node.stop()
        hub.close()


def test_a_return_to_the_preferred_broker_is_no_alarm_where_both_are_one(broker: LocalBroker, tmp_path: Path) -> None:
    """(10) Two addresses of one broker: the node is back within the will's delay, and the hub hears of no silence."""
    hub = Subscriber(broker.port)
    first = free_port()
    node = UplinkNode(tmp_path / "n", f"mqtt://127.0.0.1:{first}", broker.url, fail_back_s=0.5, will_delay_s=2)
    node.start()
    hub.wait_for(lambda _: states(hub) == ["online"])
    with Forwarder(first, broker.port):
        hub.wait_for(lambda _: len(states(hub)) >= 2)
        wait_until(lambda: node.session.online)
        assert node.session.health().broker.endswith(str(first))
        # The will of whoever went later, with as long a delay, comes later: by then the node's would be there.
        other = UplinkNode(tmp_path / "other", broker.url, name="pole-2", will_delay_s=2)
        other.start()
        hub.wait_for(lambda _: states(hub, "pole-2") == ["online"])
        other.stop()
        hub.wait_for(lambda _: "offline" in states(hub, "pole-2"))
        assert states(hub) == ["online", "online"]
        node.stop()
    hub.close()


def test_a_broker_that_is_left_for_another_says_offline_after_the_delay(broker: LocalBroker, tmp_path: Path) -> None:
    """(10) Two brokers that know nothing of each other: the one that is left sends the will, later than the other the birth."""
    hub = Subscriber(broker.port)
    first = LocalBroker(tmp_path / "first")
    node = UplinkNode(tmp_path / "n", first.url, broker.url, fail_back_s=0.5, will_delay_s=1)
    node.start()
    hub.wait_for(lambda _: states(hub) == ["online"])
    with first:
        hub.wait_for(lambda _: len(states(hub)) >= 2)
        assert states(hub) == ["online", "offline"]
        preferred = Subscriber(first.port)
        preferred.wait_for(lambda _: states(preferred) == ["online"])
        assert json.loads(preferred.on("/status")[0].payload)["since"] > json.loads(hub.on("/status")[1].payload)["since"]
        preferred.close()
        node.stop()
    hub.close()


def _online_often(times: int, heard: list[Heard]) -> bool:
    return sum(b'"online"' in h.payload for h in heard) >= times


def _all_came(wanted: range, heard: list[Heard]) -> bool:
    return set(wanted) <= set(numbers(heard))


def test_goodbye_takes_along_what_was_raised_before_it(broker: LocalBroker, tmp_path: Path) -> None:
    """Events raised right before the stop, still on their way to the disk, reach the hub; nothing is pending."""
    hub = Subscriber(broker.port)
    for round_number in range(3):
        node = UplinkNode(tmp_path / "n", broker.url)
        node.start()
        hub.wait_for(partial(_online_often, round_number + 1))
        for number in range(40):
            node.raise_alarm(100 * round_number + number)
        node.stop()
        assert node.outbox.metrics().pending == 0
        hub.wait_for(partial(_all_came, range(100 * round_number, 100 * round_number + 40)))
    hub.close()
