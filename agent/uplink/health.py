"""The health document of a node: what it holds, where its parts come from, and when it is sent."""

from __future__ import annotations

import numbers
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from agent.base.clock import NS, Clock, ClockQuality, rfc3339
from agent.base.component import Component, ComponentState
from agent.uplink.health_states import CameraState, RecordingState
from agent.uplink.phase import Seen


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part: frozen, its names are the outer surface."""


class ClockHealth(Part, frozen=True, kw_only=True):
    """How far the node's times can be trusted; the offset is None while nothing measures it."""

    quality: ClockQuality
    offset_ms: float | None = None


class CameraHealth(Part, frozen=True, kw_only=True):
    """The picture source, and in words why none comes. `state` is delivering, silent, frozen (the same picture for 30 s) or
    over. `corrupt` counts pictures that came damaged or rest on a damaged one, and were not shown. `figures` is what the driver
    knows of itself."""

    driver: str
    fps: float = 0.0
    captured: int = 0
    dropped: int = 0
    corrupt: int = 0
    last_frame_age_s: float | None = None
    state: CameraState
    reason: str = ""
    figures: dict[str, float | str] = msgspec.field(default_factory=dict)


class ViewHealth(Part, frozen=True, kw_only=True):
    """Whether the camera still looks where its masks were drawn."""

    state: Literal["verified", "uncertain", "moved"]
    shift_px: float | None = None
    uncertainty_px: float | None = None


class PrivacyHealth(Part, frozen=True, kw_only=True):
    """Masked or opaque, and why; masked with a reason while the last masked picture is held. `held` counts such pictures."""

    state: Literal["masked", "opaque"]
    reason: str = ""
    masks: int = 0
    mask_digest: str = ""
    held: int = 0
    view: ViewHealth


class RecordingHealth(Part, frozen=True, kw_only=True):
    """What is on disk, and in words why nothing more gets there. `oldest` and `newest` are RFC 3339; `shortfall` is in days,
    0 when retention is met."""

    state: RecordingState
    reason: str = ""
    oldest: str | None = None
    newest: str | None = None
    bytes: int = 0
    days: float = 0.0
    shortfall: float = 0.0
    holds: int = 0
    recorded: int = 0
    lost: int = 0
    """Pictures since the start: on their way to disk, and lost because the disk refused them."""


class EvidenceHealth(Part, frozen=True, kw_only=True):
    """Signing of the recording and the live stream: signatures made and failed since the start, and why."""

    signing: bool = False
    signed: int = 0
    failures: int = 0
    trouble: str = ""


class DiskHealth(Part, frozen=True, kw_only=True):
    """The file system that recordings lie on."""

    free_bytes: int
    total_bytes: int


class OutboxHealth(Part, frozen=True, kw_only=True):
    """What waits for the broker."""

    pending: int = 0
    oldest_age_s: float | None = None
    dropped: int = 0
    sequence: int = 0
    epoch: str = ""
    trouble: str = ""
    set_aside: int = 0
    """Of those that are pending, how many the broker does not take for now; `uplink.reason` says which, and why."""


class BoardHealth(Part, frozen=True, kw_only=True):
    """The board; None where it cannot tell."""

    temperature_c: float | None = None
    throttled: bool | None = None
    undervoltage: bool | None = None
    load_1m: float | None = None
    rss_bytes: int | None = None
    more: dict[str, float | str] = msgspec.field(default_factory=dict)
    """What only some boards tell: model, memory, power, storage wear, what has been so since boot."""


class UplinkHealth(Part, frozen=True, kw_only=True):
    """The line to the broker: which one, since when, and in plain words why not."""

    state: Seen = "offline"
    broker: str = ""
    reason: str = ""
    since: str | None = None
    reconnects: int = 0
    certificate_days: int | None = None
    """Until the node's certificate expires."""


class Health(Part, frozen=True, kw_only=True):
    """The whole document, as `health` carries it and `vigie status` shows it."""

    node: str
    at: str
    uptime_s: float
    version: str
    config_digest: str
    restart_needed: list[str] = msgspec.field(default_factory=list)
    """Keys of the configuration file that wait for a restart; the digest is that of what is in force."""
    config_trouble: str = ""
    """Why the last reload was refused: the former configuration is in force."""
    clock: ClockHealth
    camera: CameraHealth
    privacy: PrivacyHealth
    recording: RecordingHealth
    evidence: EvidenceHealth = EvidenceHealth()
    disk: DiskHealth
    outbox: OutboxHealth
    board: BoardHealth
    uplink: UplinkHealth = UplinkHealth()
    components: dict[str, ComponentState]

    def states(self) -> tuple[object, ...]:
        """What is sent at once when it changes."""
        return (
            self.config_digest,
            self.config_trouble,
            self.clock.quality,
            self.camera.state,
            self.camera.reason,
            self.privacy.state,
            self.privacy.reason,
            self.privacy.mask_digest,
            self.privacy.view.state,
            self.recording.state,
            self.recording.reason,
            self.evidence.trouble,
            self.recording.shortfall > 0,
            self.outbox.trouble,
            self.board.throttled,
            self.board.undervoltage,
            self.uplink.broker,
            self.uplink.reason,
            tuple(sorted(self.components.items())),
        )


@dataclass(frozen=True)
class HealthProviders:
    """Where each part comes from: cheap callables, called on the publisher's thread about once a second."""

    config_digest: Callable[[], str]
    restart_needed: Callable[[], list[str]] = field(default=list, kw_only=True)
    config_trouble: Callable[[], str] = field(default=str, kw_only=True)
    evidence: Callable[[], EvidenceHealth] = field(default=EvidenceHealth, kw_only=True)
    clock: Callable[[], ClockHealth]
    camera: Callable[[], CameraHealth]
    privacy: Callable[[], PrivacyHealth]
    recording: Callable[[], RecordingHealth]
    disk: Callable[[], DiskHealth]
    outbox: Callable[[], OutboxHealth]
    board: Callable[[], BoardHealth]
    uplink: Callable[[], UplinkHealth]
    components: Callable[[], Mapping[str, ComponentState]]


class HealthPublisher(Component):
    """Samples once a second, hands over every `interval_s` and at once when a state changed.

    `publish` gets each document to be sent and must not block: the session keeps the newest only.
    """

    critical = False
    sample_s = 1.0

    def __init__(
        self,
        node_id: str,
        version: str,
        clock: Clock,
        providers: HealthProviders,
        publish: Callable[[bytes], None],
        interval_s: float = 10.0,
    ) -> None:
        super().__init__("health", clock)
        self.node_id = node_id
        self.version = version
        self.interval_s = interval_s
        self._providers = providers
        self._publish = publish
        self._began_ns = clock.monotonic_ns()
        self._nudged = threading.Event()
        self._sent_ns: int | None = None
        self._sent_states: tuple[object, ...] = ()

    def sample(self) -> Health:
        """The document as of now; any thread."""
        get = self._providers
        sampled = Health(
            node=self.node_id,
            at=rfc3339(self.clock.wall_ns()),
            uptime_s=round((self.clock.monotonic_ns() - self._began_ns) / NS, 1),
            version=self.version,
            config_digest=get.config_digest(),
            restart_needed=get.restart_needed(),
            config_trouble=get.config_trouble(),
            clock=get.clock(),
            camera=get.camera(),
            privacy=get.privacy(),
            recording=get.recording(),
            evidence=get.evidence(),
            disk=get.disk(),
            outbox=get.outbox(),
            board=get.board(),
            uplink=get.uplink(),
            components=dict(get.components()),
        )
        return _as_published(sampled)

    def document(self) -> dict[str, Any]:
        """The same as plain data; any thread."""
        plain: dict[str, Any] = msgspec.to_builtins(self.sample())
        return plain

    def set_interval(self, seconds: float) -> None:
        """Send every so often from now on; any thread."""
        self.interval_s = seconds
        self._nudged.set()

    def work(self) -> None:
        while not self.stopping.is_set():
            self.turn()
            self.progressed()
            self.clock.wait(self._nudged, self.sample_s)
            self._nudged.clear()

    def wake(self) -> None:
        self._nudged.set()

    def turn(self) -> bool:
        """Sample, and hand the document over if it is due or says something new; whether it did."""
        health = self.sample()
        now_ns = self.clock.monotonic_ns()
        states = health.states()
        due = self._sent_ns is None or now_ns - self._sent_ns >= self.interval_s * NS
        if not due and states == self._sent_states:
            return False
        self._publish(msgspec.json.encode(health))
        self._sent_ns, self._sent_states = now_ns, states
        return True


def _as_published(health: Health) -> Health:
    """The same, with every figure of its field's type: a driver's whole number is written `2.0` where a float is published.

    A part that no conversion fits is an error here, rather than a document that its own schema refuses.
    """
    return msgspec.convert(msgspec.to_builtins(health, enc_hook=_plain), Health)


def _plain(value: object) -> object:
    """What came out of a computation with numpy, or out of a driver's own kind of text."""
    match value:
        case str():
            return str(value)
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
    raise NotImplementedError(type(value).__name__)  # as msgspec wants to be told that there is no such form
