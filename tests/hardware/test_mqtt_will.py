"""The will, as a subscriber gets it."""

from __future__ import annotations

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.demo.broker import LocalBroker
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, Opened, Publication
from hardware.mqtt_paho import PahoTransport
from tests.support.deadline import until
from tests.support.paho_loop import end_loop


def test_a_will_carries_all_that_a_message_does(tmp_path: Path) -> None:
    """Content type, user properties, expiry, answer topic and correlation: a hub parses it as any other message."""
    heard: list[mqtt.MQTTMessage] = []
    came, subscribed = threading.Event(), threading.Event()
    with LocalBroker(tmp_path) as broker:
        hub = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        hub.on_subscribe = lambda *_: subscribed.set()

        def keep(_client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
            heard.append(message)
            came.set()

        hub.on_message = keep
        hub.connect("127.0.0.1", broker.port)
        hub.subscribe("town/#", 1)
        hub.loop_start()
        assert subscribed.wait(60)
        will = Publication("town/a/status", b"{}", 1, False, (("node", "a"),), 600, "town/b", b"7", "application/json")
        transport = PahoTransport(BrokerCredentials())
        transport.open(BrokerEndpoint.of(broker.url), ConnectOptions("a", will, 0, 30, 0, 10))
        until(lambda: any(isinstance(event, Opened) for event in transport.wait(0.5)), "the node is in")
        transport.abort()
        assert came.wait(60)
        hub.disconnect()
        end_loop(hub)
    said = vars(heard[0].properties)
    assert (said["ContentType"], said["UserProperty"]) == ("application/json", [("node", "a")])
    assert (said["ResponseTopic"], said["CorrelationData"]) == ("town/b", b"7")
    assert 0 < said["MessageExpiryInterval"] <= 600
