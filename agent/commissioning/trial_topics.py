"""Every topic a node will use, each as a message that says nothing: what the doctor tries an access list with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from agent.base.clock import rfc3339
from agent.ports.event import Event
from agent.ports.mqtt import Publication
from agent.uplink.topics import NodeTopics

TRIAL: Final = ("trial", "true")
"""The user property that marks such a message: no event, no state, no place in the count."""

EVENTS: Final[Mapping[str, str]] = {
    "VideoSource/MotionAlarm": "node",
    "VideoSource/ImageTooDark/ImagingService": "node",
    "VideoSource/ImageTooBright/ImagingService": "node",
    "VideoSource/ImageTooBlurry/ImagingService": "node",
    "VideoSource/SignalLoss": "node",
    "VideoSource/GlobalSceneChange/ImagingService": "node",
    "VideoSource/vigie:PrivacyMask": "node",
    "VideoSource/vigie:PictureFrozen": "node",
    "RecordingConfig/vigie:PicturesLost": "node",
    "RecordingConfig/vigie:RecordingRefused": "node",
    "RecordingConfig/vigie:RetentionShortfall": "node",
    "RecordingConfig/vigie:RetentionTrouble": "node",
    "RecordingConfig/vigie:Bookmark": "node",
    "RecordingConfig/vigie:ExportRequested": "node",
    "vigie:Evidence/SigningFailure": "node",
    "vigie:Evidence/SignatureLost": "node",
    "Device/HardwareFailure/TemperatureCritical": "",
    "Device/HardwareFailure/StorageFailure": "recordings",
    "Device/HardwareFailure/vigie:Undervoltage": "board",
    "Device/HardwareFailure/vigie:RegisterFailure": "node",
    "Device/vigie:Throttled": "board",
    "Monitoring/vigie:OutboxEpoch": "trial",
    "Monitoring/vigie:EventsDropped": "trial/trial",
    "Monitoring/vigie:EventsSetAside": "",
}
"""Each event of docs/events.md, and what its source is made of."""


def trials(topics: NodeTopics, wall_ns: int, announcement: Publication | None) -> Iterator[Publication]:
    """At QoS 1 and never retained: a broker that keeps a state keeps it. `announcement` is said as it is, or not at all.

    Home Assistant would take an empty one for the end of the device.
    """
    for name in (topics.status, topics.health, topics.register):
        yield _said(name, b"{}")
    for topic, made_of in EVENTS.items():
        source = [topics.node_id if part == "node" else part for part in made_of.split("/") if part]
        named = {str(at): value for at, value in enumerate(source)}
        body = {"UtcTime": rfc3339(wall_ns), "Source": {}, "Data": {}}
        yield _said(topics.event(Event(topic, wall_ns, named)), json.dumps(body).encode())
    yield _said(topics.still("trial"), b"")
    yield _said(topics.answer("trial"), b"{}")
    if announcement is not None:
        yield _said(announcement.topic, announcement.payload or b"{}")


def _said(topic: str, payload: bytes) -> Publication:
    return Publication(topic, payload, 1, False, (TRIAL,), content_type="application/json")
