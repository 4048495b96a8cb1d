"""The loop under the connections, by itself."""

from __future__ import annotations

import socket

from hardware.mqtt_loop import PahoLoop
from hardware.mqtt_paho import PahoTransport


def test_detaching_from_a_selector_that_is_closed_is_silent() -> None:
    """A client that is collected after its loop closes its socket too: no error from where nobody can catch it."""
    loop = PahoLoop()
    transport = PahoTransport(loop=loop)
    with socket.socket() as one:
        loop.attach(transport, one.fileno())
        loop._selector.close()
        loop.detach(one.fileno())
        loop.detach(one.fileno())
