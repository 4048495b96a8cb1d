"""The configuration as the daemon holds it: frozen, complete, every unknown key refused.

Types and bounds stand here, in the fields; what a value must be beside another stands in the validators, which raise
Misfit. `examples` of a required field is also what a check puts in its place to look for further errors behind it.
config.example.toml explains every field to the person who edits it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.config.address import check_broker_url, check_camera_source, check_listen_address, check_time_zone, is_tls
from agent.config.misfit import Misfit
from agent.config.polygon import check_corner, check_polygon

# TOML knows arrays only, and strict mode would refuse one for a tuple. Corners are checked one by one, so that each wrong
# one is told.
Corner = Annotated[tuple[float, float], Field(strict=False), AfterValidator(check_corner)]
CheckedPolygon = Annotated[tuple[Corner, ...], Field(strict=False), AfterValidator(check_polygon)]

# TOML has no path type, and strict mode would refuse a string for one.
ConfigPath = Annotated[Path, Field(strict=False)]

BrokerUrl = Annotated[str, AfterValidator(check_broker_url)]

# H.264 level 5.2 (ITU-T H.264, table A-1): the most that players and hardware decoders are sure to take.
MOST_MACROBLOCKS = 36_864
MOST_MACROBLOCKS_PER_S = 2_073_600


class Section(BaseModel):
    """Base of every table: frozen, no unknown keys, no silent conversion of a string to a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Node(Section):
    """[node]"""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", examples=["pole-17"])]
    site: str = ""
    role: Literal["fixed", "nomadic"] = "fixed"
    state_dir: ConfigPath = Path("/var/lib/vigie")
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _whole_position(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            given, missing = ("latitude", "longitude") if self.longitude is None else ("longitude", "latitude")
            raise Misfit(
                f"{given} stands without {missing}",
                at=(given,),
                beside=[(missing,)],
                remedy=f"add {missing}, or remove {given}",
            )
        return self


class Camera(Section):
    """[camera]"""

    driver: Annotated[Literal["picamera2", "v4l2", "rtsp", "file", "synthetic"], Field(examples=["synthetic"])]
    source: str = ""
    password_file: ConfigPath | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    width: Annotated[int, Field(ge=64, le=7680, multiple_of=2)] = 1920
    height: Annotated[int, Field(ge=64, le=4320, multiple_of=2)] = 1080
    fps: Annotated[float, Field(gt=0, le=120)] = 25.0
    rotation: Literal[0, 180] = 0
    loop: bool = False
    realtime: bool = True
    seed: int = 1
    purpose: Literal["overview", "identification"] = "overview"
    exposure_max_us: Annotated[int, Field(ge=100, le=1_000_000)] | None = None
    autofocus: Literal["off", "once", "continuous"] = "off"
    hdr: bool = False
    day_night: Literal["auto", "day", "night"] = "auto"
    distance_m: Annotated[float, Field(gt=0, le=10_000)] | None = None
    horizontal_view_degrees: Annotated[float, Field(gt=0, lt=180)] | None = None

    @model_validator(mode="after")
    def _source_fits_driver(self) -> Self:
        check_camera_source(self.driver, self.source)
        if self.password_file is not None and self.driver != "rtsp":
            raise Misfit(
                f"driver {self.driver!r} has no password",
                at=("password_file",),
                beside=[("driver",)],
                remedy="remove password_file",
            )
        return self

    @model_validator(mode="after")
    def _exposure_fits_rate(self) -> Self:
        if self.exposure_max_us is not None and self.exposure_max_us > 1_000_000 / self.fps:
            raise Misfit(
                f"an exposure of {self.exposure_max_us} µs is longer than a picture at {self.fps:g} per second lasts",
                at=("exposure_max_us",),
                beside=[("fps",)],
                remedy=f"write at most {int(1_000_000 / self.fps)}, or lower fps",
            )
        return self


class Mask(Section):
    """[[privacy.mask]]"""

    name: Annotated[str, Field(min_length=1, max_length=80, examples=["window"])]
    polygon: Annotated[CheckedPolygon, Field(examples=[[[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]])]


class NoneNeeded(Section):
    """[privacy.none_needed]: the signed statement that this view shows no private space."""

    by: Annotated[str, Field(min_length=2, examples=["A. Martin"])]
    on: Annotated[date, Field(examples=[date(2026, 11, 23)])]
    why: Annotated[str, Field(min_length=10, examples=["the view shows a car park and a blind wall"])]


class Privacy(Section):
    """[privacy]"""

    fill: Literal["solid", "mosaic", "blur"] = "solid"
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.01
    mask: Annotated[tuple[Mask, ...], Field(strict=False, max_length=64)] = ()
    none_needed: NoneNeeded | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: dict[str, int] = {}
        for index, mask in enumerate(self.mask):
            if mask.name in seen:
                raise Misfit(
                    f"two masks are called {mask.name!r}",
                    at=("mask", index, "name"),
                    beside=[("mask", seen[mask.name], "name")],
                    remedy="give each its own name",
                )
            seen[mask.name] = index
        return self

    @model_validator(mode="after")
    def _masks_or_statement(self) -> Self:
        if self.mask and self.none_needed:
            raise Misfit(
                "there are masks, and a statement that none is needed",
                at=("none_needed",),
                beside=[("mask",)],
                remedy="keep one of the two: remove [privacy.none_needed], or every [[privacy.mask]]",
            )
        return self


class Encoding(Section):
    """[encoding]"""

    codec: Literal["h264"] = "h264"
    bitrate_kbps: Annotated[int, Field(ge=50, le=100_000)] | None = None
    crf: Annotated[int, Field(ge=10, le=45)] | None = None
    keyframe_seconds: Annotated[float, Field(gt=0, le=10)] = 2.0
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = "superfast"
    caption: Literal["bottom", "top", "off"] = "bottom"
    time_zone: Annotated[str, AfterValidator(check_time_zone)] = "Europe/Paris"

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if self.bitrate_kbps is not None and self.crf is not None:
            raise Misfit(
                "bitrate_kbps and crf exclude each other",
                at=("crf",),
                beside=[("bitrate_kbps",)],
                remedy="keep bitrate_kbps for a disk use that can be planned, or crf for an even quality",
            )
        return self


class Recording(Section):
    """[recording]"""

    directory: ConfigPath | None = None
    segment_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    retention_days: Annotated[float, Field(ge=1, le=30)] = 14.0
    min_free_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 512

    @property
    def min_free_bytes(self) -> int:
        """A megabyte is a million bytes, here as on the disk's label."""
        return self.min_free_mb * 1_000_000


class Evidence(Section):
    """[evidence]"""

    sign: bool = True
    identity_dir: ConfigPath | None = None


class Ignore(Section):
    """[[motion.ignore]]"""

    polygon: Annotated[CheckedPolygon, Field(examples=[[[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]])]


class Motion(Section):
    """[motion]"""

    enabled: bool = True
    sensitivity: Annotated[float, Field(ge=0, le=1)] = 0.5
    min_area: Annotated[float, Field(gt=0, le=1)] = 0.002
    hold_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    ignore: Annotated[tuple[Ignore, ...], Field(strict=False, max_length=64)] = ()


class Tampering(Section):
    """[tampering]"""

    enabled: bool = True
    hold_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0


class Mqtt(Section):
    """[mqtt]"""

    url: Annotated[BrokerUrl, Field(examples=["mqtts://broker.example:8883"])]
    fallback_urls: Annotated[tuple[BrokerUrl, ...], Field(strict=False, max_length=8)] = ()
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=120)] = "vigie"
    username: str | None = None
    password_file: ConfigPath | None = None
    ca_file: ConfigPath | None = None
    cert_file: ConfigPath | None = None
    key_file: ConfigPath | None = None
    health_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
    command_key_file: ConfigPath | None = None
    home_assistant: bool = False
    event_stills: bool = False

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        for given, missing in (("cert_file", "key_file"), ("key_file", "cert_file")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                raise Misfit(
                    f"{given} stands without {missing}",
                    at=(given,),
                    beside=[(missing,)],
                    remedy=f"name the {missing} too, or remove {given}",
                )
        return self

    @model_validator(mode="after")
    def _password_has_user(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise Misfit("a password needs a user", at=("password_file",), beside=[("username",)], remedy='add username = "..."')
        return self

    @model_validator(mode="after")
    def _certificates_are_used(self) -> Self:
        if not any(is_tls(url) for url in (self.url, *self.fallback_urls)):
            for name in ("ca_file", "cert_file"):
                if getattr(self, name) is not None:
                    raise Misfit(
                        f"{name} has no use: no broker URL here speaks TLS, everything would go in clear text",
                        at=(name,),
                        beside=[("url",), ("fallback_urls",)],
                        remedy=f"write mqtts:// (or wss://) in `url`, or remove {name}",
                    )
        return self


class Console(Section):
    """[console]: the technician's local page."""

    enabled: bool = True
    host: Annotated[str, AfterValidator(check_listen_address)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080


class Board(Section):
    """[board]: when the board's own health becomes an event."""

    temperature_critical_c: Annotated[float, Field(ge=40, le=120)] = 80.0
    temperature_clear_c: Annotated[float, Field(ge=30, le=115)] = 75.0

    @model_validator(mode="after")
    def _clears_below(self) -> Self:
        if self.temperature_clear_c >= self.temperature_critical_c:
            raise Misfit(
                f"the alarm would end at {self.temperature_clear_c:g} °C, not below the {self.temperature_critical_c:g} °C "
                "at which it begins",
                at=("temperature_clear_c",),
                beside=[("temperature_critical_c",)],
                remedy=f"write a value below {self.temperature_critical_c:g}",
            )
        return self


class Config(Section):
    """A whole, valid configuration. Load one with `agent.config.load.load`, which also makes its paths absolute."""

    node: Annotated[Node, Field(examples=[{"id": "pole-17"}])]
    camera: Annotated[Camera, Field(examples=[{"driver": "synthetic"}])]
    privacy: Privacy = Privacy()
    encoding: Encoding = Encoding()
    recording: Recording = Recording()
    evidence: Evidence = Evidence()
    motion: Motion = Motion()
    tampering: Tampering = Tampering()
    mqtt: Mqtt | None = None
    console: Console = Console()
    board: Board = Board()

    @property
    def recordings_dir(self) -> Path:
        """Where segments go."""
        return self.recording.directory or self.node.state_dir / "recordings"

    @property
    def identity_dir(self) -> Path:
        """Where the node's key and chain lie."""
        return self.evidence.identity_dir or self.node.state_dir / "identity"

    @model_validator(mode="after")
    def _picture_can_be_encoded(self) -> Self:
        camera = self.camera
        macroblocks = -(-camera.width // 16) * -(-camera.height // 16)
        if macroblocks > MOST_MACROBLOCKS:
            raise Misfit(
                f"{camera.width}x{camera.height} is more than H.264 level 5.2 can carry",
                at=("camera", "width"),
                beside=[("camera", "height")],
                remedy="write at most 4096x2304, which every player reads",
            )
        if macroblocks * camera.fps > MOST_MACROBLOCKS_PER_S:
            raise Misfit(
                f"{camera.width}x{camera.height} at {camera.fps:g} pictures per second is more than H.264 level 5.2 can carry",
                at=("camera", "fps"),
                beside=[("camera", "width"), ("camera", "height")],
                remedy=f"write at most {MOST_MACROBLOCKS_PER_S // macroblocks}, or a smaller picture",
            )
        return self

    @model_validator(mode="after")
    def _segment_holds_a_keyframe(self) -> Self:
        if self.recording.segment_seconds < self.encoding.keyframe_seconds:
            raise Misfit(
                f"a segment of {self.recording.segment_seconds:g} s is shorter than the {self.encoding.keyframe_seconds:g} s "
                "between keyframes, and segments are cut at keyframes",
                at=("recording", "segment_seconds"),
                beside=[("encoding", "keyframe_seconds")],
                remedy=f"write at least {self.encoding.keyframe_seconds:g}, or lower encoding.keyframe_seconds",
            )
        return self
