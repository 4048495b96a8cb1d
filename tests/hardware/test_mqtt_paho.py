"""The driver against real brokers: TLS, names, passwords, WebSocket, and what it says when it cannot."""

from __future__ import annotations

import gc
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker, free_port
from agent.ports.mqtt import (
    Acknowledged,
    BrokerCredentials,
    BrokerEndpoint,
    ConnectOptions,
    Lost,
    Opened,
    Probed,
    Publication,
    Received,
    RefusedConnection,
    Subscribed,
    TransportEvent,
)
from hardware.mqtt_loop import PahoLoop
from hardware.mqtt_paho import PahoTransport
from tests.support.authority import Authority
from tests.support.broker import TlsBroker
from tests.support.deadline import until
from tests.support.independent_hub import Heard, Subscriber
from tests.support.parts import program

OPTIONS = ConnectOptions("client-1", Publication("will", b"gone", 1, retain=True), 0, 10, 60, 20)


class Ear:
    """A transport, and everything it has told."""

    def __init__(self, transport: PahoTransport) -> None:
        self.transport = transport
        self.heard: list[TransportEvent] = []

    def wait_for(
        self, kind: type | tuple[type, ...], timeout_s: float = 12, where: Callable[[TransportEvent], bool] = lambda _: True
    ) -> TransportEvent:
        """The first event of a kind, from those heard or yet to come."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for event in self.heard:
                if isinstance(event, kind) and where(event):
                    return event
            self.heard.extend(self.transport.wait(0.2))
        pytest.fail(f"no {kind} in {timeout_s} s, only {self.heard}")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A mosquitto on loopback."""
    settings = "allow_anonymous true\nmax_topic_alias 5\nmax_inflight_messages 100"
    with LocalBroker(tmp_path / "broker", settings=settings) as running:
        yield running


def open_to(url: str, credentials: BrokerCredentials | None = None, options: ConnectOptions = OPTIONS) -> Ear:
    """A transport on its way to a broker."""
    ear = Ear(PahoTransport(credentials))
    ear.transport.open(BrokerEndpoint.of(url), options)
    return ear


def test_opens_publishes_and_hears(broker: LocalBroker) -> None:
    """The grants of the broker come back, a QoS 1 message is acknowledged and arrives with all its properties."""
    ear = open_to(broker.url)
    opened = ear.wait_for(Opened)
    assert isinstance(opened, Opened)
    assert opened.receive_maximum == 100
    ear.transport.subscribe(["a/#"])
    assert ear.wait_for(Subscribed) == Subscribed((1,))
    publication = Publication(
        "a/b", b"hello", 1, False, (("event-id", "x"), ("sequence", "7")), 60, "answer/here", b"\x01\x02", "text/plain"
    )
    ear.transport.publish(publication, tag=41)
    assert ear.wait_for(Acknowledged) == Acknowledged(41, 0)
    received = ear.wait_for(Received)
    assert received == Received("a/b", b"hello", False, (("event-id", "x"), ("sequence", "7")), "answer/here", b"\x01\x02")
    ear.transport.close()


def test_topic_aliases_carry_the_same_topics(broker: LocalBroker) -> None:
    """More topics than the broker grants aliases, each many times: every message arrives under its own name."""
    hub = Subscriber(broker.port, topic="t/#")
    ear = open_to(broker.url)
    ear.wait_for(Opened)
    sent = [f"t/{n % 9}" for n in range(90)]
    for tag, topic in enumerate(sent):
        ear.transport.publish(Publication(topic, topic.encode()), tag)
    heard = hub.wait_for(lambda heard: len(heard) >= 90)
    hub.close()
    ear.transport.close()
    assert [h.topic for h in heard] == sent
    assert all(h.payload == h.topic.encode() for h in heard)


def test_nobody_subscribed_is_told_from_delivered(broker: LocalBroker) -> None:
    """The broker's reason code for an unheard message comes through."""
    ear = open_to(broker.url)
    ear.wait_for(Opened)
    ear.transport.publish(Publication("nobody/listens", b"x"), 1)
    assert ear.wait_for(Acknowledged) == Acknowledged(1, 0x10)
    ear.transport.close()


def _are(expected: int, heard: list[Heard]) -> bool:
    """Whether so many messages came, or more."""
    return len(heard) >= expected


def test_the_will_comes_when_asked_for_and_only_then(broker: LocalBroker) -> None:
    """A goodbye without the will leaves none; one with it, and a broken line, do."""
    hub = Subscriber(broker.port, topic="will")
    for leave, expected in (("close", 0), ("with_will", 1), ("abort", 2)):
        ear = open_to(broker.url)
        ear.wait_for(Opened)
        if leave == "abort":
            ear.transport.abort()
        else:
            ear.transport.close(with_will=leave == "with_will")
        if expected:
            hub.wait_for(partial(_are, expected))
        assert len(hub.heard) == expected
    hub.close()


def test_a_broker_that_dies_is_noticed(broker: LocalBroker) -> None:
    """The line breaks: one Lost, and nothing hangs."""
    ear = open_to(broker.url)
    ear.wait_for(Opened)
    broker.kill()
    assert ear.wait_for(Lost) == Lost(None, "the connection broke")
    ear.transport.publish(Publication("a", b"into the void"), 1)
    assert not [event for event in ear.transport.wait(0) if isinstance(event, Acknowledged)]


def test_the_brokers_reason_comes_through(tmp_path: Path) -> None:
    """A packet above the broker's limit ends the session: the reason code of its DISCONNECT says why."""
    with LocalBroker(tmp_path / "broker", settings="allow_anonymous true\nmax_packet_size 2000") as broker:
        ear = open_to(broker.url)
        opened = ear.wait_for(Opened)
        assert isinstance(opened, Opened)
        assert opened.maximum_packet_bytes == 2000
        ear.transport.publish(Publication("x", bytes(5000)), 1)
        lost = ear.wait_for(Lost)
        assert isinstance(lost, Lost)
        assert lost.code == 0x95


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://127.0.0.1:{free}", "nobody listens"),
        ("mqtt://no-such-host.invalid:1883", "cannot be resolved"),
    ],
)
def test_why_no_connection_came_about(url: str, words: str) -> None:
    """The reason is in words a technician understands."""
    refused = open_to(url.format(free=free_port())).wait_for(RefusedConnection)
    assert isinstance(refused, RefusedConnection)
    assert words in refused.why


def test_a_frozen_broker_does_not_freeze_the_loop(broker: LocalBroker) -> None:
    """The broker hangs: `wait` returns in time and the attempt can be given up."""
    broker.freeze()
    ear = open_to(broker.url)
    for _ in range(3):
        assert not [event for event in ear.transport.wait(0.1) if isinstance(event, Opened)]
    ear.transport.abort()
    broker.thaw()
    ear.transport.open(BrokerEndpoint.of(broker.url), OPTIONS)
    ear.wait_for(Opened)
    ear.transport.close()


def test_a_wrong_password_is_refused_and_the_right_one_read_anew(tmp_path: Path) -> None:
    """User and password file: the file is read at every connect, so correcting it needs no restart."""
    passwords = tmp_path / "passwd"
    passwords.touch()
    subprocess.run([program("mosquitto_passwd", "mosquitto"), "-b", str(passwords), "node", "right"], check=True)
    passwords.chmod(0o644)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    with LocalBroker(tmp_path / "broker", settings=f"allow_anonymous false\npassword_file {passwords}") as broker:
        credentials = BrokerCredentials(username="node", password_file=secret)
        ear = open_to(broker.url, credentials)
        refused = ear.wait_for(RefusedConnection)
        assert isinstance(refused, RefusedConnection)
        assert refused.code in (0x86, 0x87)
        secret.write_text("right\n")
        ear.transport.open(BrokerEndpoint.of(broker.url), OPTIONS)
        ear.wait_for(Opened)
        ear.transport.close()


def test_a_missing_password_file_is_named(broker: LocalBroker, tmp_path: Path) -> None:
    """The file that is missing stands in the reason."""
    refused = open_to(broker.url, BrokerCredentials("node", tmp_path / "gone")).wait_for(RefusedConnection)
    assert isinstance(refused, RefusedConnection)
    assert "gone is missing" in refused.why


def test_websocket(tmp_path: Path) -> None:
    """Where only HTTP gets out: the same session over WebSocket."""
    port = free_port()
    settings = f"allow_anonymous true\nlistener {port} 127.0.0.1\nprotocol websockets"
    with LocalBroker(tmp_path / "broker", settings=settings) as broker:
        hub = Subscriber(broker.port, topic="ws/#")
        ear = open_to(f"ws://127.0.0.1:{port}")
        ear.wait_for(Opened)
        ear.transport.publish(Publication("ws/x", b"y" * 5000), 3)
        assert ear.wait_for(Acknowledged) == Acknowledged(3, 0)
        hub.wait_for(lambda heard: len(heard) == 1)
        hub.close()
        ear.transport.close()


def test_tls_with_client_certificates(tmp_path: Path) -> None:
    """A node with a certificate of the town's authority gets in and is heard."""
    authority = Authority(tmp_path / "pki")
    node = authority.issue("pole-1")
    with TlsBroker(tmp_path / "broker", authority, authority.issue("broker", server="127.0.0.1")) as broker:
        hub = Subscriber(broker.port, topic="tls")
        ear = open_to(broker.tls_url, BrokerCredentials(ca_file=authority.ca, cert_file=node.cert, key_file=node.key))
        ear.wait_for(Opened)
        for tag in range(200):
            ear.transport.publish(Publication("tls", b"z" * 3000), tag)
        ear.wait_for(Acknowledged, where=lambda e: isinstance(e, Acknowledged) and e.tag == 199)
        hub.wait_for(lambda heard: len(heard) == 200)
        hub.close()
        ear.transport.close()


def test_what_is_wrong_with_tls_is_said_in_words(tmp_path: Path) -> None:
    """A port without TLS, a missing certificate and a file of ours are three things; the last one does not blame the broker."""
    authority = Authority(tmp_path / "pki")
    node, other, said = authority.issue("pole-1"), authority.issue("pole-2"), list[str]()
    with TlsBroker(tmp_path / "broker", authority, authority.issue("broker", server="127.0.0.1")) as broker:
        for url, credentials, words in (
            (f"mqtts://127.0.0.1:{broker.port}", BrokerCredentials(ca_file=authority.ca), "speak"),
            (broker.tls_url, BrokerCredentials(ca_file=authority.ca), "want a client certificate?"),
            (broker.tls_url, BrokerCredentials(cert_file=node.cert, key_file=other.key), "does not belong to cert_file"),
        ):
            refused = open_to(url, credentials).wait_for(RefusedConnection)
            assert isinstance(refused, RefusedConnection)
            assert words in refused.why
            said.append(refused.why)
    assert "127.0.0.1" not in said[-1]


def test_a_port_that_answers_in_clear_text_speaks_no_tls() -> None:
    """mqtts:// to a port of something else, in a technician's words."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ear = open_to(f"mqtts://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        refused = ear.wait_for(RefusedConnection)
        connection.close()
    assert isinstance(refused, RefusedConnection)
    assert refused.why.endswith("this port speaks no TLS")


def test_an_expired_certificate_is_refused_and_a_renewed_one_needs_no_restart(tmp_path: Path) -> None:
    """The same transport gets in as soon as the file on disk is renewed."""
    authority = Authority(tmp_path / "pki")
    node = authority.issue("pole-1", expired=True)
    with TlsBroker(tmp_path / "broker", authority, authority.issue("broker", server="127.0.0.1")) as broker:
        ear = open_to(broker.tls_url, BrokerCredentials(ca_file=authority.ca, cert_file=node.cert, key_file=node.key))
        refused = ear.wait_for(RefusedConnection)
        assert isinstance(refused, RefusedConnection)
        authority.issue("pole-1")
        ear.transport.open(BrokerEndpoint.of(broker.tls_url), OPTIONS)
        ear.wait_for(Opened)
        ear.transport.close()


@pytest.mark.parametrize(
    ("server", "expired", "foreign", "words"),
    [
        ("wrong.example", False, False, "not trusted"),
        ("127.0.0.1", True, False, "expired"),
        ("127.0.0.1", False, True, "not trusted"),
    ],
)
def test_a_broker_that_is_not_the_named_one_is_refused(
    tmp_path: Path, server: str, words: str, *, expired: bool, foreign: bool
) -> None:
    """Wrong name, expired, or another authority: no connection, and the reason said. Nothing switches this off."""
    authority = Authority(tmp_path / "pki")
    other = Authority(tmp_path / "other") if foreign else authority
    node = authority.issue("pole-1")
    with TlsBroker(tmp_path / "broker", other, other.issue("broker", server=server, expired=expired)) as broker:
        credentials = BrokerCredentials(ca_file=authority.ca, cert_file=node.cert, key_file=node.key)
        ear = open_to(broker.tls_url, credentials)
        refused = ear.wait_for(RefusedConnection)
        assert isinstance(refused, RefusedConnection)
        assert words in refused.why
        ear.transport.probe(BrokerEndpoint.of(broker.tls_url))
        assert ear.wait_for(Probed) == Probed(BrokerEndpoint.of(broker.tls_url), reachable=False)


def test_probe_sees_what_is_there(broker: LocalBroker) -> None:
    """A listening broker is reachable, a dead one is not, and the connection in use does not notice."""
    ear = open_to(broker.url)
    ear.wait_for(Opened)
    ear.transport.probe(BrokerEndpoint.of(broker.url))
    assert ear.wait_for(Probed) == Probed(BrokerEndpoint.of(broker.url), reachable=True)
    dead = BrokerEndpoint.of(f"mqtt://127.0.0.1:{free_port()}")
    ear.transport.probe(dead)
    ear.wait_for(Probed, where=lambda event: event == Probed(dead, reachable=False))
    ear.transport.close()


@pytest.mark.parametrize("topic", ["a/#", "a/+", "x" * 70_000])
def test_what_mqtt_cannot_carry_is_refused_not_fatal(broker: LocalBroker, topic: str) -> None:
    """A topic no broker takes comes back as a refusal for good, and the connection goes on."""
    ear = open_to(broker.url)
    ear.wait_for(Opened)
    ear.transport.publish(Publication(topic, b"x"), 5)
    ear.transport.publish(Publication("fine", b"x"), 6)
    assert ear.wait_for(Acknowledged, where=lambda e: isinstance(e, Acknowledged) and e.tag == 5) == Acknowledged(5, 0x90)
    ear.wait_for(Acknowledged, where=lambda e: isinstance(e, Acknowledged) and e.tag == 6)
    ear.transport.close()


CONNACK = bytes([0x20, 3, 0, 0, 0])
PUBLISH = bytes([0x32, 12, 0, 3]) + b"a/b" + bytes([0, 1, 0]) + b"hi!!"
DICE = random.Random(11)


def hostile() -> bytes:
    """A CONNACK and then packets that are altered, cut short, or no packets at all."""
    packets = [CONNACK]
    for _ in range(DICE.randint(1, 6)):
        packet = bytearray(DICE.choice([CONNACK, PUBLISH, PUBLISH, bytes([0xE0, 2, 0x8B, 0]), DICE.randbytes(12)]))
        for _ in range(DICE.randint(0, 3)):
            packet[DICE.randrange(len(packet))] = DICE.randrange(256)
        packets.append(bytes(packet[: DICE.randint(1, len(packet))]))
    return b"".join(packets)


def test_no_broker_can_bring_the_loop_down() -> None:
    """Two hundred brokers that answer nonsense: each attempt ends as an event, never as an exception."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        ear = Ear(PahoTransport())
        for _ in range(200):
            ear.heard.clear()
            ear.transport.open(BrokerEndpoint.of(url), OPTIONS)
            connection, _ = server.accept()
            connection.sendall(hostile())
            connection.shutdown(socket.SHUT_WR)
            ear.wait_for((RefusedConnection, Lost))
            connection.close()
        ear.transport.abort()


def test_many_transports_share_one_loop(broker: LocalBroker) -> None:
    """Fifty connections on one selector: all open, and each hears of its own acknowledgement."""
    loop = PahoLoop(openers=4)
    transports = {PahoTransport(loop=loop): n for n in range(50)}
    for transport, n in transports.items():
        options = ConnectOptions(f"c{n}", None, 0, 10, 0, 20)
        transport.open(BrokerEndpoint.of(broker.url), options)
    heard: dict[int, list[TransportEvent]] = {n: [] for n in range(50)}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not all(any(isinstance(e, Acknowledged) for e in es) for es in heard.values()):
        for transport in loop.turn(0.2):
            for event in transport.collect():
                heard[transports[transport]].append(event)
                if isinstance(event, Opened):
                    transport.publish(Publication("x", b"y"), 1000 + transports[transport])
    for n, events in heard.items():
        assert Acknowledged(1000 + n, 0x10) in events
    for transport in transports:
        transport.close()


def test_a_transport_that_is_let_go_leaves_nothing_open(broker: LocalBroker) -> None:
    """Every reload of the broker's settings makes a new transport: descriptors and threads of the old ones are given back."""

    def life() -> None:
        ear = open_to(broker.url)
        ear.wait_for(Opened)
        ear.transport.close()

    def open_now() -> tuple[int, int]:
        gc.collect()
        openers = [thread for thread in threading.enumerate() if thread.name.startswith("mqtt-opener")]
        return len(list(Path("/proc/self/fd").iterdir())), len(openers)

    life()
    before = open_now()
    for _ in range(5):
        life()
    until(lambda: open_now() <= before, "all of it is given back")
