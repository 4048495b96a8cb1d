"""The programs people watch with, recording what they get: whatever ends up in the file came over the line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.signing import nal
from tests.support.parts import program

_PYAV = """
import sys, av
with av.open(sys.argv[1], options={"rtsp_transport": sys.argv[3], "max_delay": "500000"}) as line, open(sys.argv[2], "wb") as out:
    for packet in line.demux(video=0):
        out.write(bytes(packet))
        out.flush()
"""


@dataclass(frozen=True)
class Client:
    """`scheme` and `by` say how it comes; `command` how it is called, with an address and a file."""

    name: str
    scheme: str
    by: str
    command: Callable[[str, Path], list[str]]
    suffix: str = ".h264"


def ffmpeg(by: str) -> Callable[[str, Path], list[str]]:
    """Debian's."""

    def command(url: str, out: Path) -> list[str]:
        how = ["-rtsp_transport", by] if by else []
        return [
            program("ffmpeg", "ffmpeg"), "-nostdin", "-loglevel", "error", *how, "-i", url, "-c", "copy", "-f", "h264",
            "-flush_packets", "1", "-y", str(out),
        ]  # fmt: skip

    return command


def pyav(by: str) -> Callable[[str, Path], list[str]]:
    """A newer generation of FFmpeg's libraries."""
    return lambda url, out: [sys.executable, "-c", _PYAV, url, str(out), by]


def gstreamer(by: str) -> Callable[[str, Path], list[str]]:
    """rtspsrc, given user and password by themselves, as its users do."""

    def command(url: str, out: Path) -> list[str]:
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        login = [f"user-id={unquote(parts.username or '')}", f"user-pw={unquote(parts.password or '')}"]
        return [
            program("gst-launch-1.0", "gstreamer1.0-tools"), "-q", "rtspsrc", f"location={bare}", f"protocols={by}", *login,
            "tls-validation-flags=0", "latency=100", "!", "rtph264depay", "!",
            "video/x-h264,stream-format=byte-stream,alignment=nal", "!", "filesink", "buffer-mode=unbuffered",
            f"location={out}",
        ]  # fmt: skip

    return command


def mpv(by: str) -> Callable[[str, Path], list[str]]:
    """The player, without a window."""
    return lambda url, out: [
        program("mpv", "mpv"), "--no-config", "--no-terminal", "--vo=null", "--ao=null", f"--rtsp-transport={by}",
        f"--stream-record={out}", url,
    ]  # fmt: skip


CLIENTS = (
    Client("ffmpeg by TCP", "rtsp", "tcp", ffmpeg("tcp")),
    Client("ffmpeg by UDP", "rtsp", "udp", ffmpeg("udp")),
    Client("ffmpeg by TLS", "rtsps", "tcp", ffmpeg("")),
    Client("newer ffmpeg by TCP", "rtsp", "tcp", pyav("tcp")),
    Client("newer ffmpeg by UDP", "rtsp", "udp", pyav("udp")),
    Client("newer ffmpeg by TLS", "rtsps", "tcp", pyav("tcp")),
    Client("gstreamer by TCP", "rtsp", "tcp", gstreamer("tcp")),
    Client("gstreamer by UDP", "rtsp", "udp", gstreamer("udp")),
    Client("gstreamer by TLS", "rtsps", "tcp", gstreamer("tcp+tls")),
    Client("mpv", "rtsp", "tcp", mpv("tcp"), ".mkv"),
)


def kept_units(recorded: Path) -> list[bytes]:
    """Slices and SEI units of what a client kept, in order; containers are unpacked."""
    if recorded.suffix != ".h264":
        plain = recorded.with_suffix(".h264")
        subprocess.run(
            [program("ffmpeg", "ffmpeg"), "-nostdin", "-loglevel", "error", "-i", recorded, "-c", "copy", "-y", plain],
            check=True,
            timeout=60,
        )
        recorded = plain
    return evidence_units(recorded.read_bytes())


def evidence_units(annex_b: bytes) -> list[bytes]:
    """Slices and SEI units: clients repeat parameter sets and add delimiters."""
    return [each for each in nal.units(annex_b) if nal.is_vcl(nal.unit_type(each)) or nal.unit_type(each) == nal.SEI]
