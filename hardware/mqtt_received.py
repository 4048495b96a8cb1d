"""What paho hands over, as the port's events."""

from __future__ import annotations

from paho.mqtt.client import ConnectFlags, MQTTMessage
from paho.mqtt.properties import Properties

from agent.ports.mqtt import Opened, Received


def granted_by(flags: ConnectFlags, properties: Properties | None) -> Opened:
    """What the broker grants; what it does not name has MQTT 5's own default."""
    return Opened(
        flags.session_present,
        getattr(properties, "ReceiveMaximum", 65_535),
        getattr(properties, "MaximumPacketSize", None),
        getattr(properties, "TopicAliasMaximum", 0),
        getattr(properties, "MaximumQoS", 2),
        bool(getattr(properties, "RetainAvailable", 1)),
        bool(getattr(properties, "WildcardSubscriptionAvailable", 1)),
        getattr(properties, "SessionExpiryInterval", None),
    )


def received(message: MQTTMessage) -> Received:
    """A message with its properties. Raises UnicodeDecodeError when its topic is no text."""
    properties = message.properties
    return Received(
        message.topic,
        bytes(message.payload),
        bool(message.retain),
        tuple((str(k), str(v)) for k, v in getattr(properties, "UserProperty", [])),
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )
