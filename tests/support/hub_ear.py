"""A hub in one page, of none of our code: keeps a session, hears everything, and prints each message as a JSON line."""

from __future__ import annotations

import json
import ssl
import sys
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def say(**document: object) -> None:
    """One line."""
    print(json.dumps(document), flush=True)


def heard(_client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
    """As it came."""
    properties = dict(getattr(message.properties, "UserProperty", []))
    body = message.payload.decode("utf-8", "replace")
    say(topic=message.topic, properties=properties, retain=message.retain, body=body)


def main(host: str, port: str, ca: str, cert: str, key: str, name: str) -> None:
    """Until it is ended. What it says of the line: `in` at each connect, `out` whenever it was lost."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.tls_set(ca, cert, key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_connect = lambda c, *_: c.subscribe("vigie/#", qos=1)
    client.on_subscribe = lambda *_: say(line="in")
    client.on_disconnect = lambda *_: say(line="out")
    client.on_message = heard
    kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval = 3600
    client.connect(host, int(port), clean_start=False, properties=kept)
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
