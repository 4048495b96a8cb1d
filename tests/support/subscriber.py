"""A hub's ears of its own: a plain paho client, on paho's own thread, that writes down what reaches it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


@dataclass(frozen=True)
class Heard:
    """One message as it came."""

    topic: str
    payload: bytes
    retain: bool
    qos: int
    properties: dict[str, str]
    at_ns: int

    @property
    def event_id(self) -> str:
        return self.properties.get("event-id", "")

    @property
    def sequence(self) -> int:
        return int(self.properties["sequence"])


class Subscriber:
    """Subscribes to everything at QoS 1 with a session of its own, and reconnects by itself."""

    def __init__(self, port: int, name: str = "hub", topic: str = "#", tls: Callable[[mqtt.Client], None] | None = None) -> None:
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._topic = topic
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        if tls is not None:
            tls(self.client)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", port, keepalive=60, clean_start=False, properties=properties)
        self.client.loop_start()
        assert self._ready.wait(10), "the subscriber could not subscribe"

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        properties = dict(getattr(message.properties, "UserProperty", []))
        heard = Heard(message.topic, message.payload, message.retain, message.qos, properties, time.monotonic_ns())
        with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[list[Heard]], bool], timeout_s: float = 15) -> list[Heard]:
        """Everything heard so far, once `condition` holds of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.heard), timeout_s), (
                f"not heard in {timeout_s} s; heard {len(self.heard)}: {[h.topic for h in self.heard[-10:]]}"
            )
            return list(self.heard)

    def on(self, suffix: str) -> list[Heard]:
        """What came on topics that end so."""
        with self._changed:
            return [heard for heard in self.heard if heard.topic.endswith(suffix)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
