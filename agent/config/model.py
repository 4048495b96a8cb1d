"""The configuration as the daemon holds it: frozen, complete, every unknown key refused.

Field descriptions are what `vigie check` and `config.example.toml` say; bounds are what the field may hold.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.config.polygon import check_polygon

# TOML knows arrays only, and strict mode would refuse one for a tuple and an integer for a fraction.
Corner = Annotated[tuple[Annotated[float, Field(strict=False)], Annotated[float, Field(strict=False)]], Field(strict=False)]
CheckedPolygon = Annotated[tuple[Corner, ...], Field(strict=False), AfterValidator(check_polygon)]


class Section(BaseModel):
    """Base of every table: frozen, no unknown keys, no silent conversion of a string to a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# TOML has no path type, and strict mode would refuse a string for one.
ConfigPath = Annotated[Path, Field(strict=False)]


class Node(Section):
    """[node]"""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    site: str = ""
    role: Literal["fixed", "nomadic"] = "fixed"
    state_dir: ConfigPath = Path("/var/lib/vigie")


class Camera(Section):
    """[camera]"""

    driver: Literal["picamera2", "v4l2", "rtsp", "file", "synthetic"]
    source: str = ""
    width: Annotated[int, Field(ge=64, le=7680, multiple_of=2)] = 1920
    height: Annotated[int, Field(ge=64, le=4320, multiple_of=2)] = 1080
    fps: Annotated[float, Field(gt=0, le=120, strict=False)] = 25.0
    rotation: Literal[0, 180] = 0
    loop: bool = False
    realtime: bool = True
    seed: int = 1
    purpose: Literal["overview", "identification"] = "overview"
    exposure_max_us: Annotated[int, Field(ge=100, le=1_000_000)] | None = None
    autofocus: Literal["off", "once", "continuous"] = "off"
    hdr: bool = False
    day_night: Literal["auto", "day", "night"] = "auto"
    distance_m: Annotated[float, Field(gt=0, strict=False)] | None = None
    horizontal_view_degrees: Annotated[float, Field(gt=0, lt=180, strict=False)] | None = None

    @model_validator(mode="after")
    def _source_where_needed(self) -> Self:
        if self.driver in ("rtsp", "file") and not self.source:
            wanted = "rtsp://user@host/path" if self.driver == "rtsp" else "the path of a film"
            raise ValueError(f"driver {self.driver!r} needs `source`: {wanted}")
        return self


class Mask(Section):
    """[[privacy.mask]]"""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    polygon: CheckedPolygon


class NoneNeeded(Section):
    """[privacy.none_needed]: the signed statement that this view shows no private space."""

    by: Annotated[str, Field(min_length=2)]
    on: date
    why: Annotated[str, Field(min_length=10)]


class Privacy(Section):
    """[privacy]"""

    fill: Literal["solid", "mosaic", "blur"] = "solid"
    margin: Annotated[float, Field(ge=0, le=0.2, strict=False)] = 0.01
    mask: tuple[Mask, ...] = Field(default=(), strict=False)
    none_needed: NoneNeeded | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [m.name for m in self.mask]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two masks are called {name!r}: give each its own name")
        if self.mask and self.none_needed:
            raise ValueError("there are masks and a statement that none is needed: keep one of the two")
        return self


class Encoding(Section):
    """[encoding]"""

    codec: Literal["h264"] = "h264"
    bitrate_kbps: Annotated[int, Field(ge=50, le=100_000)] | None = None
    crf: Annotated[int, Field(ge=10, le=45)] | None = None
    keyframe_seconds: Annotated[float, Field(gt=0, le=10, strict=False)] = 2.0
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = "superfast"
    caption: Literal["bottom", "top", "off"] = "bottom"
    time_zone: str = "Europe/Paris"

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if self.bitrate_kbps is not None and self.crf is not None:
            raise ValueError("bitrate_kbps and crf exclude each other: keep one")
        return self


class Recording(Section):
    """[recording]"""

    directory: ConfigPath | None = None
    segment_seconds: Annotated[float, Field(ge=1, le=3600, strict=False)] = 60.0
    retention_days: Annotated[float, Field(ge=1, le=30, strict=False)] = 14.0
    min_free_mb: Annotated[int, Field(ge=0)] = 512


class Evidence(Section):
    """[evidence]"""

    sign: bool = True
    identity_dir: ConfigPath | None = None


class Ignore(Section):
    """[[motion.ignore]]"""

    polygon: CheckedPolygon


class Motion(Section):
    """[motion]"""

    enabled: bool = True
    sensitivity: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.5
    min_area: Annotated[float, Field(gt=0, le=1, strict=False)] = 0.002
    hold_seconds: Annotated[float, Field(ge=0, le=600, strict=False)] = 5.0
    ignore: tuple[Ignore, ...] = Field(default=(), strict=False)


class Tampering(Section):
    """[tampering]"""

    enabled: bool = True
    hold_seconds: Annotated[float, Field(ge=0, le=600, strict=False)] = 5.0


class Mqtt(Section):
    """[mqtt]"""

    url: str
    fallback_urls: tuple[str, ...] = Field(default=(), strict=False)
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "vigie"
    username: str | None = None
    password_file: ConfigPath | None = None
    ca_file: ConfigPath | None = None
    cert_file: ConfigPath | None = None
    key_file: ConfigPath | None = None
    health_seconds: Annotated[float, Field(ge=1, le=3600, strict=False)] = 10.0
    command_key_file: ConfigPath | None = None
    home_assistant: bool = False
    event_stills: bool = False

    @field_validator("url")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        return check_broker_url(url)

    @field_validator("fallback_urls")
    @classmethod
    def _broker_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_broker_url(u) for u in urls)


def check_broker_url(url: str) -> str:
    """The URL itself, or ValueError with the remedy: a scheme Vigie speaks, a host, no secret inside."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts", "ws", "wss") or not parts.hostname:
        raise ValueError(f"{url!r} is no broker: write mqtt://host:1883 or mqtts://host:8883 (ws:// and wss:// also serve)")
    if parts.password:
        raise ValueError("a password does not belong in this file: put it in a file of its own and name it in `password_file`")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r}: {error}") from None
    if port == 0:
        raise ValueError(f"{url!r}: port 0 cannot be reached")
    return url


class Console(Section):
    """[console]: the technician's local page."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080


class Config(Section):
    """A whole, valid configuration."""

    node: Node
    camera: Camera
    privacy: Privacy = Privacy()
    encoding: Encoding = Encoding()
    recording: Recording = Recording()
    evidence: Evidence = Evidence()
    motion: Motion = Motion()
    tampering: Tampering = Tampering()
    mqtt: Mqtt | None = None
    console: Console = Console()

    @property
    def recordings_dir(self) -> Path:
        """Where segments go."""
        return self.recording.directory or self.node.state_dir / "recordings"

    @property
    def identity_dir(self) -> Path:
        """Where the node's key and chain lie."""
        return self.evidence.identity_dir or self.node.state_dir / "identity"
