"""What the agent asks of drivers. Everything in hardware/ implements one of these; nothing here imports a driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from agent.video.access_unit import AccessUnit, VideoFormat

if TYPE_CHECKING:
    from agent.video.frame import RawFrame
    from agent.video.privacy_mask import MaskedFrame


class Camera(Protocol):
    """A picture source. One thread (the capture thread) calls everything but `cancel`."""

    def open(self) -> None:
        """Start delivering. Raises CameraError with the remedy when the source is missing or refuses."""
        ...

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next picture, or None when none came within `timeout_s`.

        Raises CameraEnded at the end of a film without loop, CameraError when the source broke: close, wait, open again.
        """
        ...

    def close(self) -> None:
        """Stop and free everything; idempotent; returns within two seconds even when the hardware hangs."""
        ...

    def figures(self) -> Mapping[str, float | str]:
        """What the driver knows of itself, for health: exposure, gain, lux, focus, reconnects...; cheap, any thread."""
        ...


class Encoder(Protocol):
    """Turns masked pictures, and only masked pictures, into access units. One thread calls it."""

    def encode(self, frame: MaskedFrame) -> Sequence[AccessUnit]:
        """Hand over one picture; the units that became ready (none or several). The picture may be reused on return."""
        ...

    def flush(self) -> Sequence[AccessUnit]:
        """The units still inside; afterwards the encoder is closed."""
        ...

    def request_keyframe(self) -> None:
        """Make the next picture an IDR picture; any thread."""
        ...

    @property
    def format(self) -> VideoFormat:
        """Known from the first returned access unit on; EncoderError before."""
        ...


class Muxer(Protocol):
    """Turns access units into the boxes of one fragmented MP4. One thread calls it."""

    def write(self, unit: AccessUnit) -> None:
        """Append one access unit to the open fragment; the first must be a keyframe."""
        ...

    def end_fragment(self, next_dts_ns: int | None = None) -> int:
        """Close the open fragment and hand every byte of it to the sink; the bytes handed over so far.

        `next_dts_ns` is when the following unit decodes, where that is known: it ends the last sample exactly.
        """
        ...

    def close(self) -> int:
        """End the last fragment; the bytes handed over in all."""
        ...


class MuxerFactory(Protocol):
    """Makes the muxer of one segment. What opens, writes and syncs the file behind `sink` is the recorder's own."""

    def __call__(self, sink: Callable[[bytes], None], video: VideoFormat) -> Muxer: ...


class Signer(Protocol):
    """Holds the node's signing key: a file, a TPM or a secure element. The key itself never passes this port. Any thread."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA over P-256 with SHA-256 of `data`, in DER. Raises EvidenceError when the key cannot be used any more."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The same for data of which only the SHA-256 is at hand: a whole film."""
        ...

    @property
    def chain_pem(self) -> bytes:
        """Certificates that vouch for the key, leaf first, without the CA; a self-signed leaf stands alone."""
        ...


class ServiceManager(Protocol):
    """The supervisor's line to whoever started the daemon (systemd, or nobody)."""

    def ready(self) -> None:
        """Everything runs: the first masked frame is encoded."""
        ...

    def still_starting(self, seconds: float) -> None:
        """Not ready yet, and no hang: for so long at least, do not give up."""
        ...

    def alive(self) -> None:
        """Frames, masks and disk have progressed since the last call."""
        ...

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`."""
        ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    @property
    def watchdog_s(self) -> float | None:
        """How often at least `alive` is expected; None when nobody watches."""
        ...


class BoardFigures(Struct, frozen=True):
    """What the board says of itself; None where it cannot tell."""

    temperature_c: float | None = None
    throttled: bool | None = None
    undervoltage: bool | None = None
    load_1m: float | None = None
    rss_bytes: int | None = None
    uptime_s: float | None = None
    more: Mapping[str, float | str] = field(default_factory=dict)


class Board(Protocol):
    """Temperature, throttling, load: read on the health thread, within 50 ms."""

    def read(self) -> BoardFigures: ...


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


DEFAULT_BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""The schemes Vigie speaks to a broker, and the port each means when the URL names none."""


class BrokerEndpoint(Struct, frozen=True):
    """Where a broker listens. The server's name is always verified when `tls` is set."""

    url: str
    host: str
    port: int
    tls: bool
    websocket: bool
    path: str

    @classmethod
    def of(cls, url: str) -> BrokerEndpoint:
        """Take a URL that `config.model.check_broker_url` has let pass."""
        parts = urlsplit(url)
        port = parts.port or DEFAULT_BROKER_PORTS[parts.scheme]
        websocket = parts.scheme in ("ws", "wss")
        path = parts.path if websocket and parts.path else "/mqtt"
        return cls(url, parts.hostname or "", port, parts.scheme in ("mqtts", "wss"), websocket, path)


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


class Refused(Struct, frozen=True):
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
    """SUBACK: one reason code per filter; 0x80 and above are refusals."""

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


TransportEvent = Opened | Refused | Lost | Acknowledged | Subscribed | Received | Probed


class MqttTransport(Protocol):
    """One MQTT 5 connection at a time. One thread calls everything but `wake`; nothing raises for network reasons:

    every outcome comes back from `wait` as an event.
    """

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        """Begin to connect; returns at once. Opened or Refused follows. Drops whatever connection there was."""
        ...

    def publish(self, publication: Publication, tag: int) -> None:
        """Send; for QoS 1, Acknowledged with `tag` follows unless the connection is lost first."""
        ...

    def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1; Subscribed follows."""
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
