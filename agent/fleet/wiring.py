"""The composition root of the hub's side: `vigie watch` and `vigie fleet` get their driver here."""

from __future__ import annotations

from collections.abc import Sequence

from agent.ports.mqtt import BrokerCredentials, MqttTransport, TransportEvent
from hardware.mqtt_loop import PahoLoop
from hardware.mqtt_paho import PahoTransport


def transport(credentials: BrokerCredentials) -> MqttTransport:
    """One MQTT connection with a loop of its own."""
    return PahoTransport(credentials)


class PahoSharedLoop:
    """`agent.fleet.fleet.SharedLoop`: every transport on one selector, connections opened by a few threads."""

    def __init__(self, credentials: BrokerCredentials, openers: int = 8) -> None:
        self._credentials = credentials
        self._loop = PahoLoop(openers)

    def transport(self) -> MqttTransport:
        """A connection on this loop."""
        return PahoTransport(self._credentials, self._loop)

    def turn(self, timeout_s: float) -> Sequence[tuple[MqttTransport, Sequence[TransportEvent]]]:
        """Wait for and do network work; who has something to tell, and what."""
        return [(transport, transport.collect()) for transport in self._loop.turn(timeout_s)]
