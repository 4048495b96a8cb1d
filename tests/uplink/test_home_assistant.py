"""Home Assistant discovery: as its documentation asks, and each template says what a live message means."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from jsonschema import Draft202012Validator

from agent.commissioning.trial_topics import trials
from agent.node.wiring import TOPICS
from agent.uplink.home_assistant import discovery
from agent.uplink.topics import NodeTopics
from tests.support.independent_hub import Heard, Subscriber
from tests.support.town import running_town

# What https://www.home-assistant.io/integrations/mqtt/ (device discovery, binary_sensor, sensor) requires and allows of
# the options that are used here.
_SENSOR = {
    "required": ["platform", "unique_id", "state_topic"],
    "additionalProperties": False,
    "properties": {
        "platform": {"enum": ["binary_sensor", "sensor"]},
        "unique_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        "name": {"type": "string"},
        "state_topic": {"type": "string", "pattern": "^[^#+]+$"},
        "value_template": {"type": "string"},
        "device_class": {"enum": ["connectivity", "duration", "motion", "problem", "tamper", "temperature"]},
        "unit_of_measurement": {"type": "string"},
        "state_class": {"enum": ["measurement", "total", "total_increasing"]},
        "entity_category": {"const": "diagnostic"},
    },
    "if": {"properties": {"platform": {"const": "binary_sensor"}}},
    "then": {"properties": {"unit_of_measurement": False, "state_class": False}},
}
_SAYS = ("name", "manufacturer", "model", "serial_number", "suggested_area", "sw_version")
_DEVICE = {
    "required": ["device", "origin", "components"],
    "additionalProperties": False,
    "properties": {
        "device": {
            "required": ["identifiers"],
            "additionalProperties": False,
            "properties": {
                "identifiers": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                **{key: {"type": "string"} for key in _SAYS},
            },
        },
        "origin": {"required": ["name"], "properties": {"name": {"type": "string"}, "sw_version": {"type": "string"}}},
        "availability": {"type": "array", "items": {"required": ["topic"]}},
        "components": {"type": "object", "minProperties": 5, "additionalProperties": _SENSOR},
        "qos": {"enum": [0, 1, 2]},
    },
}


def document() -> dict[str, Any]:
    """What a node announces."""
    found = json.loads(discovery(NodeTopics("vigie", "pole-7"), "Place de la République").payload or b"")
    assert isinstance(found, dict)
    return found


def is_well(heard: list[Heard]) -> bool:
    """A health document of a camera that delivers, masked."""
    return any(h.topic.endswith("/health") and b'"delivering"' in h.payload and b'"masked"' in h.payload for h in heard)


def test_the_document_is_as_documented() -> None:
    """Required keys, known keys, unique ids without spaces, retained on the discovery topic."""
    assert [error.message for error in Draft202012Validator(_DEVICE).iter_errors(document())] == []
    sent = discovery(NodeTopics("vigie", "pole-7"))
    assert (sent.topic, sent.retain, sent.qos) == ("homeassistant/device/vigie/pole-7/config", True, 1)
    kinds = {component.get("device_class", key) for key, component in document()["components"].items()}
    assert kinds == {"connectivity", "duration", "motion", "problem", "tamper", "temperature", "disk"}


def test_what_the_doctor_tries_changes_no_state() -> None:
    """A standing alarm stays, a node that is there stays: Home Assistant ignores an empty text."""
    topics = NodeTopics("vigie", "pole-7")
    tried = {said.topic: json.loads(said.payload) for said in trials(topics, TOPICS, 0, None) if said.payload}
    jinja = Environment(undefined=StrictUndefined, autoescape=True)
    readers = [(reader["topic"], reader["value_template"]) for reader in document()["availability"]]
    readers += [(reader["state_topic"], reader["value_template"]) for reader in document()["components"].values()]
    assert {jinja.from_string(template).render(value_json=tried[topic]) for topic, template in readers} == {""}


def test_the_schema_can_fail() -> None:
    """A component without its id, an option that does not exist."""
    for change in ({"unique_id": None}, {"unit": "%"}):
        found = document()
        motion = {**found["components"]["motion"], **change}
        found["components"]["motion"] = {key: value for key, value in motion.items() if value is not None}
        assert not Draft202012Validator(_DEVICE).is_valid(found)


def test_a_node_is_withdrawn_once_the_option_is_gone(tmp_path: Path) -> None:
    """After a reload without the option nothing is retained for Home Assistant, and nothing of it disturbs the line."""
    topic = "homeassistant/device/vigie/pole-7/config"
    with running_town(tmp_path, "home_assistant = true") as town:
        town.hub.wait_for(lambda all_heard: any(h.topic == topic and h.payload for h in all_heard))
        text = town.node.config.read_text()
        town.node.config.write_text(text.replace("home_assistant = true", "home_assistant = false"))
        os.kill(town.pid, signal.SIGHUP)
        town.hub.wait_for(lambda all_heard: any(h.topic == topic and not h.payload for h in all_heard))
        late = Subscriber(int(town.node.broker_url.rpartition(":")[2]), "late", topic="homeassistant/#")
        late.client.publish("homeassistant/end", b"", 1)
        assert [h.topic for h in late.wait_for(lambda heard: any(h.topic == "homeassistant/end" for h in heard))] == [
            "homeassistant/end"
        ]
        late.close()
        assert town.health()["uplink"]["reason"] == ""


def test_templates_read_what_a_live_node_sends(tmp_path: Path) -> None:
    """With the option set, a node announces itself, and every topic it names is told, in words its template makes sense of."""
    with running_town(tmp_path, "home_assistant = true") as town:
        heard = town.hub.wait_for(lambda all_heard: any(h.topic.startswith("homeassistant/device/") for h in all_heard))
        announced = json.loads(next(h for h in heard if h.topic.startswith("homeassistant/")).payload)
        named = {component["state_topic"] for component in announced["components"].values()}
        town.hub.wait_for(lambda all_heard: named <= {h.topic for h in all_heard})
        latest = {h.topic: json.loads(h.payload) for h in town.hub.heard if h.payload and "still" not in h.topic}
        latest |= {h.topic: json.loads(h.payload) for h in town.hub.wait_for(is_well) if is_well([h])}
    jinja = Environment(undefined=StrictUndefined, autoescape=True)
    said = {
        key: jinja.from_string(component["value_template"]).render(value_json=latest[component["state_topic"]])
        for key, component in announced["components"].items()
    }
    assert said["camera"] == "ON"
    assert 0 <= float(said["disk"]) <= 100
    metrics = {"disk", "temperature", "certificate"}
    assert all(value in ("ON", "OFF") for key, value in said.items() if key not in metrics)
    assert (said["privacy_closed"], said["storage"]) == ("OFF", "OFF")
