"""ONVIF's mapping of events to MQTT."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from agent.base.clock import NS, ClockQuality
from agent.events.row import Draft, Kind, Row, event_body, event_of
from agent.ports.event import Event, Priority, PropertyOperation
from agent.uplink.topics import NodeTopics, event_payload, publication_of

TOPICS = NodeTopics("MyDevice", "n")
AT_NS = 1_223_641_497 * NS + 321_000_000
VALUES = st.one_of(st.text(max_size=40), st.integers(-(10**9), 10**9), st.floats(), st.booleans())
EVENTS = st.builds(
    Event,
    st.text(min_size=1, max_size=60),
    st.integers(0, 4_000_000_000 * NS),
    st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=4),
    st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=4),
    st.sampled_from([None, *PropertyOperation]),
    st.sampled_from(Priority),
)


def test_the_standards_own_example() -> None:
    """The line crossing of ONVIF Core, Event Broker, comes out as the standard prints it."""
    event = Event(
        "tns1:RuleEngine/LineDetector/Crossed",
        AT_NS,
        {"VideoSource": "1", "AnalyticsConfiguration": "2", "Rule": "MyImportantFence1"},
        {"ObjectId": "15"},
    )
    assert TOPICS.event(event) == "MyDevice/n/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/MyImportantFence1"
    assert json.loads(event_payload(event) or b"") == {
        "UtcTime": "2008-10-10T12:24:57.321Z",
        "Source": {"VideoSource": "1", "AnalyticsConfiguration": "2", "Rule": "MyImportantFence1"},
        "Data": {"ObjectId": "15"},
    }


def test_own_topics_keep_their_alias_and_an_event_without_source_has_no_suffix() -> None:
    """`Device/HardwareFailure/acme:LensFailure` stays as it is; no source, no `&`."""
    assert TOPICS.event(Event("Device/HardwareFailure/acme:LensFailure", 0)) == (
        "MyDevice/n/onvif-ej/Device/HardwareFailure/acme:LensFailure"
    )


def test_numbers_and_logical_states_are_not_quoted() -> None:
    """The grammar lets quotes go for integers, floats and logical states; a float JSON has no number for stays text."""
    payload = event_payload(Event("T", 0, {}, {"A": 1, "B": 28.65, "C": True, "D": float("nan")}))
    assert json.loads(payload or b"")["Data"] == {"A": 1, "B": 28.65, "C": True, "D": "nan"}


@given(EVENTS)
def test_every_event_has_a_topic_a_broker_takes(event: Event) -> None:
    """Whatever is in topic and source: no wildcard, no control character, and below the node's own root."""
    topic = TOPICS.event(event)
    assert topic_matches_sub("MyDevice/n/onvif-ej/#", topic)
    assert not set(topic) & {"#", "+", "\0", "\n"}
    topic.encode("utf-8")


@given(EVENTS)
def test_payload_is_json_by_the_grammar(event: Event) -> None:
    """UtcTime, Source, and Data only if there is any; a deleted property has no payload at all."""
    payload = event_payload(event)
    if event.operation is PropertyOperation.DELETED:
        assert payload is None
        return
    document = json.loads(payload or b"")
    assert list(document) == ["UtcTime", "Source", *(["Data"] if event.data else [])]
    assert len(document["Source"]) <= len(event.source)


@given(EVENTS)
def test_what_the_outbox_keeps_is_the_event(event: Event) -> None:
    """An event survives its way through the disk unchanged."""
    assert repr(event_of(event_body(event))) == repr(event)  # NaN equals nothing, its text does


def test_only_property_events_are_retained() -> None:
    """A state is retained and never expires; an occurrence is not retained and does."""
    for operation, retained, edge, severity in (
        (None, False, "happened", "notice"),
        (PropertyOperation.CHANGED, True, "began", "notice"),
        (PropertyOperation.DELETED, True, "withdrawn", "notice"),
    ):
        event = Event("VideoSource/MotionAlarm", AT_NS, {"Source": "a"}, {"State": True}, operation)
        row = Row.of(Draft("id", event.priority, Kind.EVENT, 0, ClockQuality.HOLDOVER, event_body(event)), 7, "e", 3)
        publication = publication_of(row, TOPICS)
        assert publication.retain is retained
        assert (publication.expiry_s is None) is retained
        assert dict(publication.user_properties) == {
            "event-id": "id",
            "sequence": "7",
            "epoch": "e",
            "clock-quality": "holdover",
            "class": "property",
            "class-sequence": "3",
            "edge": edge,
            "severity": severity,
        }
