"""A hub at the far end of a line: `python -m bench.mobile_ear HOST PORT` prints what it hears, with its number and its time."""

from __future__ import annotations

import re
import sys
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_NUMBER = re.compile(rb'"Number":(\d+)')


def _heard(_client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
    at_ns = time.monotonic_ns()
    found = _NUMBER.search(message.payload)
    number = -1 if found is None else int(found[1])
    print(message.topic, number, at_ns, flush=True)


def main(host: str, port: str) -> None:
    """Until killed."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ear", protocol=mqtt.MQTTv5)
    client.on_message = _heard
    client.on_subscribe = lambda *_: print("listening -1 0", flush=True)
    client.connect(host, int(port))
    client.subscribe("#", qos=1)
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
