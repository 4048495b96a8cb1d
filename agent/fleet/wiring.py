"""The composition root of the hub's side: `vigie watch` and `vigie fleet` get their driver here."""

from __future__ import annotations

from agent.ports import BrokerCredentials, MqttTransport
from hardware.mqtt_paho import PahoTransport


def transport(credentials: BrokerCredentials) -> MqttTransport:
    """One MQTT connection with a loop of its own."""
    return PahoTransport(credentials)
