"""What the agent asks of an MQTT client library. Drivers in hardware/ implement it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from agent.config.address import DEFAULT_BROKER_PORTS
from agent.config.url_secret import random_starred


class Publication(Struct, frozen=True):
    """One MQTT message. `payload` None deletes a retained topic."""

    topic: str
    payload: bytes | None
    qos: int = 1
    retain: bool = False
    user_properties: tuple[tuple[str, str], ...] = ()
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    content_type: str | None = None


class BrokerEndpoint(Struct, frozen=True):
    """Where a broker listens. The server's name is always verified when `tls` is set.

    `url` is for people: a part of it that looks like a secret is starred.
    """

    url: str
    host: str
    port: int
    tls: bool
    websocket: bool
    path: str

    @classmethod
    def of(cls, url: str) -> BrokerEndpoint:
        """Take a URL that `agent.config.address.check_broker_url` has let pass."""
        parts = urlsplit(url)
        port = parts.port or DEFAULT_BROKER_PORTS[parts.scheme]
        websocket = parts.scheme in ("ws", "wss")
        path = parts.path if websocket and parts.path else "/mqtt"
        return cls(random_starred(url), parts.hostname or "", port, parts.scheme in ("mqtts", "wss"), websocket, path)


class BrokerCredentials(Struct, frozen=True):
    """What a client shows the broker: paths, read anew at every connect, so that a renewed certificate needs no restart."""

    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def stamp(self) -> tuple[int, ...]:
        """Changes when one of the files is replaced or rewritten; 0 stands for a missing one."""
        files = (self.password_file, self.ca_file, self.cert_file, self.key_file)
        return tuple(_changed_ns(path) for path in files if path is not None)


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class ConnectOptions(Struct, frozen=True):
    """The CONNECT packet of MQTT 5. A listener has no will; `clean_start` asks the broker to forget what it kept for us."""

    client_id: str
    will: Publication | None
    will_delay_s: int
    keepalive_s: int
    session_expiry_s: int
    receive_maximum: int
    clean_start: bool = False


class Opened(Struct, frozen=True):
    """CONNACK, accepted, with what the broker grants."""

    session_present: bool
    receive_maximum: int = 65_535
    maximum_packet_bytes: int | None = None
    topic_alias_maximum: int = 0
    maximum_qos: int = 2
    retain_available: bool = True
    wildcards_available: bool = True
    session_expiry_s: int | None = None
    """How long it keeps our session, where that is not what we asked for."""


class RefusedConnection(Struct, frozen=True):
    """No session came about. `code` is the CONNACK reason code, None when the network or TLS failed; `why` is in words."""

    code: int | None
    why: str


class Lost(Struct, frozen=True):
    """The session's connection is gone. `code` is the broker's DISCONNECT reason code, None when it just broke."""

    code: int | None
    why: str


class Acknowledged(Struct, frozen=True):
    """PUBACK for the publication that was handed over with `tag`; below 0x80 the broker has it."""

    tag: int
    code: int


class Subscribed(Struct, frozen=True):
    """SUBACK: one reason code per filter; 0x80 and above are refusals. One for all that was subscribed to at once."""

    codes: tuple[int, ...]


class Received(Struct, frozen=True):
    """A message for this client."""

    topic: str
    payload: bytes
    retain: bool = False
    user_properties: tuple[tuple[str, str], ...] = ()
    response_topic: str | None = None
    correlation_data: bytes | None = None


class Probed(Struct, frozen=True):
    """Whether a broker that is not in use could be reached."""

    endpoint: BrokerEndpoint
    reachable: bool


TransportEvent = Opened | RefusedConnection | Lost | Acknowledged | Subscribed | Received | Probed


class MqttTransport(Protocol):
    """One MQTT 5 connection at a time. One thread calls everything but `wake`; nothing raises for network reasons:

    every outcome comes back from `wait` as an event.
    """

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        """Begin to connect; returns at once. Opened or Refused follows. Drops whatever connection there was."""
        ...

    def publish(self, publication: Publication, tag: int) -> None:
        """Send; Acknowledged with `tag` follows unless the connection is lost first.

        For QoS 0 it follows once the broker has answered something that was sent later; with `tag` 0 it never does.
        """
        ...

    def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1; Subscribed follows, once every SUBSCRIBE that is out is answered."""
        ...

    def close(self, *, with_will: bool = False) -> None:
        """Disconnect, asking for the will or waiving it; no event follows. Idempotent."""
        ...

    def abort(self) -> None:
        """Drop the connection without a word, as a broken network would; no event follows."""
        ...

    def probe(self, endpoint: BrokerEndpoint) -> None:
        """See whether another broker can be reached, beside the current connection; Probed follows."""
        ...

    def wait(self, timeout_s: float) -> Sequence[TransportEvent]:
        """What happened; blocks up to `timeout_s` when nothing did, or until `wake`."""
        ...

    def wake(self) -> None:
        """Cut `wait` short; any thread."""
        ...
