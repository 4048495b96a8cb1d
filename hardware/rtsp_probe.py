"""Asks a camera how it wants its password, before FFmpeg logs in by itself: over UDP there is no relay in between."""

from __future__ import annotations

import socket
from urllib.parse import unquote, urlsplit, urlunsplit

from agent.base.errors import CameraError
from agent.base.phrase import say
from hardware.live_input import STALL_S
from hardware.rtsp_framing import Framing, Message
from hardware.rtsp_login import parse

LONGEST_PASSWORD = 127
"""Bytes that FFmpeg keeps of a password; it cuts longer ones without a word."""
_TCP = say('Set camera.transport = "tcp": there this node speaks SHA-256 as well, and passwords of any length')


def check_login(address: str, shown_as: str) -> None:
    """CameraError when FFmpeg would send the password in the clear, or a wrong answer. OSError when nobody is there."""
    parts = urlsplit(address)
    if len(unquote(parts.password or "").encode()) > LONGEST_PASSWORD:
        raise CameraError(
            say(
                "camera {camera}: a password of more than {most} bytes cannot be used over UDP",
                camera=shown_as,
                most=LONGEST_PASSWORD,
            ),
            remedy=_TCP,
        )
    offered = [challenge for line in _challenges(address) for challenge in parse(line)]
    if not offered:
        return
    digests = [challenge.algorithm.removesuffix("-sess") for challenge in offered if challenge.scheme == "digest"]
    if not digests:
        raise CameraError(
            say("camera {camera} wants the password in the clear (Basic), and nothing proves who listens", camera=shown_as),
            remedy=say("Set the camera to digest authentication, or write rtsps:// with [camera] ca_file or tls_fingerprint"),
        )
    if digests[-1] != "md5":  # FFmpeg takes the last one it is offered
        raise CameraError(
            say(
                "camera {camera} wants a digest that cannot be used over UDP ({digests})",
                camera=shown_as,
                digests=digests[-1][:20],
            ),
            remedy=_TCP,
        )


def _challenges(address: str) -> list[str]:
    """What it answers to a question without a password."""
    parts = urlsplit(address)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    with socket.create_connection((parts.hostname or "", parts.port or 554), STALL_S) as camera:
        asked = Message(f"DESCRIBE {bare} RTSP/1.0", [("CSeq", "1"), ("Accept", "application/sdp"), ("User-Agent", "Vigie")])
        camera.sendall(asked.encode())
        framing = Framing()
        while said := camera.recv(64 * 1024):
            for piece in framing.feed(said):
                if isinstance(piece, Message):
                    return piece.all("www-authenticate")
    return []
