"""What a packet weighs, held against the bytes that really go out, and a health document cut to what a broker takes."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.ports.health import Health
from agent.ports.mqtt import Publication
from agent.uplink.packet_size import packet_bytes, subscriptions
from agent.uplink.small_health import health_publication
from hardware.mqtt_client import publish_properties
from tests.support.manual_clock import ManualClock
from tests.uplink.test_health import Node, publisher

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="+#"), max_size=200)
PUBLICATIONS = st.builds(
    Publication,
    topic=TEXTS.filter(bool),
    payload=st.none() | st.binary(max_size=20_000),
    qos=st.sampled_from([0, 1]),
    user_properties=st.lists(st.tuples(TEXTS, TEXTS), max_size=6).map(tuple),
    expiry_s=st.none() | st.integers(0, 2**32 - 1),
    response_topic=st.none() | TEXTS.filter(bool),
    correlation_data=st.none() | st.binary(max_size=300),
    content_type=st.none() | TEXTS,
)


@given(PUBLICATIONS)
@settings(deadline=None)
def test_no_packet_is_larger_than_it_is_taken_for(publication: Publication) -> None:
    """Never larger, and smaller by no more than what QoS 0 and a topic without a number save: six bytes."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    queued: list[bytes] = []
    client._sock = object()  # type: ignore[assignment]
    client._packet_queue = lambda _command, packet, *_: queued.append(bytes(packet))  # type: ignore
    properties, payload = publish_properties(publication), publication.payload or b""
    client._send_publish(1, publication.topic.encode(), payload, publication.qos, properties=properties)
    client._sock = None
    assert 0 <= packet_bytes(publication) - len(queued[0]) <= 6


@given(st.integers(600, 6000), st.text(max_size=3000))
@settings(deadline=None)
def test_a_cut_health_document_is_one_still(most: int, reason: str) -> None:
    """Whatever is left out, the schema takes it, and it is never longer than the whole."""
    whole = msgspec.json.encode(msgspec.structs.replace(publisher(Node(), ManualClock(), []).sample(), config_trouble=reason))
    cut = health_publication("vigie/pole-1/health", whole, most)
    assert msgspec.json.decode(cut.payload or b"", type=Health).node
    assert len(cut.payload or b"") <= len(whole)
    assert health_publication("vigie/pole-1/health", whole, None).payload == whole


def test_a_real_health_document_fits_a_small_packet() -> None:
    """With a driver's figures and long words, one of 4 kB goes below 1,200 bytes, and keeps the states."""
    document = msgspec.to_builtins(publisher(Node(), ManualClock(), []).sample())
    document["camera"]["figures"] = {f"figure_{n}": "x" * 20 for n in range(60)}
    document["camera"]["reason"] = "word " * 200
    document["components"] = {f"component-{n}": "running" for n in range(15)} | {"recorder": "failed"}
    cut = health_publication("vigie/pole-1/health", msgspec.json.encode(document), 1200)
    assert packet_bytes(cut) <= 1200
    found = json.loads(cut.payload or b"")
    assert found["components"] == {"recorder": "failed"}
    assert found["camera"]["state"] == document["camera"]["state"]


@given(st.lists(TEXTS.filter(bool), max_size=12), st.none() | st.integers(16, 700))
@settings(deadline=None)
def test_no_subscription_is_larger_than_the_broker_takes(filters: list[str], most: int | None) -> None:
    """In their order, none twice, in one packet where nothing forbids it; left out is only what fits into no packet alone."""
    packets = subscriptions(filters, most)
    sizes = [1 + _length(rest) + rest for rest in (3 + sum(len(f.encode()) + 3 for f in packet) for packet in packets)]
    assert most is None or max(sizes, default=0) <= most
    fitting = [f for f in filters if most is None or (rest := len(f.encode()) + 6) + 1 + _length(rest) <= most]
    assert [f for packet in packets for f in packet] == fitting
    assert len(packets) <= 1 or most is not None


def _length(rest: int) -> int:
    return 1 if rest < 128 else 2
