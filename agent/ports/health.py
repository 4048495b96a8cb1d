"""The health document of a node: one typed, published struct, whose parts the features fill.

Here belong the names that a hub reads, and which of them are told at once. Where a part comes from: its feature. When the
document is sent: `agent.uplink.health`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from agent.base.clock import ClockQuality
from agent.base.component import ComponentState
from agent.ports.health_part import Part
from agent.ports.nomad_health import NomadHealth

CameraState = Annotated[str, Meta(extra_json_schema={"enum": ["delivering", "silent", "frozen", "over", "closed"]})]
RecordingState = Annotated[str, Meta(extra_json_schema={"enum": ["recording", "waiting", "failing"]})]
"""Told for the published schema. A word that is not here is told all the same."""
NO_PICTURE: Final = "no picture yet"
"""Why the picture is covered while nothing has come from the camera."""
Seen = Literal["online", "connecting", "offline", "stopping"]
"""A session as health tells of it."""


class ClockHealth(Part, frozen=True, kw_only=True):
    """How far the node's times can be trusted; the offset is None while nothing measures it."""

    quality: ClockQuality
    offset_ms: float | None = None

    def states(self) -> tuple[object, ...]:
        return (self.quality,)


class CameraHealth(Part, frozen=True, kw_only=True):
    """The picture source, and in words why none comes. `state` is delivering, silent, frozen (the same frame for 30 s), over,
    or closed on purpose. `corrupt` counts frames that came damaged or rest on a damaged one, and were not shown. `metrics` is
    what the driver knows of itself."""

    driver: str
    fps: float = 0.0
    captured: int = 0
    dropped: int = 0
    spared: int = 0
    """Frames that were left out on purpose, for a battery's sake."""
    corrupt: int = 0
    last_frame_age_s: float | None = None
    state: CameraState
    reason: str = ""
    metrics: dict[str, float | str] = msgspec.field(default_factory=dict, name="figures")  # what hubs read it as

    def states(self) -> tuple[object, ...]:
        return self.state, self.reason


class ViewHealth(Part, frozen=True, kw_only=True):
    """Whether the camera still looks where its masks were drawn."""

    state: Literal["verified", "uncertain", "moved"]
    shift_px: float | None = None
    uncertainty_px: float | None = None

    def states(self) -> tuple[object, ...]:
        return (self.state,)


class PrivacyHealth(Part, frozen=True, kw_only=True):
    """Masked or opaque, and why; masked with a reason while the last masked frame is held. `held` counts such frames."""

    state: Literal["masked", "opaque"]
    reason: str = ""
    masks: int = 0
    mask_digest: str = ""
    held: int = 0
    view: ViewHealth

    def states(self) -> tuple[object, ...]:
        return (self.state, self.reason, self.mask_digest, *self.view.states())


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

    def states(self) -> tuple[object, ...]:
        return self.state, self.reason, self.shortfall > 0


class EvidenceHealth(Part, frozen=True, kw_only=True):
    """Signing of the recording and the live stream: signatures made and failed since the start, and why."""

    signing: bool = False
    signed: int = 0
    failures: int = 0
    trouble: str = ""

    def states(self) -> tuple[object, ...]:
        return (self.trouble,)


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
    classes: dict[str, int] = msgspec.field(default_factory=dict)
    """The last `class-sequence` of each class within the epoch."""

    def states(self) -> tuple[object, ...]:
        return (self.trouble,)


class BoardHealth(Part, frozen=True, kw_only=True):
    """The board; None where it cannot tell."""

    temperature_c: float | None = None
    throttled: bool | None = None
    undervoltage: bool | None = None
    load_1m: float | None = None
    rss_bytes: int | None = None
    more: dict[str, float | str] = msgspec.field(default_factory=dict)
    """What only some boards tell: model, memory, power, storage wear, what has been so since boot."""

    def states(self) -> tuple[object, ...]:
        return self.throttled, self.undervoltage


class UplinkHealth(Part, frozen=True, kw_only=True):
    """The line to the broker: which one, since when, and in plain words why not."""

    state: Seen = "offline"
    broker: str = ""
    reason: str = ""
    since: str | None = None
    reconnects: int = 0
    certificate_days: int | None = None
    """Until the node's certificate expires."""

    def states(self) -> tuple[object, ...]:
        return self.broker, self.reason


class LiveHealth(Part, frozen=True, kw_only=True):
    """Who looks in: how many, under how many leases, and how the push fares, in a word or a sentence."""

    viewers: int = 0
    leases: int = 0
    push: str = "off"
    low: bool = False
    """Whether the low stream is made, and how many of its pictures found no room."""
    low_dropped: int = 0
    refused: int = 0
    """How often somebody could not prove to hold a lease, since the start."""

    def states(self) -> tuple[object, ...]:
        return (self.push,)


class OnvifHealth(Part, frozen=True, kw_only=True):
    """ONVIF's door: off, how it fares in a word, or what is wrong in a sentence; the same of discovery. `pull_points` stand."""

    state: str = "off"
    discovery: str = "off"
    pull_points: int = 0

    def states(self) -> tuple[object, ...]:
        return self.state, self.discovery


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
    live: LiveHealth = LiveHealth()
    nomad: NomadHealth | None = None
    onvif: OnvifHealth = OnvifHealth()
    components: dict[str, ComponentState]

    def states(self) -> tuple[object, ...]:
        parts = (getattr(self, name) for name in self.__struct_fields__)
        own = (self.config_digest, self.config_trouble, tuple(sorted(self.components.items())))
        return (*own, *(state for part in parts if isinstance(part, Part) for state in part.states()))
