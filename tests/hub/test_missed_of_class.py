"""docs/hub/missed.md played for those who hear a class alone: the police, who hear events and neither register nor stills."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import asdict

from agent.demo.broker import LocalBroker
from agent.events.bounds import Bounds, ClassBounds
from agent.ports.event import Priority
from tests.support.class_ledger import ClassLedger
from tests.support.deadline import until
from tests.support.independent_hub import Heard, Subscriber
from tests.support.uplink_node import UplinkNode

EVENTS = "vigie/pole-1/onvif-ej/#"


@contextmanager
def node_at(directory: Path, broker: LocalBroker) -> Iterator[UplinkNode]:
    """Running; it stops once the broker has all it raised."""
    node = UplinkNode(directory, broker.url)
    node.start()
    try:
        yield node
        until(lambda: node.outbox.drained and node.outbox.metrics().pending == 0, "the broker has it all")
    finally:
        node.stop()


def raise_of_each_class(node: UplinkNode, count: int) -> None:
    """A state with a still, a line of the register, an alarm; `count` of each."""
    for number in range(count):
        node.raise_state(number)
        node.raise_with_still(number, b"\\xff\\xd8")
        node.outbox.enter_register(b'{"n": 1}')
        node.raise_alarm(number)


def heard_by(of_class: str, heard: list[Heard]) -> ClassLedger:
    """What one who counts a class makes of it."""
    ledger = ClassLedger(of_class)
    for each in heard:
        if each.payload:
            ledger.take(each.topic, each.payload, each.properties, retained=each.retain)
    return ledger


def until_number(ear: Subscriber, of_class: str, number: int) -> list[Heard]:
    """Everything heard, once that number of the class came."""

    def came(heard: list[Heard]) -> bool:
        return any(h.properties.get("class") == of_class and h.properties.get("class-sequence") == str(number) for h in heard)

    return ear.wait_for(came, 60)


def test_who_hears_events_alone_misses_nothing_where_nothing_is_lost(tmp_path: Path) -> None:
    """Register and stills take numbers of the whole count, and none of theirs; a restart changes nothing."""
    with LocalBroker(tmp_path / "broker") as broker:
        police = Subscriber(broker.port, "police-1", EVENTS)
        for _ in range(2):
            with node_at(tmp_path / "n", broker) as node:
                raise_of_each_class(node, 3)
        heard = until_number(police, "property", 12)
        heard = until_number(police, "alarm", 7)
        police.close(forget=True)
    gaps = {h.sequence for h in heard if "sequence" in h.properties}
    assert len(gaps) < max(gaps), "in the count of all they see gaps"
    for each in ("property", "alarm"):
        assert (heard_by(each, heard).missing, heard_by(each, heard).verdicts) == ({}, [])


def test_one_event_that_does_not_come_is_a_loss_of_its_class(tmp_path: Path) -> None:
    """The broker lost one state: who hears events alone names it, and accuses no alarm."""
    with LocalBroker(tmp_path / "broker") as broker:
        police = Subscriber(broker.port, "police-1", EVENTS)
        with node_at(tmp_path / "n", broker) as node:
            raise_of_each_class(node, 3)
        heard = until_number(police, "alarm", 4)
        police.close(forget=True)
    lost = next(h for h in heard if h.properties.get("class-sequence") == "3" and h.properties["class"] == "property")
    heard.remove(lost)
    assert heard_by("property", heard).missing == {lost.properties["epoch"]: [3]}
    assert heard_by("alarm", heard).missing == {}


def test_a_tail_that_is_missing_shows_in_health(tmp_path: Path) -> None:
    """`outbox.classes` has the last number of each class: whoever may read health sees what nothing follows."""
    with LocalBroker(tmp_path / "broker") as broker:
        police = Subscriber(broker.port, "police-1", EVENTS)
        with node_at(tmp_path / "n", broker) as node:
            raise_of_each_class(node, 1)
            until_number(police, "alarm", 2)
            police.close(forget=True)
            raise_of_each_class(node, 2)
            until(lambda: node.outbox.drained and node.outbox.metrics().pending == 0, "the broker has it all")
            health = json.dumps({"outbox": asdict(node.outbox.metrics())}).encode()
    ledger = heard_by("alarm", police.heard)
    ledger.take("vigie/pole-1/health", health, {}, retained=True)
    assert list(ledger.missing.values()) == [[3, 4]]


def test_what_the_node_dropped_of_a_class_is_no_riddle(tmp_path: Path) -> None:
    """`EventsDropped` names the class and the span: the missing numbers that lie within are the dropped ones."""
    few = Bounds({each: ClassBounds(3, 1 << 20, 1 << 62) for each in Priority})
    with LocalBroker(tmp_path / "broker") as broker:
        police = Subscriber(broker.port, "police-1", EVENTS)
        with node_at(tmp_path / "n", broker) as node:
            node.raise_state(1)
        alone = UplinkNode(tmp_path / "n", "mqtt://127.0.0.1:1", bounds=few)
        alone.outbox.start()
        for number in range(9):
            alone.raise_state(number)
        until(lambda: alone.outbox.metrics().classes["property"] == 10, "they are on disk")
        alone.outbox.stop()
        assert alone.outbox.join(60)
        with node_at(tmp_path / "n", broker):
            police.wait_for(lambda heard: any("EventsDropped" in h.topic for h in heard), 60)
            heard = until_number(police, "property", 10)
        police.close(forget=True)
    got = {
        h.properties["class-sequence"]
        for h in heard
        if h.properties.get("class") == "property" and "restated" not in h.properties
    }
    assert len(got) < 10
    assert heard_by("property", heard).missing == {}


def test_a_lost_database_is_a_new_count_and_leaves_the_tail_unknown(tmp_path: Path) -> None:
    """Who hears no alarms hears no `OutboxEpoch`: the new epoch on its class says it, and its numbers begin at one."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Subscriber(broker.port, "one-class", EVENTS)
        with node_at(tmp_path / "n", broker) as node:
            raise_of_each_class(node, 2)
        until_number(hub, "property", 4)
        for part in (tmp_path / "n").glob("outbox.sqlite3*"):
            part.unlink()
        with node_at(tmp_path / "n", broker) as node:
            raise_of_each_class(node, 3)
        heard = until_number(hub, "property", 6)
        hub.close(forget=True)
    heard = [h for h in heard if h.properties.get("class") == "property"]
    ledger = heard_by("property", heard)
    assert ledger.verdicts == ["a new count: what the last one had beyond the highest number heard is unknown"]
    assert ledger.missing == {}
    second = [h for h in heard if h.properties["epoch"] == heard[-1].properties["epoch"] and "restated" not in h.properties]
    assert list(heard_by("property", [*heard[:1], *second[1:]]).missing.values()) == [[1]]
