"""The configuration as the daemon holds it: frozen, complete, every unknown key refused.

Types, bounds, defaults and what a single value is checked by stand here, in the fields; what a value must be beside another
stands in `agent.config.rules`. `examples` of a required field is also what a check puts in its place, to look for further errors
behind it. A Config that anybody runs by comes out of `agent.config.load`; config.example.toml explains each field to people.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from agent.base.language import Language
from agent.config.address import check_listen_address, check_time_zone
from agent.config.driver_kinds import Driver
from agent.config.fields import BrokerUrl, CheckedPolygon, Prefix, Section, checked
from agent.config.looking_in import LiveSettings, OnvifSettings
from agent.config.nomadic import Nomad

DEFAULT_STATE_DIR: Final = Path("/var/lib/vigie")


class NodeSettings(Section, frozen=True, kw_only=True):
    """[node]"""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z", examples=["pole-17"])]
    site: str = ""
    role: Literal["fixed", "nomadic"] = "fixed"
    language: Language | None = None
    state_dir: Path = DEFAULT_STATE_DIR
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None


class CameraSettings(Section, frozen=True, kw_only=True):
    """[camera]"""

    driver: Annotated[Driver, Meta(examples=["synthetic"])]
    source: str = ""
    password_file: Path | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    ca_file: Path | None = None
    tls_fingerprint: Annotated[str, Meta(pattern=r"^(|[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31})\Z")] = ""
    width: Annotated[int, Meta(ge=64, le=7680, multiple_of=2)] = 1920
    height: Annotated[int, Meta(ge=64, le=4320, multiple_of=2)] = 1080
    fps: Annotated[float, Meta(gt=0, le=120)] = 25.0
    rotation: Literal[0, 180] = 0
    loop: bool = False
    realtime: bool = True
    seed: int = 1
    purpose: Literal["overview", "identification"] = "overview"
    exposure_max_us: Annotated[int, Meta(ge=100, le=1_000_000)] | None = None
    autofocus: Literal["off", "once", "continuous"] = "off"
    hdr: bool = False
    day_night: Literal["auto", "day", "night"] = "auto"
    distance_m: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    horizontal_view_degrees: Annotated[float, Meta(gt=0, lt=180)] | None = None


class Mask(Section, frozen=True, kw_only=True):
    """[[privacy.mask]]"""

    name: Annotated[str, Meta(min_length=1, max_length=80, examples=["window"])]
    polygon: CheckedPolygon


class Overlay(Section, frozen=True, kw_only=True):
    """[[privacy.overlay]]: what the camera lays on its picture, or what of itself it sees. It vouches for no view."""

    name: Annotated[str, Meta(min_length=1, max_length=80, examples=["clock"])]
    polygon: CheckedPolygon


class NoneNeeded(Section, frozen=True, kw_only=True):
    """[privacy.none_needed]: the signed statement that this view shows no private space."""

    by: Annotated[str, Meta(min_length=2, examples=["A. Martin"])]
    on: Annotated[date, Meta(examples=[date(2026, 11, 23)])]
    why: Annotated[str, Meta(min_length=10, examples=["the view shows a car park and a blind wall"])]


class Privacy(Section, frozen=True, kw_only=True):
    """[privacy]"""

    fill: Literal["solid", "mosaic", "blur"] = "solid"
    margin: Annotated[float, Meta(ge=0, le=0.2)] = 0.01
    mask: Annotated[tuple[Mask, ...], Meta(max_length=64)] = ()
    overlay: Annotated[tuple[Overlay, ...], Meta(max_length=64)] = ()
    none_needed: NoneNeeded | None = None


class Encoding(Section, frozen=True, kw_only=True):
    """[encoding]"""

    codec: Literal["h264"] = "h264"
    bitrate_kbps: Annotated[int, Meta(ge=50, le=100_000)] | None = None
    crf: Annotated[int, Meta(ge=10, le=45)] | None = None
    keyframe_seconds: Annotated[float, Meta(gt=0, le=10)] = 2.0
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = "superfast"
    caption: Literal["bottom", "top", "off"] = "bottom"
    time_zone: Annotated[str, checked(check_time_zone)] = "Europe/Paris"


class Recording(Section, frozen=True, kw_only=True):
    """[recording]"""

    directory: Path | None = None
    segment_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    retention_days: Annotated[float, Meta(ge=1, le=30)] = 14.0
    min_free_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 512

    @property
    def min_free_bytes(self) -> int:
        """A megabyte is a million bytes, here as on the disk's label."""
        return self.min_free_mb * 1_000_000


class Evidence(Section, frozen=True, kw_only=True):
    """[evidence]"""

    sign: bool = True
    identity_dir: Path | None = None


class Ignore(Section, frozen=True, kw_only=True):
    """[[motion.ignore]]"""

    polygon: CheckedPolygon


class Motion(Section, frozen=True, kw_only=True):
    """[motion]"""

    enabled: bool = True
    sensitivity: Annotated[float, Meta(ge=0, le=1)] = 0.5
    min_area: Annotated[float, Meta(gt=0, le=1)] = 0.002
    hold_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0
    ignore: Annotated[tuple[Ignore, ...], Meta(max_length=64)] = ()


class Tampering(Section, frozen=True, kw_only=True):
    """[tampering]"""

    enabled: bool = True
    hold_seconds: Annotated[float, Meta(ge=0, le=600)] = 5.0


class Mqtt(Section, frozen=True, kw_only=True):
    """[mqtt]"""

    url: BrokerUrl
    fallback_urls: Annotated[tuple[BrokerUrl, ...], Meta(max_length=8)] = ()
    prefix: Prefix = "vigie"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    health_seconds: Annotated[float, Meta(ge=1, le=3600)] | None = None
    keepalive_seconds: Annotated[int, Meta(ge=5, le=3600)] | None = None
    command_key_file: Path | None = None
    home_assistant: bool = False
    home_assistant_prefix: Prefix = "homeassistant"
    event_stills: bool = False


class ConsoleSettings(Section, frozen=True, kw_only=True):
    """[console]: the technician's local page."""

    enabled: bool = True
    host: Annotated[str, checked(check_listen_address)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080


class BoardLimits(Section, frozen=True, kw_only=True):
    """[board]: when the board's own health becomes an event."""

    temperature_critical_c: Annotated[float, Meta(ge=40, le=120)] = 80.0
    temperature_clear_c: Annotated[float, Meta(ge=30, le=115)] = 75.0


class Config(Section, frozen=True, kw_only=True):
    """A whole, valid configuration. Load one with `agent.config.load.load`, which also makes its paths absolute."""

    node: NodeSettings
    camera: CameraSettings
    privacy: Privacy = Privacy()
    encoding: Encoding = Encoding()
    recording: Recording = Recording()
    evidence: Evidence = Evidence()
    motion: Motion = Motion()
    tampering: Tampering = Tampering()
    mqtt: Mqtt | None = None
    console: ConsoleSettings = ConsoleSettings()
    board: BoardLimits = BoardLimits()
    live: LiveSettings = LiveSettings()
    nomad: Nomad = Nomad()
    onvif: OnvifSettings = OnvifSettings()

    @property
    def recordings_dir(self) -> Path:
        """Where segments go."""
        return self.recording.directory or self.node.state_dir / "recordings"

    @property
    def identity_dir(self) -> Path:
        """Where the node's key and chain lie."""
        return self.evidence.identity_dir or self.node.state_dir / "identity"
