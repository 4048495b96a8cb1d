"""Home Assistant's MQTT discovery, as an option: one retained document that describes the node as a device.

It names topics that are sent anyway; nothing else goes out for it, and never a picture. Once the option is gone the topic is
cleared, as all that was told under another name (`retained`).

Home Assistant does not see user properties. Of a message that says nothing, as the doctor's trials do, a template makes an
empty text, and Home Assistant then leaves the state as it is.
"""

from __future__ import annotations

import json
from typing import Any, Final

from agent import __version__
from agent.ports.event import Event
from agent.ports.mqtt import Publication
from agent.uplink.topics import NodeTopics

# Names in Home Assistant, by the ONVIF topic that says so.
_TAMPERING: Final = {
    "VideoSource/GlobalSceneChange/ImagingService": "View changed",
    "VideoSource/ImageTooDark/ImagingService": "Too dark",
    "VideoSource/ImageTooBright/ImagingService": "Too bright",
    "VideoSource/ImageTooBlurry/ImagingService": "Too blurry",
}
_PROBLEMS: Final = {
    "signal_loss": ("Signal lost", "VideoSource/SignalLoss", "State"),
    "storage": ("Storage failure", "Device/HardwareFailure/StorageFailure", "Failed"),
    "signing": ("Not signed", "vigie:Evidence/SigningFailure", "Failed"),
    "shortfall": ("Retention falls short", "RecordingConfig/vigie:RetentionShortfall", "Short"),
}
_SOURCES: Final = {"Device/HardwareFailure/StorageFailure": "recordings"}
"""What an event is about where that is not the node."""
_DELIVERS: Final = "'ON' if value_json.camera.state == 'delivering' else 'OFF'"
_THERE: Final = "{{ '' if value_json.state is not defined else 'online' if value_json.state == 'online' else 'offline' }}"
_CLOSED: Final = "'ON' if value_json.privacy.state == 'opaque' else 'OFF'"
_ASTRAY: Final = "'OFF' if value_json.clock.quality == 'synchronised' else 'ON'"
_USED: Final = "(100 * (1 - value_json.disk.free_bytes / [value_json.disk.total_bytes, 1] | max)) | round(1)"


def discovery(topics: NodeTopics, site: str = "") -> Publication:
    """The device's document, retained on `<prefix>/device/vigie/<node>/config`."""
    node = topics.node_id
    document = {
        "device": {
            "identifiers": [f"vigie-{node}"],
            "name": f"{site} ({node})" if site else node,
            "manufacturer": "Vigie",
            "model": "Camera node",
            "serial_number": node,
            "sw_version": __version__,
            **({"suggested_area": site} if site else {}),
        },
        "origin": {"name": "Vigie", "sw_version": __version__},
        "availability": [{"topic": topics.status, "value_template": _THERE}],
        "components": _components(topics),
        "qos": 1,
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    return Publication(topics.announcement, body, 1, True, content_type="application/json")


def _components(topics: NodeTopics) -> dict[str, dict[str, Any]]:
    found = {
        "camera": _binary("Camera", "connectivity", topics.health, _healthy("camera", _DELIVERS)),
        "motion": _binary("Motion", "motion", _event(topics, "VideoSource/MotionAlarm"), _so("State")),
        "privacy_closed": _binary("Picture closed", "problem", topics.health, _healthy("privacy", _CLOSED)),
        "clock": _binary("Clock not set", "problem", topics.health, _healthy("clock", _ASTRAY)),
        "certificate": _figure(
            "Certificate good for", "d", topics.health, _healthy("uplink", "value_json.uplink.certificate_days"), "duration"
        ),
        "temperature": _figure(
            "Temperature", "°C", topics.health, _healthy("board", "value_json.board.temperature_c"), "temperature"
        ),
        "disk": _figure("Disk used", "%", topics.health, _healthy("disk", _USED)),
    }
    for topic, name in _TAMPERING.items():
        found[topic.split("/")[1].lower()] = _binary(name, "tamper", _event(topics, topic), _so("State"))
    for key, (name, topic, what) in _PROBLEMS.items():
        found[key] = _binary(name, "problem", _event(topics, topic, _SOURCES.get(topic)), _so(what))
    return {key: {"unique_id": f"vigie-{topics.node_id}-{key}", **component} for key, component in found.items()}


def _binary(name: str, device_class: str, topic: str, template: str) -> dict[str, Any]:
    return {
        "platform": "binary_sensor",
        "name": name,
        "device_class": device_class,
        "state_topic": topic,
        "value_template": template,
    }


def _figure(name: str, unit: str, topic: str, template: str, device_class: str | None = None) -> dict[str, Any]:
    found = {
        "platform": "sensor",
        "name": name,
        "unit_of_measurement": unit,
        "state_class": "measurement",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "value_template": template,
    }
    return found if device_class is None else {**found, "device_class": device_class}


def _healthy(part: str, expression: str) -> str:
    """Of a health document that has this part."""
    return f"{{{{ '' if value_json.{part} is not defined else {expression} }}}}"


def _so(name: str) -> str:
    """A state that is deleted is empty: unknown."""
    so = f"value_json.Data.{name}"
    return f"{{{{ 'None' if value_json is not defined else '' if {so} is not defined else 'ON' if {so} else 'OFF' }}}}"


def _event(topics: NodeTopics, topic: str, source: str | None = None) -> str:
    return topics.event(Event(topic, 0, {"Source": source or topics.node_id}))
