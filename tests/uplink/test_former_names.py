"""What was told under a name is cleared under that name: the id, the prefix, Home Assistant's device."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent.demo.broker import LocalBroker
from agent.ports.mqtt import Publication
from agent.uplink.retained import Retained
from agent.uplink.topics import NodeTopics
from tests.support.fault_scene import wait_until
from tests.support.hostile_broker import HostileBroker, Temper
from tests.support.independent_hub import Subscriber
from tests.support.uplink_node import UplinkNode

DEVICE = "homeassistant/device/vigie/pole-1/config"


def retained_topics(broker: LocalBroker) -> set[str]:
    """What a newcomer finds."""
    late = Subscriber(broker.port, f"late-{os.urandom(4).hex()}")
    late.client.publish("test/end", b"x", 1)
    heard = late.wait_for(lambda heard: any(h.topic == "test/end" for h in heard))
    late.close(forget=True)
    return {h.topic for h in heard if h.retain}


def live(directory: Path, url: str, name: str, prefix: str = "vigie", *, device: bool = False, will_delay_s: int = 0) -> None:
    """One run of a node: it tells a state about itself, is seen, and is stopped."""
    node = started(directory, url, name, prefix, device=device, will_delay_s=will_delay_s)
    node.stop()


def started(directory: Path, url: str, name: str, prefix: str = "vigie", *, device: bool = False, **pace: Any) -> UplinkNode:
    """The same, left running."""
    greeting = Publication(f"homeassistant/device/vigie/{name}/config", json.dumps({"device": name}).encode(), 1, True)
    announced = [greeting] if device else []
    node = UplinkNode(directory, url, name=name, prefix=prefix, remembers=True, greetings=lambda: announced, **pace)
    node.raise_state(1, name)
    node.start()
    wait_until(lambda: node.session.health().state == "online" and node.outbox.metrics().pending == 0)
    return node


@pytest.mark.parametrize(("name", "prefix"), [("pole-2", "vigie"), ("pole-1", "town"), ("pole-2", "town/cameras")])
def test_a_node_that_bears_another_name_leaves_nothing_under_the_old_one(tmp_path: Path, name: str, prefix: str) -> None:
    """Status, states and device of the old name are gone from the broker, and no state of the old name comes under the new."""
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Subscriber(broker.port)
        live(tmp_path / "n", broker.url, "pole-1", device=True)
        hub.wait_for(lambda heard: any(b'"offline"' in h.payload for h in heard))
        assert retained_topics(broker) >= {"vigie/pole-1/status", DEVICE}
        node = started(tmp_path / "n", broker.url, name, prefix)
        wait_until(lambda: not {t for t in retained_topics(broker) if t.startswith(("vigie/pole-1/", "homeassistant/"))})
        found = retained_topics(broker)
        node.stop()
        hub.close()
    assert f"{prefix}/{name}/status" in found
    if name != "pole-1":
        assert not {topic for topic in found if "&pole-1" in topic}


def test_what_waited_under_the_old_name_is_no_state_under_the_new(tmp_path: Path) -> None:
    """Raised while the line was down, sent after the renaming: the hub hears of it, and no broker keeps it."""
    node = UplinkNode(tmp_path / "n", "mqtt://127.0.0.1:1", name="pole-1", remembers=True)
    node.start()
    node.raise_state(1, "pole-1")
    wait_until(lambda: node.outbox.metrics().pending == 2)
    node.stop()
    with LocalBroker(tmp_path / "broker") as broker:
        hub = Subscriber(broker.port)
        node = started(tmp_path / "n", broker.url, "pole-2")
        hub.wait_for(lambda heard: any(h.topic.endswith("MotionAlarm/&pole-1") and not h.retain for h in heard))
        found = retained_topics(broker)
        node.stop()
        hub.close()
    assert not {topic for topic in found if topic.endswith("&pole-1")}
    assert any(topic.endswith("&pole-2") for topic in found)


def test_nothing_is_cleared_that_was_never_told(tmp_path: Path) -> None:
    """A node without Home Assistant sends nothing at all there, at whichever connect."""
    with HostileBroker() as broker:
        node = started(tmp_path / "n", broker.url, "pole-1")
        node.stop()
        assert not [taken for taken in broker.taken if taken.topic.startswith("homeassistant")]


def test_a_former_name_that_may_not_be_cleared_is_said_and_costs_nothing(tmp_path: Path) -> None:
    """The certificate is for the new name alone: health names the topic, alarms go on, and it is tried again after a while."""
    with HostileBroker() as broker:
        live(tmp_path / "n", broker.url, "pole-1")
        broker.temper = Temper(answer=lambda taken: 0x87 if taken.topic.startswith("vigie/pole-1/") else 0)
        node = started(tmp_path / "n", broker.url, "pole-2")
        node.raise_alarm(1)
        broker.wait_for(lambda taken: any(b'"Number":1}' in t.payload for t in taken))
        wait_until(lambda: "vigie/pole-1/status is refused" in node.session.health().reason)
        node.stop()
        broker.temper = Temper()
        again = started(tmp_path / "n", broker.url, "pole-2")
        broker.wait_for(lambda taken: any(t.topic == "vigie/pole-1/status" and not t.payload for t in taken))
        again.stop()


def test_a_will_that_comes_late_is_cleared_as_well(tmp_path: Path) -> None:
    """What was cleared before wills can have come is cleared once more; after that it is forgotten."""
    path = tmp_path / "retained.json"
    Retained(path, "pole-1", 0).tell("mqtt://hub", ["vigie/pole-1/status"])
    renamed = Retained(path, "pole-2", 7)
    root = NodeTopics("vigie", "pole-2").root
    assert renamed.stale("mqtt://hub", root, ()) == ["vigie/pole-1/status"]
    assert renamed.stale("mqtt://other", root, ()) == []
    renamed.forget("mqtt://hub", "vigie/pole-1/status")
    assert Retained(path, "pole-2", 9).stale("mqtt://hub", root, ()) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"node": 7}', b"\xff", b"[" * 5000, b'{"node":"a","since":0,"told":{"x":1}}']
)
def test_a_file_that_was_spoilt_keeps_nobody_from_the_broker(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in it, the node starts, and writes a good one."""
    path = tmp_path / "retained.json"
    path.write_bytes(content)
    Retained(path, "pole-1", 0).tell("mqtt://hub", ["a"])
    assert Retained(path, "pole-1", 0).stale("mqtt://hub", "vigie/pole-1", ()) == ["a"]
