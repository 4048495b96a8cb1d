"""What the hub makes of a node's messages."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent.fleet.feed import SILENT_AFTER_S, FleetFeed
from agent.fleet.table import draw
from agent.ports.mqtt import Received

NOW = 10**12


def event(sequence: int, topic: str = "VideoSource/SignalLoss", data: Any = None, source: Any = None, **more: str) -> Received:
    """An alarm of node a."""
    properties = {"event-id": f"id{sequence}", "sequence": str(sequence), "epoch": "E1", "class": "alarm", **more}
    payload = json.dumps({"UtcTime": "t", "Source": source or {}, "Data": data or {}}).encode()
    return Received(f"vigie/a/onvif-ej/{topic}", payload, False, tuple(properties.items()))


def status(state: str, node: str = "a") -> Received:
    """A birth, a goodbye or a will."""
    return Received(f"vigie/{node}/status", json.dumps({"state": state, "since": "t", "version": "1", "boot_id": "b"}).encode())


def changes(feed: FleetFeed, *messages: Received) -> list[str]:
    """The kinds of change they brought."""
    return [change["change"] for message in messages for change in feed.take(message, NOW)]


def test_gaps_open_and_close() -> None:
    """A jump in the sequence is a gap until the missing events come."""
    feed = FleetFeed("vigie")
    assert changes(feed, event(1), event(4)) == ["alarm", "alarm", "gap"]
    assert feed.nodes["a"].ledger.holes() == [(2, 3)]
    assert changes(feed, event(3), event(2)) == ["alarm", "alarm", "gap-closed"]
    assert changes(feed, event(2)) == ["duplicate"]


def test_drops_the_node_owns_up_to_are_no_riddle() -> None:
    """An announced drop explains its gap, and is shown as a drop."""
    feed = FleetFeed("vigie")
    told = event(10, "Monitoring/vigie:EventsDropped/&property/space", {"Count": 8, "First": 2, "Last": 9}, {"Class": "property"})
    assert "dropped" in changes(feed, event(1), told)
    view = feed.nodes["a"]
    assert view.ledger.unexplained == 0
    assert view.dropped == 8


def test_a_new_epoch_explains_the_jump() -> None:
    """A lost database: the count goes on higher, and that is no gap."""
    feed = FleetFeed("vigie")
    data = {"PreviousEpoch": "E1", "LastKnownSequence": 0, "FirstSequence": 1001, "Reason": "the database was lost"}
    new = event(1001, "Monitoring/vigie:OutboxEpoch/&E2", data, epoch="E2")
    assert "epoch" in changes(feed, event(5), new)
    assert feed.nodes["a"].ledger.unexplained == 0


def test_a_card_that_was_replaced_counts_from_one() -> None:
    """Database and mark both gone: the new epoch's count is taken as it is."""
    feed = FleetFeed("vigie")
    data = {"PreviousEpoch": "", "LastKnownSequence": 0, "FirstSequence": 1, "Reason": "first start"}
    changes(feed, event(500), event(1, "Monitoring/vigie:OutboxEpoch/&E2", data, epoch="E2"), event(2, epoch="E2"))
    view = feed.nodes["a"]
    assert (view.ledger.highest, view.ledger.unexplained, view.epoch) == (2, 0, "E2")


def test_a_first_start_is_no_alarm() -> None:
    """Of a node that nobody has heard before; the same of one that was heard means a lost card, and is one."""
    feed = FleetFeed("vigie")
    data = {"PreviousEpoch": "", "LastKnownSequence": 0, "FirstSequence": 1, "Reason": "first start"}
    story = ("class", "alarm"), ("severity", "alarm"), ("edge", "happened")

    def first(epoch: str) -> Received:
        told = event(1, f"Monitoring/vigie:OutboxEpoch/&{epoch}", data, epoch=epoch, **{"event-id": epoch})
        return Received(told.topic, told.payload, False, (*told.user_properties, *story))

    assert changes(feed, first("E1")) == ["epoch", "event"]
    assert (feed.nodes["a"].alarm_count, feed.nodes["a"].events) == (0, 1)
    assert changes(feed, first("E2")) == ["epoch", "alarm"]


def test_restated_and_retained_states_are_no_news() -> None:
    """What a node repeats after a connect, or a broker from memory, opens no gap and counts as nothing."""
    feed = FleetFeed("vigie")
    retained = Received(event(3).topic, event(3).payload, True, event(3).user_properties)
    assert changes(feed, event(100), event(5, restated="true"), retained) == ["alarm"]


def remembered(message: Received) -> Received:
    """The same from the broker's memory."""
    return Received(message.topic, message.payload, True, message.user_properties)


def faults(feed: FleetFeed) -> list[str]:
    """What is wrong with node a, in words."""
    return [words for _, words in feed.nodes["a"].faults()]


@pytest.mark.parametrize(
    ("topic", "data", "words"),
    [
        ("VideoSource/SignalLoss/&front", {"State": True}, "SignalLoss"),
        ("VideoSource/GlobalSceneChange/ImagingService/&front", {"State": True}, "GlobalSceneChange"),
        ("VideoSource/ImageTooDark/ImagingService/&front", {"State": True}, "ImageTooDark"),
        ("Device/HardwareFailure/TemperatureCritical", {"Critical": True, "Celsius": 91.0}, "TemperatureCritical"),
        ("Device/HardwareFailure/StorageFailure/&recordings", {"Failed": True, "Reason": "worn"}, "StorageFailure: worn"),
        ("Device/HardwareFailure/vigie:Undervoltage/&board", {"Low": True}, "Undervoltage"),
        ("RecordingConfig/vigie:RetentionShortfall/&rec", {"Short": True, "Days": 2.0}, "RetentionShortfall"),
        ("RecordingConfig/vigie:PicturesLost/&rec", {"Failed": True, "What": "disk full"}, "PicturesLost: disk full"),
        ("vigie:Evidence/SigningFailure/&rec", {"Failed": True, "What": "no key"}, "SigningFailure: no key"),
    ],
)
def test_an_alarm_from_before_the_watch_is_a_fault(topic: str, data: dict[str, Any], words: str) -> None:
    """Retained or restated, a state that is so stands among the node's faults and is told once, until it is deleted."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    told = event(3, topic, data)
    assert changes(feed, remembered(told), event(3, topic, data, restated="true")) == ["state"]
    assert faults(feed) == [words]
    assert feed.nodes["a"].alarm_count == 0
    changes(feed, Received(told.topic, b"", False, event(4).user_properties))
    assert faults(feed) == []


def test_a_live_alarm_stands_until_the_node_takes_it_back() -> None:
    """Raised, it is a fault; lowered, it is none, also when what was overtaken comes late."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    changes(feed, event(1, data={"State": False}), event(3, data={"State": True}), event(2, data={"State": False}))
    assert faults(feed) == ["SignalLoss"]
    changes(feed, event(4, data={"State": False}))
    assert faults(feed) == []


def test_what_merely_happens_or_moves_does_not_stand() -> None:
    """Motion is no alarm; a picture lost for a moment and a refused entry in the register are never taken back."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    motion = event(1, "VideoSource/MotionAlarm/&front", {"State": True}, **{"class": "property"})
    lost = event(2, "RecordingConfig/vigie:PicturesLost/&rec", {"Failed": True, "What": "the disk does not keep up"})
    register = event(3, "Device/HardwareFailure/vigie:RegisterFailure/&rec", {"Failed": True, "What": "full"})
    assert changes(feed, remembered(motion), motion, lost, register) == ["event", "alarm", "alarm"]
    assert faults(feed) == []


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("delivering", "", []),
        ("silent", "", ["camera: silent"]),
        ("over", "", ["camera: over"]),
        ("silent", "a.mp4 is missing", ["camera: a.mp4 is missing"]),
    ],
)
def test_a_camera_that_does_not_deliver_is_a_fault(state: str, reason: str, expected: list[str]) -> None:
    """Health alone shows it, whatever the events said."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    feed.take(Received("vigie/a/health", json.dumps({"camera": {"fps": 0.0, "state": state, "reason": reason}}).encode()), NOW)
    assert faults(feed) == expected


def test_a_dead_camera_stands_above_a_well_node_and_below_a_dead_one() -> None:
    """The worst fault decides; several smaller ones do not outweigh it."""
    feed = FleetFeed("vigie")
    for node in "bac":
        feed.take(status("online", node), NOW)
    feed.take(status("offline", "c"), NOW)
    feed.take(Received("vigie/a/health", json.dumps({"camera": {"state": "silent"}}).encode()), NOW)
    changes(feed, remembered(event(1, data={"State": True})))
    assert [view.node for view in feed.by_fault()] == ["c", "a", "b"]


def test_an_all_clear_is_no_alarm() -> None:
    """What a healthy node says at its start is of class alarm and says that nothing is wrong: events, and none counted."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    clear = [event(1, data={"State": False}), event(2, "vigie:Evidence/SigningFailure/&rec", {"Failed": False, "What": ""})]
    assert changes(feed, *clear) == ["event", "event"]
    view = feed.nodes["a"]
    assert (view.alarm_count, list(view.alarms), faults(feed)) == (0, [], [])


def test_the_worst_stands_first() -> None:
    """Offline before opaque before missing events before well."""
    feed = FleetFeed("vigie")
    for node in "abcd":
        feed.take(status("online", node), NOW)
    feed.take(status("offline", "c"), NOW)
    feed.take(Received("vigie/d/health", json.dumps({"privacy": {"state": "opaque", "reason": "moved"}}).encode()), NOW)
    changes(feed, event(1), event(9))
    assert [view.node for view in feed.by_fault()] == ["c", "d", "a", "b"]


def test_silence_without_a_will_is_noticed() -> None:
    """A node that is online and says nothing is silent, until it is heard again."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    later = NOW + int((SILENT_AFTER_S + 1) * 10**9)
    assert [change["change"] for change in feed.look(later)] == ["silent"]
    assert feed.look(later) == []
    assert [change["change"] for change in feed.take(event(1), later)] == ["heard-again", "alarm"]


OWN = ["onvif-ej/x", "onvif-ej/vigie:OutboxEpoch", "onvif-ej/vigie:EventsDropped"]
TOPICS = st.sampled_from(["status", "health", *OWN, "register", "y"])
PROPERTIES = st.dictionaries(st.sampled_from(["sequence", "epoch", "class", "event-id"]), st.text(max_size=5) | st.just("7"))
FIELDS = st.none() | st.integers() | st.dictionaries(st.sampled_from(["First", "Last", "Count", "a"]), st.integers())
KEYS = st.sampled_from(["Data", "Source", "state", "privacy", "camera", "components", "board"])
SAID = st.dictionaries(st.sampled_from(["State", "Failed", "What"]), st.booleans() | st.text(max_size=3) | st.none())
PAYLOADS = st.one_of(
    st.binary(max_size=40),
    st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"Data": SAID}).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(KEYS, FIELDS).map(lambda value: json.dumps(value).encode()),
)


@given(st.lists(st.tuples(TOPICS, PAYLOADS, PROPERTIES, st.booleans()), max_size=10))
def test_nonsense_is_said_and_never_fatal(messages: list[tuple[str, bytes, dict[str, str], bool]]) -> None:
    """Whatever anybody publishes below the prefix: the watch goes on, its order and changes stay printable."""
    feed = FleetFeed("vigie")
    for topic, payload, properties, retain in messages:
        for change in feed.take(Received(f"vigie/a/{topic}", payload, retain, tuple(properties.items())), NOW):
            json.dumps(change)
    assert len(feed.by_fault()) <= 1
    Console(file=io.StringIO()).print(draw(feed, "mqtt://x", "", NOW))


def test_a_narrow_screen_still_tells_what_is_wrong() -> None:
    """Eighty columns: figures give way, the words of the fault do not."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    health = {"privacy": {"state": "opaque", "reason": "no reference"}, "camera": {"fps": 25.0}}
    feed.take(Received("vigie/a/health", json.dumps(health).encode()), NOW)
    screen = io.StringIO()
    Console(file=screen, width=80).print(draw(feed, "mqtt://x", "", NOW, width=80))
    assert "opaque: no reference" in screen.getvalue()
    wide = io.StringIO()
    Console(file=wide, width=160).print(draw(feed, "mqtt://x", "", NOW))
    assert "25.0" in wide.getvalue()


def test_what_a_node_says_of_its_line_is_shown() -> None:
    """Events that a broker does not take, with the reason; a broker that can less, as a smaller matter."""
    feed = FleetFeed("vigie")
    feed.take(status("online"), NOW)
    for outbox, words in (({}, "line: x is refused"), ({"set_aside": 7}, "7 events set aside: x is refused")):
        health = {"outbox": outbox, "uplink": {"state": "online", "reason": "x is refused"}}
        feed.take(Received("vigie/a/health", json.dumps(health).encode()), NOW)
        assert faults(feed) == [words]


def test_a_doctors_trial_is_no_news() -> None:
    """What tries an access list is on every topic of a node, and says nothing of it."""
    feed = FleetFeed("vigie")
    trial = Received("vigie/a/onvif-ej/VideoSource/SignalLoss/&a", b"{}", False, (("trial", "true"),))
    assert changes(feed, Received("vigie/a/status", b"{}", False, (("trial", "true"),)), trial) == []
    assert not feed.nodes
