"""The hub as a test plays it: its key, the tokens it signs, and requests that wait for their answer."""

from __future__ import annotations

import json
import threading
import uuid
from pathlib import Path
from typing import Any

import jwt
import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.base.clock import NS, Clock, SystemClock
from tests.support.paho_loop import end_loop


class HubKey:
    """Signs tokens; its public key lies in `path`."""

    def __init__(self, path: Path, *, edwards: bool = False, clock: Clock | None = None) -> None:
        self.path = path
        self.clock = clock or SystemClock()
        self.private: Any = ed25519.Ed25519PrivateKey.generate() if edwards else ec.generate_private_key(ec.SECP256R1())
        self.algorithm = "EdDSA" if edwards else "ES256"
        self.public_pem = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        path.write_bytes(self.public_pem)

    def claims(self, node: str = "pole-7", role: str = "supervisor", **other: Any) -> dict[str, Any]:
        """Good claims; an `other` that is None is left out."""
        now_s = self.clock.wall_ns() // NS
        found = {"aud": node, "sub": "M. Dupont", "role": role, "iat": now_s, "exp": now_s + 60, "jti": uuid.uuid4().hex}
        return {name: value for name, value in {**found, **other}.items() if value is not None}

    def token(self, node: str = "pole-7", role: str = "supervisor", **other: Any) -> str:
        """A token with these claims."""
        return jwt.encode(self.claims(node, role, **other), self.private, self.algorithm)


class Desk:
    """An operator's desk: asks a node by MQTT 5 request and response."""

    def __init__(self, port: int, node: str = "pole-7", prefix: str = "vigie") -> None:
        self.root = f"{prefix}/{node}"
        self._answers: dict[bytes, tuple[threading.Event, list[Any]]] = {}
        self._ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="desk", protocol=mqtt.MQTTv5)
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(f"{self.root}/answer/desk", qos=1)
        assert self._ready.wait(60)

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        asked = self._answers.get(vars(message.properties).get("CorrelationData", b""))
        if asked is not None:
            arrived, answers = asked
            answers.append(json.loads(message.payload))
            arrived.set()

    def send(self, verb: str, payload: bytes, response_topic: str | None = None) -> bytes:
        """Publish a request; its correlation data."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = response_topic or f"{self.root}/answer/desk"
        properties.CorrelationData = correlation = uuid.uuid4().bytes
        self._answers[correlation] = (threading.Event(), [])
        self.client.publish(f"{self.root}/command/{verb}", payload, qos=1, properties=properties)
        return correlation

    def answer(self, correlation: bytes, timeout_s: float = 15) -> dict[str, Any]:
        """The answer to that request."""
        arrived, answers = self._answers[correlation]
        assert arrived.wait(timeout_s), "no answer came"
        found = answers[0]
        assert isinstance(found, dict)
        return found

    def ask(self, verb: str, token: str, **arguments: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        names = {name.rstrip("_"): value for name, value in arguments.items()}
        return self.answer(self.send(verb, json.dumps({"token": token, **names}).encode()))

    def close(self) -> None:
        self.client.disconnect()
        end_loop(self.client)
