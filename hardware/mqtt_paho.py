"""MQTT 5 through paho-mqtt 2, driven by our own selector: no thread of paho's, one loop for one node or for thousands.

Connecting (names, TCP, TLS, WebSocket upgrade) blocks, so it happens on an opener thread; from then on only the loop's
thread touches a client. paho's callbacks only append to the transport's list of events.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.ports import (
    Acknowledged,
    BrokerCredentials,
    BrokerEndpoint,
    ConnectOptions,
    Lost,
    Opened,
    Probed,
    Publication,
    Received,
    Refused,
    Subscribed,
    TransportEvent,
)

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 8.0
MISC_EVERY_S = 4.0
ALIAS_MOST = 64
RECEIVED_MOST_BYTES = 256 * 1024
WITH_WILL = 0x04
FAILURE_FROM = 0x80


class PahoLoop:
    """The selector that all its transports share, and the threads that open connections for them. One thread turns it."""

    def __init__(self, openers: int = 1) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        self._attached: dict[int, PahoTransport] = {}
        self._done: deque[Callable[[], None]] = deque()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._openers = openers
        self._started = 0
        self._misc_at = 0.0
        self.stirred: dict[PahoTransport, None] = {}

    def turn(self, timeout_s: float) -> list[PahoTransport]:
        """Wait for and do network work; the transports that have something to tell (`PahoTransport.collect`)."""
        if self.stirred or self._done:
            timeout_s = 0.0
        for key, mask in self._selector.select(timeout_s):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_r, 4096)
            else:
                key.data.serve(mask)
        while self._done:
            self._done.popleft()()
        now = time.monotonic()
        if now >= self._misc_at:
            self._misc_at = now + MISC_EVERY_S
            for transport in list(self._attached.values()):
                transport.look_after()
        stirred, self.stirred = list(self.stirred), {}
        return stirred

    def wake(self) -> None:
        """Cut `turn` short; any thread."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake_w, b"!")

    def in_background(self, job: Callable[[], Callable[[], None]]) -> None:
        """Run `job` on an opener thread, and what it returns on the loop's thread."""

        def run() -> None:
            self._done.append(job())
            self.wake()

        self._jobs.put(run)
        if self._started < self._openers:
            self._started += 1
            threading.Thread(target=self._open_for_ever, name=f"mqtt-opener-{self._started}", daemon=True).start()

    def _open_for_ever(self) -> None:
        while True:
            self._jobs.get()()

    def attach(self, transport: PahoTransport, fd: int) -> None:
        """Listen on a connected socket."""
        self._attached[fd] = transport
        self._selector.register(fd, selectors.EVENT_READ, transport)

    def want_write(self, fd: int, *, wanted: bool) -> None:
        """Listen for room to write as well, or no more."""
        transport = self._attached.get(fd)
        if transport is not None:
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
            self._selector.modify(fd, mask, transport)

    def detach(self, fd: int) -> None:
        """Listen no more; idempotent."""
        if self._attached.pop(fd, None) is not None:
            self._selector.unregister(fd)


class PahoTransport:
    """`agent.ports.MqttTransport` on a loop of its own, or on one shared with other nodes."""

    def __init__(self, credentials: BrokerCredentials | None = None, loop: PahoLoop | None = None) -> None:
        self.loop = loop or PahoLoop()
        self._credentials = credentials or BrokerCredentials()
        self._events: list[TransportEvent] = []
        self._client: Client | None = None
        self._fd = -1
        self._writing = False
        self._attempt = 0
        self._opened = False
        self._tags: dict[int, int] = {}
        self._aliases: dict[str, int] = {}
        self._alias_most = 0

    # -- port ------------------------------------------------------------------------------------------------------

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        self.abort()
        attempt = self._attempt
        credentials = self._credentials

        def connect() -> Callable[[], None]:
            try:
                client = _client(endpoint, options, credentials)
                client.connect(
                    endpoint.host,
                    endpoint.port,
                    keepalive=options.keepalive_s,
                    clean_start=False,
                    properties=_connect_properties(options),
                )
            except (OSError, ValueError) as error:
                why = _network_fault(error, endpoint)
                return lambda: self._not_connected(attempt, why)
            return lambda: self._connected(attempt, client)

        self.loop.in_background(connect)

    def publish(self, publication: Publication, tag: int) -> None:
        if self._client is None:
            return
        properties = _properties(PacketTypes.PUBLISH)
        if publication.user_properties:
            properties.UserProperty = list(publication.user_properties)
        if publication.expiry_s is not None:
            properties.MessageExpiryInterval = publication.expiry_s
        if publication.response_topic is not None:
            properties.ResponseTopic = publication.response_topic
        if publication.correlation_data is not None:
            properties.CorrelationData = publication.correlation_data
        if publication.content_type is not None:
            properties.ContentType = publication.content_type
        topic = self._aliased(publication.topic, properties)
        info = self._client.publish(topic, publication.payload, publication.qos, publication.retain, properties)
        if publication.qos:
            self._tags[info.mid] = tag
        self._mind_writing()

    def subscribe(self, filters: Sequence[str]) -> None:
        if self._client is not None:
            self._client.subscribe([(topic, 1) for topic in filters])
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
        self._aliases.clear()

    def probe(self, endpoint: BrokerEndpoint) -> None:
        credentials = self._credentials

        def knock() -> Callable[[], None]:
            reachable = _reachable(endpoint, credentials)
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
            self._tell(Refused(None, why))

    def _connected(self, attempt: int, client: Client) -> None:
        if attempt != self._attempt:
            client._sock_close()
            return
        sock = client.socket()
        if sock is None:
            self._tell(Refused(None, "the broker closed the connection at once"))
            return
        self._client = client
        self._fd = sock.fileno()
        self.loop.attach(self, self._fd)
        fd = self._fd
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_close = lambda *_: self.loop.detach(fd)
        self.serve(selectors.EVENT_READ)

    def _silence(self, client: Client) -> None:
        client.on_connect = client.on_disconnect = client.on_publish = client.on_subscribe = client.on_message = None
        client.on_socket_close = None

    def _aliased(self, topic: str, properties: Properties) -> str:
        """Replace a topic the broker has heard before by its number, where the broker takes numbers."""
        alias = self._aliases.get(topic)
        if alias is not None:
            properties.TopicAlias = alias
            return ""
        if len(self._aliases) < self._alias_most:
            self._aliases[topic] = properties.TopicAlias = len(self._aliases) + 1
        return topic

    # -- paho's callbacks: they only enqueue -----------------------------------------------------------------------

    def _on_connect(self, client: Client, _: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.value >= FAILURE_FROM:
            self._tell(Refused(reason.value, str(reason)))
            return
        self._opened = True
        granted = _granted(flags, properties)
        keepalive_s = getattr(properties, "ServerKeepAlive", None)
        if keepalive_s is not None:
            client._keepalive = keepalive_s
        self._alias_most = min(granted.topic_alias_maximum, ALIAS_MOST)
        self._tell(granted)

    def _on_disconnect(
        self, _client: Client, _: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.loop.detach(self._fd)
        self._writing = False
        self._client = None
        code = reason.value if flags.is_disconnect_packet_from_server else None
        why = "the connection broke" if code is None else str(reason)
        self._tell(Lost(code, why) if self._opened else Refused(code, why))
        self._opened = False

    def _on_publish(self, _client: Client, _: Any, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        tag = self._tags.pop(mid, None)
        if tag is not None:
            self._tell(Acknowledged(tag, reason.value))

    def _on_subscribe(
        self, _client: Client, _: Any, _mid: int, reasons: Sequence[ReasonCode], _properties: Properties | None
    ) -> None:
        self._tell(Subscribed(tuple(reason.value for reason in reasons)))

    def _on_message(self, _client: Client, _: Any, message: MQTTMessage) -> None:
        properties = message.properties
        self._tell(
            Received(
                message.topic,
                bytes(message.payload),
                bool(message.retain),
                tuple((str(k), str(v)) for k, v in getattr(properties, "UserProperty", [])),
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
            )
        )


def _client(endpoint: BrokerEndpoint, options: ConnectOptions, credentials: BrokerCredentials) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        transport="websockets" if endpoint.websocket else "tcp",
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_inflight_messages_set(0)  # the session keeps the window
    if endpoint.websocket:
        client.ws_set_options(path=endpoint.path)
    if endpoint.tls:
        client.tls_set_context(tls_context(credentials))
    if credentials.username is not None:
        client.username_pw_set(credentials.username, _password(credentials))
    if options.will is not None:
        will = _properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = options.will_delay_s
        client.will_set(options.will.topic, options.will.payload, options.will.qos, options.will.retain, will)
    return client


def tls_context(credentials: BrokerCredentials) -> ssl.SSLContext:
    """TLS 1.2 or newer, the server's chain and name always verified. OSError or ValueError when a file does not serve."""
    context = ssl.create_default_context(cafile=None if credentials.ca_file is None else str(credentials.ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credentials.cert_file is not None:
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    return context


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]


def _password(credentials: BrokerCredentials) -> str | None:
    if credentials.password_file is None:
        return None
    text: str = credentials.password_file.read_text(encoding="utf-8")
    return text.rstrip("\r\n")


def _connect_properties(options: ConnectOptions) -> Properties:
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = options.session_expiry_s
    properties.ReceiveMaximum = options.receive_maximum
    properties.MaximumPacketSize = RECEIVED_MOST_BYTES
    return properties


def _granted(flags: ConnectFlags, properties: Properties | None) -> Opened:
    return Opened(
        flags.session_present,
        getattr(properties, "ReceiveMaximum", 65_535),
        getattr(properties, "MaximumPacketSize", None),
        getattr(properties, "TopicAliasMaximum", 0),
        getattr(properties, "MaximumQoS", 2),
        bool(getattr(properties, "RetainAvailable", 1)),
    )


def _reachable(endpoint: BrokerEndpoint, credentials: BrokerCredentials) -> bool:
    try:
        with socket.create_connection((endpoint.host, endpoint.port), CONNECT_TIMEOUT_S) as plain:
            if endpoint.tls:
                tls_context(credentials).wrap_socket(plain, server_hostname=endpoint.host).close()
    except (OSError, ValueError):
        return False
    return True


def _network_fault(error: Exception, endpoint: BrokerEndpoint) -> str:
    """Why no connection came about, for a person."""
    where = f"{endpoint.host}:{endpoint.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS with {where} failed: {error.reason or error}"
        case socket.gaierror():
            return f"the name {endpoint.host} cannot be resolved: {error.strerror}"
        case TimeoutError():
            return f"{where} does not answer"
        case FileNotFoundError():
            return f"{error.filename} is missing" if error.filename else f"a certificate file is missing: {error}"
        case ConnectionRefusedError():
            return f"nobody listens at {where}"
        case OSError():
            return f"{where}: {error.strerror or error}"
        case _:
            return f"{where}: {error}"
