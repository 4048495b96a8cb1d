"""docs/hub/missed.md played: every loss, on real nodes and a real broker, told by a hub of none of their code."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import asdict

from agent.demo.broker import LocalBroker
from agent.events.bounds import Bounds, ClassBounds
from agent.ports.event import Priority
from tests.support.deadline import until
from tests.support.hub_ledger import HubLedger
from tests.support.independent_hub import Subscriber
from tests.support.uplink_node import UplinkNode


@contextmanager
def life(directory: Path, broker: LocalBroker, alarms: int, bounds: Bounds | None = None) -> Iterator[UplinkNode]:
    """One run of the node: it raises alarms, and stops once the broker has all it can give."""
    node = UplinkNode(directory, broker.url, bounds=bounds)
    node.start()
    try:
        for number in range(alarms):
            node.raise_alarm(number)
        until(lambda: node.outbox.drained and node.outbox.metrics().pending == 0, "the broker has it all")
        say_health(node)
        yield node
    finally:
        node.stop()


def say_health(node: UplinkNode) -> None:
    """What the daemon's health says of the outbox."""
    node.session.publish_health(json.dumps({"outbox": asdict(node.outbox.metrics())}).encode())


class Centre:
    """A hub with its ledger; `forgetful` has no session, and misses what comes while it is away."""

    def __init__(self, broker: LocalBroker, topic: str = "vigie/#") -> None:
        self.ledger = HubLedger()
        self._broker = broker
        self._topic = topic
        self.come()

    def come(self) -> None:
        """Connect as somebody whom the broker does not know."""
        self._ear = Subscriber(self._broker.port, f"hub-{os.urandom(4).hex()}", self._topic)
        self._taken = 0

    def go(self) -> None:
        """With all that the broker kept for it."""
        self._take()
        self._ear.close(forget=True)

    def hears(self, condition: str, past: int = 0) -> None:
        """Wait for a message on such a topic, the one after `past` others; everything goes to the ledger."""
        self._ear.wait_for(lambda heard: sum(condition in h.topic for h in heard) > past, 60)
        self._take()

    def hears_number(self, number: int) -> None:
        """Wait until an event of at least that number came."""
        self._ear.wait_for(lambda heard: any(int(h.properties.get("sequence", 0)) >= number for h in heard), 60)
        self._take()

    def hears_again(self, event_id: str) -> None:
        """Wait until an event of that id came, however often."""
        self._ear.wait_for(lambda heard: any(h.event_id == event_id for h in heard), 60)
        self._take()

    def _take(self) -> None:
        fresh = list(self._ear.heard)[self._taken :]
        self._taken += len(fresh)
        for h in fresh:
            if h.payload:
                self.ledger.take(h.topic, h.payload, h.properties, retained=h.retain)

    def ask_again(self, node: UplinkNode) -> None:
        """`resend`, for every run that is missing."""
        for first, last in self.ledger.holes():
            found = node.outbox.again(node.outbox.metrics().epoch, first, last, 500)
            node.session.resend(found.rows)
            for row in found.rows:
                self.hears_again(row.event_id)
            self._take()
            self.ledger.answered((first, last), last - first + 1 - len(found.rows) - found.waiting)


def test_a_lost_database_is_unknown_and_what_was_used_is_lost(tmp_path: Path) -> None:
    """The hub has all that came before; of the numbers the mark had reserved it says that it cannot know."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Centre(broker)
        with life(tmp_path / "n", broker, 5):
            hub.hears_number(6)
        for part in (tmp_path / "n").glob("outbox.sqlite3*"):
            part.unlink()
        with life(tmp_path / "n", broker, 2):
            hub.hears_number(1004)
        hub.go()
    assert not hub.ledger.missing
    assert not hub.ledger.lost
    assert "unknown" in hub.ledger.verdicts[-1]
    assert hub.ledger.unknown <= set(range(7, 1600))
    assert len(hub.ledger.unknown) > 900


def test_events_that_a_lost_database_took_along_are_lost(tmp_path: Path) -> None:
    """Raised while no broker was there, told by health or by the mark: so many, and no more than is known."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Centre(broker)
        with life(tmp_path / "n", broker, 1):
            hub.hears_number(2)
        alone = UplinkNode(tmp_path / "n", "mqtt://127.0.0.1:1")
        alone.outbox.start()
        for number in range(4):
            alone.raise_alarm(number)
        until(lambda: alone.outbox.metrics().sequence == 6, "they are on disk")
        alone.outbox.stop()
        assert alone.outbox.join(60)
        hub.ledger.take(
            "vigie/pole-1/health", json.dumps({"outbox": asdict(alone.outbox.metrics())}).encode(), {}, retained=False
        )
        for part in (tmp_path / "n").glob("outbox.sqlite3*"):
            part.unlink()
        with life(tmp_path / "n", broker, 1):
            hub.hears_number(1002)
        hub.go()
    assert hub.ledger.lost == {3, 4, 5, 6}
    assert any("4 events are lost" in words for words in hub.ledger.verdicts)


def test_a_swapped_card_is_told_from_a_new_node(tmp_path: Path) -> None:
    """The first start of a node that was never heard is no loss; of one that was, it is, and nobody knows how much."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Centre(broker)
        with life(tmp_path / "n", broker, 3):
            hub.hears_number(4)
        assert hub.ledger.verdicts == []
        with life(tmp_path / "other-card", broker, 1):
            hub.hears("OutboxEpoch", past=1)
        hub.go()
    assert hub.ledger.verdicts == ["the card was swapped: the loss is unknown, 0 events at least"]


def test_an_old_copy_of_the_database_is_found_by_its_ids(tmp_path: Path) -> None:
    """The same epoch and the same numbers again: the node does not notice, the hub does, and counts on."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Centre(broker)
        with life(tmp_path / "n", broker, 3):
            hub.hears_number(4)
        shutil.copytree(tmp_path / "n", tmp_path / "copy")
        with life(tmp_path / "n", broker, 4):
            hub.hears_number(8)
        with life(tmp_path / "copy", broker, 6):
            hub.hears_number(10)
        hub.go()
    assert hub.ledger.verdicts == ["an old copy of the database was restored: what the newer one had waiting is unknown"]
    assert not hub.ledger.missing


def test_a_tail_that_is_missing_shows_in_health_and_comes_again(tmp_path: Path) -> None:
    """The hub lost its session and the last events with it: health counts them, `resend` brings them, all is well."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub, other = Centre(broker), Centre(broker)
        with life(tmp_path / "n", broker, 2) as node:
            hub.hears_number(3)
            hub.go()
            for number in range(5):
                node.raise_alarm(number)
            other.hears_number(8)
            hub.come()
            until(lambda: node.outbox.metrics().pending == 0, "the broker has them")
            say_health(node)
            hub.hears("/health", past=1)
            assert hub.ledger.verdicts == ["the tail is missing: 5 events"]
            assert hub.ledger.holes() == [(4, 8)]
            hub.ask_again(node)
            assert hub.ledger.holes() == []
        hub.go()
        other.go()
    assert not hub.ledger.lost


def test_what_came_before_a_hub_did_is_no_old_copy(tmp_path: Path) -> None:
    """A hub begins to count at what it hears first; what another asks for again lies below, and accuses nobody."""
    with LocalBroker(tmp_path / "broker") as broker:
        first = Centre(broker)
        with life(tmp_path / "n", broker, 4) as node:
            first.hears_number(5)
            late = Centre(broker)
            node.raise_alarm(5)
            late.hears_number(6)
            again = node.outbox.again(node.outbox.metrics().epoch, 1, 5, 500).rows
            node.session.resend(again)
            for row in again:
                late.hears_again(row.event_id)
        first.go()
        late.go()
    assert len(again) == 5
    assert (late.ledger.verdicts, late.ledger.holes(), late.ledger.highest) == ([], [], 6)


def test_what_a_former_epoch_still_had_comes_after_the_new_one_began() -> None:
    """Alarms pass a backlog: `OutboxEpoch` is heard before rows of the epoch it ends, and these are missing no more."""
    ledger = HubLedger()
    story = {"PreviousEpoch": "a", "LastKnownSequence": 3, "UsedUpTo": 3, "FirstSequence": 1004, "Reason": "lost"}
    for epoch, number, topic, data in (("a", 1, "x", {}), ("b", 1004, "vigie:OutboxEpoch", story), ("a", 2, "x", {})):
        properties = {"epoch": epoch, "sequence": str(number), "event-id": f"{epoch}{number}"}
        ledger.take(topic, json.dumps({"Data": data}).encode(), properties, retained=False)
    assert ledger.holes() == [(3, 3)]


def test_what_the_node_dropped_is_said_and_is_no_riddle(tmp_path: Path) -> None:
    """A full outbox while no broker was there: the missing ones are the dropped ones, and are asked for in vain no more."""
    few = Bounds({each: ClassBounds(3, 1 << 20, 1 << 62) for each in Priority})
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Centre(broker)
        with life(tmp_path / "n", broker, 1):
            hub.hears_number(2)
        alone = UplinkNode(tmp_path / "n", "mqtt://127.0.0.1:1", bounds=few)
        alone.outbox.start()
        for number in range(9):
            alone.raise_alarm(number)
        until(lambda: alone.outbox.metrics().sequence == 11, "they are on disk")
        alone.outbox.stop()
        assert alone.outbox.join(60)
        with life(tmp_path / "n", broker, 0):
            hub.hears("EventsDropped")
        hub.go()
    assert any("dropped by the node" in words for words in hub.ledger.verdicts)
    assert not hub.ledger.missing
    assert not hub.ledger.lost


def test_who_hears_less_than_a_class_claims_nothing(tmp_path: Path) -> None:
    """One topic of a class, say: gaps by design. No hole is asked for, no loss is told."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub, police = Centre(broker), Centre(broker, "vigie/pole-1/onvif-ej/VideoSource/#")
        police.ledger.partial = True
        with life(tmp_path / "n", broker, 4) as node:
            node.raise_state(1)
            police.hears("MotionAlarm")
        police.go()
        hub.go()
    assert (police.ledger.holes(), police.ledger.verdicts) == ([], [])
