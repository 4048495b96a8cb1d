"""What there is to be seen, as the media services tell it: one source, one encoder, one profile that nobody changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from agent.config.model import Encoding
from agent.onvif.markup import Markup, el
from agent.onvif.service import SNAPSHOT
from agent.onvif.soap_request import CameBy
from agent.picture.access_unit import VideoFormat
from agent.ports.live import STREAM_PATH

PROFILE: Final = "main"
SOURCE_CONFIGURATION: Final = "source"
ENCODER_CONFIGURATION: Final = "encoder"
_SPS: Final = 7
_PROFILES: Final = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High"}


class StreamPorts(Struct, frozen=True):
    """Where RTSP and RTSPS listen; 0 for one that is off. `snapshots`: whether a picture may go out by HTTP, in the clear."""

    rtsp: int
    rtsps: int
    snapshots: bool


class StreamWords:
    """`format` tells what is sent under a lease now; before the first picture `expected` stands in."""

    def __init__(
        self,
        source: str,
        ports: StreamPorts,
        encoding: Encoding,
        format: Callable[[str], VideoFormat | None],
        expected: VideoFormat,
        lease: str = "",
    ) -> None:
        self.source = source
        self.ports = ports
        self._encoding = encoding
        self._format = format
        self._expected = expected
        self._lease = lease

    def under(self, lease: str) -> StreamWords:
        """As it is given under this lease: a unit that spares its line gives a smaller one."""
        return StreamWords(self.source, self.ports, self._encoding, self._format, self._expected, lease)

    @property
    def format(self) -> VideoFormat:
        """Of the stream."""
        return self._format(self._lease) or self._expected

    @property
    def profile(self) -> str:
        """Of H.264, from the stream's own parameters."""
        return _PROFILES.get(_profile_number(self.format.extradata), "Main")

    @property
    def gop(self) -> int:
        """Frames from one keyframe to the next."""
        return max(1, round(self._encoding.keyframe_seconds * self.format.fps))

    @property
    def kbps(self) -> int:
        """The most that the encoder makes; 0 where quality decides."""
        return self._encoding.bitrate_kbps or 0

    def stream_uri(self, at: CameBy, *, encrypted: bool = False) -> str:
        """Where the stream is, for who came by this address; no secret is in it. Empty where it is not offered that way."""
        if self.ports.rtsp and not encrypted:
            return f"rtsp://{at.host}:{self.ports.rtsp}{STREAM_PATH}"
        return f"rtsps://{at.host}:{self.ports.rtsps}{STREAM_PATH}" if self.ports.rtsps else ""

    def snapshot_uri(self, at: CameBy) -> str:
        """Where a picture is; empty where it is not offered."""
        return at.base + quote(SNAPSHOT) if self.ports.snapshots else ""

    def resolution(self) -> Markup:
        """Of the picture, in samples."""
        return el("tt:Resolution", el("tt:Width", self.format.width), el("tt:Height", self.format.height))

    def source_configuration(self, name: str) -> Markup:
        """The whole picture of the one source."""
        bounds = {"x": 0, "y": 0, "width": self.format.width, "height": self.format.height}
        return el(
            name,
            el("tt:Name", SOURCE_CONFIGURATION),
            el("tt:UseCount", 1),
            el("tt:SourceToken", self.source),
            el("tt:Bounds", attr=bounds),
            attr={"token": SOURCE_CONFIGURATION},
        )


def _profile_number(extradata: bytes) -> int:
    """The byte behind the head of the sequence parameter set; 0 where there is none."""
    for unit in extradata.split(b"\0\0\1"):
        if len(unit) > 1 and unit[0] & 0x1F == _SPS:
            return unit[1]
    return 0
