"""MQTT 5 through paho-mqtt 2, driven by our own selector: no thread of paho's, one loop for one node or for thousands.

Connecting (names, TCP, TLS, WebSocket upgrade) blocks, so it happens on an opener thread; from then on only the loop's
thread touches a client. paho's callbacks only append to the transport's list of events.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.ports.mqtt import (
    Acknowledged,
    BrokerCredentials,
    BrokerEndpoint,
    ConnectOptions,
    Lost,
    Probed,
    Publication,
    RefusedConnection,
    Subscribed,
    TransportEvent,
)
from hardware.mqtt_aliases import TopicAliases
from hardware.mqtt_client import connected_client, is_reachable, publish_properties, why_unreachable
from hardware.mqtt_loop import PahoLoop
from hardware.mqtt_received import granted_by, received

log = logging.getLogger(__name__)

TOPIC_INVALID = 0x90
WITH_WILL = 0x04
FAILURE_FROM = 0x80
PROTOCOL_ERROR = 0x82


class PahoTransport:
    """`agent.ports.mqtt.MqttTransport` on a loop of its own, or on one shared with other nodes."""

    def __init__(self, credentials: BrokerCredentials | None = None, loop: PahoLoop | None = None) -> None:
        self.loop = loop or PahoLoop()
        self._credentials = credentials or BrokerCredentials()
        self._events: list[TransportEvent] = []
        self._client: Client | None = None
        self._fd = -1
        self._writing = False
        self._attempt = 0
        self._opened = False
        self._unproven = False
        self._other_kind = ""
        self._tags: dict[int, int] = {}
        self._subscribing: dict[int, tuple[int, ...]] = {}
        self._aliases = TopicAliases()

    # -- port ------------------------------------------------------------------------------------------------------

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        self.abort()
        attempt = self._attempt
        credentials = self._credentials
        self._unproven = endpoint.tls and credentials.cert_file is None
        self._other_kind = "" if endpoint.tls else ": does this port want TLS (mqtts://)?"

        def connect() -> Callable[[], None]:
            try:
                client = connected_client(endpoint, options, credentials)
            except (OSError, ValueError) as error:
                why = why_unreachable(error, endpoint)
                return lambda: self._not_connected(attempt, why)
            return lambda: self._connected(attempt, client)

        self.loop.in_background(connect)

    def publish(self, publication: Publication, tag: int) -> None:
        if self._client is None:
            return
        properties = publish_properties(publication)
        topic = self._aliases.name(publication.topic, properties)
        try:
            info = self._client.publish(topic, publication.payload, publication.qos, publication.retain, properties)
        except (ValueError, MQTTException) as error:
            log.error("a message to %r cannot be sent: %s", publication.topic, error)
            self._tell(Acknowledged(tag, TOPIC_INVALID))
            return
        if publication.qos:
            self._tags[info.mid] = tag
        elif tag:
            self._await_passage(publication.topic, tag)
        self._mind_writing()

    def _await_passage(self, topic: str, tag: int) -> None:
        """Nobody acknowledges QoS 0. A broker takes one packet after the other: its answer to a later one says that it read it.

        An UNSUBSCRIBE of what nobody subscribed to changes nothing, needs no permission, and bears a number.
        """
        if self._client is not None:
            _, mid = self._client.unsubscribe(topic)
            if mid is not None:
                self._tags[mid] = tag

    def subscribe(self, filters: Sequence[str]) -> None:
        if self._client is not None:
            _, mid = self._client.subscribe([(topic, 1) for topic in filters])
            if mid is not None:
                self._subscribing[mid] = ()
            self._mind_writing()

    def close(self, *, with_will: bool = False) -> None:
        client = self._client
        if client is not None:
            self._silence(client)
            reason = ReasonCode(PacketTypes.DISCONNECT, identifier=WITH_WILL) if with_will else None
            client.disconnect(reason)
            with contextlib.suppress(OSError, ValueError):
                client.loop_write()
        self.abort()

    def abort(self) -> None:
        self._attempt += 1
        self._events = []
        client, self._client = self._client, None
        self.loop.detach(self._fd)
        self._fd = -1
        self._writing = False
        self._opened = False
        if client is not None:
            self._silence(client)
            client._sock_close()
        self._tags.clear()
        self._subscribing.clear()
        self._aliases.clear()

    def probe(self, endpoint: BrokerEndpoint) -> None:
        credentials = self._credentials

        def knock() -> Callable[[], None]:
            reachable = is_reachable(endpoint, credentials)
            return lambda: self._tell(Probed(endpoint, reachable))

        self.loop.in_background(knock)

    def wait(self, timeout_s: float) -> Sequence[TransportEvent]:
        self.loop.turn(timeout_s)
        return self.collect()

    def wake(self) -> None:
        self.loop.wake()

    # -- the loop's side -------------------------------------------------------------------------------------------

    def collect(self) -> list[TransportEvent]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def serve(self, mask: int) -> None:
        """The socket is ready."""
        client = self._client
        if client is None:
            return
        if mask & selectors.EVENT_READ:
            client.loop_read()
            sock = client.socket()
            while sock is not None and getattr(sock, "pending", lambda: 0)() > 0:
                client.loop_read()
                sock = client.socket()
        if mask & selectors.EVENT_WRITE and self._client is client:
            client.loop_write()
        self._mind_writing()

    def look_after(self) -> None:
        """Keep-alive: paho pings, or finds out that nobody answers."""
        if self._client is not None:
            self._client.loop_misc()
            self._mind_writing()

    def _mind_writing(self) -> None:
        """Paho writes at once; only what the socket would not take waits for the selector."""
        wanted = self._client is not None and self._client.want_write()
        if wanted != self._writing:
            self._writing = wanted
            self.loop.want_write(self._fd, wanted=wanted)

    def _tell(self, event: TransportEvent) -> None:
        self._events.append(event)
        self.loop.stirred[self] = None

    def _not_connected(self, attempt: int, why: str) -> None:
        if attempt == self._attempt:
            self._tell(RefusedConnection(None, why))

    def _connected(self, attempt: int, client: Client) -> None:
        if attempt != self._attempt:
            client._sock_close()
            return
        sock = client.socket()
        if sock is None:
            self._tell(RefusedConnection(None, self._at_once()))
            return
        self._client = client
        self._fd = sock.fileno()
        self.loop.attach(self, self._fd)
        fd = self._fd
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_message = self._on_message
        client.on_socket_close = lambda *_: self.loop.detach(fd)
        self.serve(selectors.EVENT_READ)

    def _at_once(self) -> str:
        """In TLS 1.3 a broker that misses our certificate just leaves, after a handshake that went well."""
        question = ": does it want a client certificate?" if self._unproven else self._other_kind
        return f"the broker closed the connection at once{question}"

    def _silence(self, client: Client) -> None:
        client.on_connect = client.on_disconnect = client.on_publish = client.on_subscribe = client.on_message = None
        client.on_unsubscribe = None
        client.on_socket_close = None

    # -- paho's callbacks: they only enqueue -----------------------------------------------------------------------

    def _on_connect(self, client: Client, _: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.value >= FAILURE_FROM:
            self._tell(RefusedConnection(reason.value, str(reason)))
            client.on_disconnect = self._on_end_of_refused
            return
        self._opened = True
        granted = granted_by(flags, properties)
        keepalive_s = getattr(properties, "ServerKeepAlive", None)
        if keepalive_s is not None:
            client._keepalive = keepalive_s
            self.loop.look_after_every(keepalive_s / 4)
        self._aliases.grant(granted.topic_alias_maximum)
        self._tell(granted)

    def _on_end_of_refused(self, *_: Any) -> None:
        """The refusal was told already, with its reason."""
        self.loop.detach(self._fd)
        self._writing = False
        self._client = None

    def _on_disconnect(
        self, _client: Client, _: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.loop.detach(self._fd)
        self._writing = False
        self._client = None
        code = reason.value if flags.is_disconnect_packet_from_server else None
        if code is None and reason.value == PROTOCOL_ERROR:
            why = "the broker sent what cannot be read as MQTT 5"
            self._tell(Lost(None, why) if self._opened else RefusedConnection(None, f"{why}{self._other_kind}"))
        elif self._opened:
            self._tell(Lost(code, "the connection broke" if code is None else str(reason)))
        else:
            self._tell(RefusedConnection(code, self._at_once() if code is None else str(reason)))
        self._opened = False

    def _on_publish(self, _client: Client, _: Any, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        tag = self._tags.pop(mid, None)
        if tag is not None:
            self._tell(Acknowledged(tag, reason.value))

    def _on_unsubscribe(
        self, _client: Client, _: Any, mid: int, _reasons: Sequence[ReasonCode], _properties: Properties | None
    ) -> None:
        tag = self._tags.pop(mid, None)
        if tag is not None:
            self._tell(Acknowledged(tag, 0))

    def _on_subscribe(
        self, _client: Client, _: Any, mid: int, reasons: Sequence[ReasonCode], _properties: Properties | None
    ) -> None:
        self._subscribing[mid] = tuple(reason.value for reason in reasons)
        if all(self._subscribing.values()):
            codes = tuple(code for some in self._subscribing.values() for code in some)
            self._subscribing.clear()
            self._tell(Subscribed(codes))

    def _on_message(self, _client: Client, _: Any, message: MQTTMessage) -> None:
        try:
            self._tell(received(message))
        except UnicodeDecodeError:
            log.warning("a message on a topic that is no text is left out")
