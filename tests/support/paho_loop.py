"""The end of a paho client's own thread, as a test's subscriber has one."""

from __future__ import annotations

import contextlib

from paho.mqtt.client import Client


def end_loop(client: Client) -> None:
    """Wait until it is over. A thread that ends by itself meanwhile makes paho join nothing, which is an AttributeError there."""
    with contextlib.suppress(AttributeError):
        client.loop_stop()
