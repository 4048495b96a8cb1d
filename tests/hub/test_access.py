"""docs/hub as it stands, on a real mosquitto with real certificates: everybody does what is theirs, and nothing else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.demo.broker import LocalBroker, free_port
from tests.support.authority import Authority, Pair
from tests.support.footage import REPOSITORY
from tests.support.paho_loop import end_loop

HUB = REPOSITORY / "docs" / "hub"
NOT_AUTHORISED = 0x87


class TownBroker(LocalBroker):
    """mosquitto on the configuration we publish; only paths and the port are those of the test."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        directory.mkdir(parents=True)
        server = authority.issue("broker", server="127.0.0.1")
        self.tls_port = free_port()
        revoked = authority.revoke()
        text = (HUB / "mosquitto.conf").read_text()
        for published, ours in (
            ("/etc/mosquitto/vigie.acl", HUB / "hub.acl"),
            ("/etc/mosquitto/vigie/ca.pem", authority.ca),
            ("/etc/mosquitto/vigie/broker.pem", server.cert),
            ("/etc/mosquitto/vigie/broker.key", server.key),
            ("/etc/mosquitto/vigie/crl.pem", revoked),
            ("listener 8883", f"listener {self.tls_port} 127.0.0.1"),
            ("listener 8884", f"listener {free_port()}"),
        ):
            assert published in text
            text = text.replace(published, str(ours))
        kept = [line for line in text.splitlines() if not line.startswith(("persistence", "set_tcp_nodelay"))]
        super().__init__(directory, settings="\n".join(kept))


class Person:
    """A client with a certificate; every word it gets through or not is waited for."""

    def __init__(self, port: int, authority: Authority, pair: Pair, client_id: str = "whoever") -> None:
        self.heard: list[str] = []
        connected = threading.Event()
        self._acknowledged = threading.Event()
        self._code: Any = None
        self._changed = threading.Condition()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self.client.tls_set(str(authority.ca), str(pair.cert), str(pair.key), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_connect = lambda *_: connected.set()
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self._answer(codes[0])
        self.client.on_publish = lambda _c, _u, _m, code, _p: self._answer(code)
        self.client.on_message = self._on_message
        # A connection that breaks on a busy machine comes back to what it had subscribed to.
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        kept.SessionExpiryInterval = 300
        self.client.connect("127.0.0.1", port, clean_start=False, properties=kept)
        self.client.loop_start()
        assert connected.wait(10)

    def _answer(self, code: ReasonCode) -> None:
        self._code = code
        self._acknowledged.set()

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(message.topic)
            self._changed.notify_all()

    def may_write(self, topic: str) -> bool:
        """Whether the broker takes it."""
        self._acknowledged.clear()
        self.client.publish(topic, b"x", qos=1)
        assert self._acknowledged.wait(10)
        return bool(self._code.value != NOT_AUTHORISED)

    def listen(self, topic: str) -> None:
        """Subscribe; what arrives is in `heard`. mosquitto checks each message, not the filter."""
        self._acknowledged.clear()
        self.client.subscribe(topic, qos=1)
        assert self._acknowledged.wait(10)

    def hears(self, topic: str) -> bool:
        """Whether that message came; ask once another one that must come has come."""
        with self._changed:
            return topic in self.heard

    def wait_for(self, topic: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: topic in self.heard, 10), f"{topic} did not come"

    def close(self) -> None:
        self.client.disconnect()
        end_loop(self.client)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Person]]:
    """The hub, the police, two nodes; all claim one client id, and the broker gives each that of their certificate instead."""
    directory = tmp_path_factory.mktemp("hub")
    authority = Authority(directory / "authority")
    with TownBroker(directory / "broker", authority) as broker:
        names = ("hub", "police-1", "pole-17", "pole-18")
        found = {name: Person(broker.tls_port, authority, authority.issue(name)) for name in names}
        yield found
        for person in found.values():
            person.close()


def test_a_node_writes_below_its_own_prefix_alone(people: dict[str, Person]) -> None:
    """Its own topics, Home Assistant's word of it, and neither another's, nor commands, nor anything outside."""
    node = people["pole-17"]
    for mine in ("status", "health", "register", "onvif-ej/VideoSource/MotionAlarm/&front", "still/01ABC", "answer/hub/1"):
        assert node.may_write(f"vigie/pole-17/{mine}"), mine
    assert node.may_write("homeassistant/device/vigie/pole-17/config")
    for foreign in (
        "vigie/pole-18/status",
        "vigie/pole-18/onvif-ej/Device/X",
        "vigie/pole-17/command/reload",
        "vigie/pole-18/command/reload",
        "vigie/pole-17",
        "vigie/hub/status",
        "elsewhere",
        "homeassistant/device/vigie/pole-18/config",
        "simulation/pole-17/status",
    ):
        assert not node.may_write(foreign), foreign


def test_the_hub_hears_all_and_speaks_for_none(people: dict[str, Person]) -> None:
    """Every node's topics arrive; it may command, and not pretend to be a node."""
    hub = people["hub"]
    hub.listen("vigie/#")
    for name in ("pole-17", "pole-18"):
        assert people[name].may_write(f"vigie/{name}/health")
        hub.wait_for(f"vigie/{name}/health")
    assert hub.may_write("vigie/pole-17/command/ping")
    assert not hub.may_write("vigie/pole-17/status")
    assert not hub.may_write("vigie/pole-18/answer/police-1")


def test_a_node_hears_its_own_commands_alone(people: dict[str, Person]) -> None:
    """Whatever it subscribes to."""
    node, hub = people["pole-18"], people["hub"]
    node.listen("#")
    hub.may_write("vigie/pole-17/command/ping")
    people["pole-17"].may_write("vigie/pole-17/health")
    hub.may_write("vigie/pole-18/command/ping")
    node.wait_for("vigie/pole-18/command/ping")
    assert not node.hears("vigie/pole-17/command/ping")
    assert not node.hears("vigie/pole-17/health")


def test_the_police_hear_what_they_are_given(people: dict[str, Person]) -> None:
    """Events of their camera, no register, no other camera; they may ask for a bookmark and not for a reload."""
    police = people["police-1"]
    police.listen("vigie/#")
    for name in ("pole-18", "pole-17"):
        for topic in ("register", "health", "answer/hub/2", "onvif-ej/VideoSource/MotionAlarm/&front"):
            people[name].may_write(f"vigie/{name}/{topic}")
    police.wait_for("vigie/pole-17/onvif-ej/VideoSource/MotionAlarm/&front")
    assert all(topic.startswith(("vigie/pole-17/onvif-ej/", "vigie/pole-17/status")) for topic in police.heard), police.heard
    assert police.may_write("vigie/pole-17/command/bookmark")
    assert not police.may_write("vigie/pole-17/command/reload")
    assert not police.may_write("vigie/pole-18/command/bookmark")
    assert not police.may_write("vigie/pole-17/status")


def test_a_stranger_does_not_get_in(people: dict[str, Person], tmp_path: Path) -> None:
    """A certificate of another authority, though it says `hub`, ends at the handshake."""
    other = Authority(tmp_path / "other", "Somebody else")
    town = people["hub"].client
    pair = other.issue("hub")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set(cert_reqs=ssl.CERT_NONE, certfile=str(pair.cert), keyfile=str(pair.key))
    client.tls_insecure_set(True)
    lost = threading.Event()
    client.on_connect = lambda *_: pytest.fail("the stranger is in")
    client.on_disconnect = lambda *_: lost.set()
    try:
        client.connect("127.0.0.1", town.port)
    except OSError:
        return
    client.loop_start()
    assert lost.wait(10)
    end_loop(client)
