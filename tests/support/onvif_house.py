"""ONVIF's door on loopback with honest leases behind it, and a client that says no more than a test tells it to."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from agent.base.clock import SystemClock
from agent.base.errors import CameraError
from agent.base.topic import TRUTH, Topic
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.onvif.feature import OnvifFeature
from agent.picture.access_unit import VideoFormat
from agent.ports.event import Event, PropertyOperation
from agent.ports.live import Gate, Secret
from agent.stream.broadcast import Broadcast
from agent.stream.snapshot import Still
from tests.support.configuration import configured
from tests.support.deadline import until
from tests.support.small_gate import SmallGate

SPACES = {
    "device": "http://www.onvif.org/ver10/device/wsdl",
    "media": "http://www.onvif.org/ver10/media/wsdl",
    "media2": "http://www.onvif.org/ver20/media/wsdl",
    "event": "http://www.onvif.org/ver10/events/wsdl",
    "subscription": "http://docs.oasis-open.org/wsn/b-2",
}
MOTION = "VideoSource/MotionAlarm"
TOPICS = (
    Topic(MOTION, "Something moves.", {"State": TRUTH}, {"Source": "node"}),
    Topic("vigie:Evidence/SignatureLost", "Lost.", {"What": {"type": "string"}}, state=False),
)
FORMAT = VideoFormat("h264", 640, 360, 25.0, b"\0\0\0\1\x67\x4d\0\x1f\0\0\0\1\x68")
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"


@dataclass(frozen=True)
class SoapAnswer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def says(self, name: str) -> list[str]:
        """The text of every element of that name."""
        return [each.text or "" for each in ElementTree.fromstring(self.body).iter() if each.tag.rpartition("}")[2] == name]


class StillCamera:
    """Makes the same still at once, or none."""

    def __init__(self) -> None:
        self.asked = 0
        self.works = True

    def take_still(self, width: int, most_bytes: int) -> Still:
        """See StillSource."""
        self.asked += 1
        if not self.works:
            raise CameraError("no picture came within 5 s", remedy="health says what the camera does")
        return Still(b"\xff\xd8 a picture", "2026-12-01T00:00:00Z", False, "", "")


class OnvifHouse:
    """A door that listens. Use it in a `with`."""

    def __init__(self, directory: Path, gate: Gate | None = None, **tables: Mapping[str, Any]) -> None:
        self.clock = SystemClock()
        self.broadcast = Broadcast()
        self.broadcast.begin(lambda: FORMAT)
        self.gate = SmallGate(self.broadcast)
        self.camera = StillCamera()
        self.outbox = Outbox(OutboxStore(directory / "outbox.sqlite3", self.clock), self.clock)
        settings = {
            "node": {"id": "pole-7", "site": "place du <marché>"},
            "camera": {"driver": "synthetic", "width": 640, "height": 360},
            "live": {"enabled": True},
            **tables,
        }
        onvif = {"enabled": True, "port": 0, **tables.get("onvif", {})}
        config = configured({**settings, "onvif": onvif})
        self.feature = OnvifFeature(
            config, gate or self.gate, self.camera, self.outbox, lambda: TOPICS, self.clock, version="1.2.3"
        )
        self.secret = self.gate.open()

    @property
    def port(self) -> int:
        assert self.feature.parts is not None
        return self.feature.parts.door.port

    def __enter__(self) -> OnvifHouse:
        for component in self.feature.components():
            component.start()
        until(lambda: self.feature.health()["onvif"].state == "running" and self.port, "it listens")
        return self

    def __exit__(self, *error: object) -> None:
        for component in self.feature.components():
            component.stop()
        assert all(component.join(30) for component in self.feature.components())
        self.outbox._store.close()

    def raise_motion(self, state: bool) -> None:
        """As a detector does."""
        operation = PropertyOperation.CHANGED
        self.outbox.raise_event(Event(MOTION, self.clock.wall_ns(), {"Source": "pole-7"}, {"State": state}, operation))

    def post(self, body: bytes, headers: Mapping[str, str] | None = None, path: str = "/onvif/device_service") -> SoapAnswer:
        """One request, on a connection of its own."""
        return self.request("POST", path, body, headers)

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> SoapAnswer:
        """The same, of any kind."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, body, dict(headers or {}))
            answer = line.getresponse()
            return SoapAnswer(answer.status, answer.getheaders(), answer.read())
        finally:
            line.close()

    def ask(self, service: str, name: str, inner: str = "", *, token: str | None = None, at: str = "") -> SoapAnswer:
        """With a proof of the house's own lease, unless another header, or none (""), is given."""
        proof = username_token(self.secret) if token is None else token
        return self.post(soap(service, name, inner, proof), path=at or f"/onvif/{service}_service")

    def subscribe(self, inner: str = "", secret: Secret | None = None) -> str:
        """The path of a new pull point."""
        answer = self.ask("event", "CreatePullPointSubscription", inner, token=username_token(secret or self.secret))
        assert answer.status == 200, answer.text
        return re.sub(r"^http://[^/]+", "", answer.says("Address")[0])

    def pull(self, path: str, seconds: int = 0, most: int = 100) -> SoapAnswer:
        """What waits there, or comes in time."""
        inner = f"<e:Timeout>PT{seconds}S</e:Timeout><e:MessageLimit>{most}</e:MessageLimit>"
        return self.ask("event", "PullMessages", inner, at=path)


def soap(service: str, name: str, inner: str = "", header: str = "") -> bytes:
    """A request; `e:` is the namespace of its service."""
    return (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:e="{SPACES[service]}"><s:Header>{header}</s:Header>'
        f"<s:Body><e:{name}>{inner}</e:{name}></s:Body></s:Envelope>"
    ).encode()


def username_token(secret: Secret, *, off_s: float = 0.0, nonce: bytes = b"", password: str = "", name: str = "") -> str:
    """A proof of this lease, made `off_s` after now by the machine's clock."""
    nonce = nonce or os.urandom(16)
    created = (datetime.now(UTC) + timedelta(seconds=off_s)).isoformat().replace("+00:00", "Z")
    digest = hashlib.sha1(nonce + created.encode() + (password or secret.password).encode()).digest()
    return (
        f'<w:Security xmlns:w="{_WSSE}"><w:UsernameToken><w:Username>{name or secret.lease}</w:Username>'
        f'<w:Password Type="{_DIGEST}">{b64encode(digest).decode()}</w:Password><w:Nonce>{b64encode(nonce).decode()}</w:Nonce>'
        f'<u:Created xmlns:u="{_WSU}">{created}</u:Created></w:UsernameToken></w:Security>'
    )
