"""An IP camera that hangs there already, pulled over RTSP."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.container
import av.error

from agent.base.clock import Clock
from agent.base.errors import CameraError
from agent.base.phrase import joined, say
from agent.base.secret_file import read_secret
from agent.base.system_words import system_words
from agent.config.model import CameraSettings
from agent.config.url_secret import PLACEHOLDER, random_starred, starred
from agent.picture.frame import RawFrame
from hardware.live_input import OPEN_TIMEOUT_S, STALL_S, LiveInput
from hardware.live_stream import NoKeyframe, Source, Undecodable
from hardware.rtsp_probe import check_login
from hardware.rtsp_relay import Relay
from hardware.rtsp_trust import RtspTrust
from hardware.stream_clock import StreamClock

OPEN_WAIT_S = 2.0
JITTER_S = 1.0
"""A camera that was lost is called again after up to this much extra, so that a street's nodes do not call in step."""


class RtspCamera:
    """Pulls and decodes one RTSP stream; H.264, H.265, MJPEG, MPEG-4. One thread calls everything but `metrics`.

    The network is read on a thread of its own: `read` and `close` return in time even when the server hangs. User and
    password go to the camera alone: no log, error or figure holds them. Whoever owns the camera waits between attempts,
    longer each time; this driver adds the jitter.
    """

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._name = public_address(settings.source)
        self._input = LiveInput("rtsp", self._name, settings, clock)

    def open(self) -> None:
        """Connect. A refusal within two seconds is raised here; a slower one, or silence, by the first `read`."""
        self._input.close()
        if self._input.failed:
            self._clock.wait(threading.Event(), random.uniform(0, JITTER_S))  # noqa: S311 - spreads load, guards nothing
        address = private_address(self._settings.source, self._settings.password_file)
        transport = self._settings.transport
        trust = RtspTrust(self._settings.ca_file, self._settings.tls_fingerprint)

        def connect() -> av.container.InputContainer:
            if needs_relay(address, transport):
                return _connect_by(Relay(address, trust, self._name))
            if urlsplit(address).password is not None:
                check_login(address, self._name)
            return _connect(address, transport)

        self._input.open(Source(connect, self._explain, StreamClock().date), OPEN_WAIT_S)

    def read(self, timeout_s: float) -> RawFrame | None:
        """The next frame. Raises CameraError when the server refuses, breaks off or falls silent."""
        return self._input.read(timeout_s)

    def close(self) -> None:
        self._input.close()

    def metrics(self) -> Mapping[str, float | str]:
        """Health: the address without credentials, the codec, reconnections, packets, those that could not be decoded,
        frames left out of a camera that sends more than `fps`."""
        return {
            "stream": self._name,
            "codec": self._input.codec,
            **self._input.delivered,
            "reconnects": self._input.reopened,
            "packets": self._input.packets,
            "broken_packets": self._input.broken_packets,
            "thinned": self._input.thinned,
        }

    def _explain(self, error: BaseException) -> CameraError:
        """What a technician can do about it. Never quotes the error: FFmpeg's texts repeat the whole address."""
        what, remedy = _REASONS[-1][1:]
        for kinds, reason, cure in _REASONS:
            if isinstance(error, kinds):
                what, remedy = reason, cure
                break
        return CameraError(say("camera {camera} {what}", camera=self._name, what=what), remedy=remedy)


SAYS_WHAT_IT_LOST = frozenset({"h264", "mjpeg"})
"""Codecs whose decoder tells a frame that was damaged on the way. H.265's conceals it in silence: TCP must lose nothing."""
_ADDRESS = say("Check camera.source against the camera's manual")
_NETWORK = say("Check its power, its cable, and its address in camera.source")
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        say("refuses user or password"),
        say("Check the user in camera.source and camera.password_file"),
    ),
    ((av.error.HTTPNotFoundError,), say("knows no stream of that path"), _ADDRESS),
    ((av.error.HTTPError, av.error.HTTPClientError), say("refuses the stream"), _ADDRESS),
    ((ConnectionRefusedError,), say("refuses the connection: nothing listens at that port"), _ADDRESS),
    (
        (NoKeyframe,),
        say("sends no keyframe, so that no picture can begin"),
        say("Set its I-frame interval (GOP) to 2 s in the camera, then `vigie doctor`"),
    ),
    (
        (Undecodable,),
        say("sends pictures that cannot be decoded"),
        say("Restart the camera; if that does not help, set it to plain H.264, then `vigie doctor`"),
    ),
    ((TimeoutError, av.error.ExitError), say("does not answer, or has fallen silent"), _NETWORK),
    (
        (EOFError, ConnectionResetError, BrokenPipeError),
        say("ended the stream"),
        say("It is called again; `vigie status -v` counts how often it had to be"),
    ),
    (
        (LookupError,),
        say("offers no video that can be decoded"),
        say("Set the camera to H.264, H.265 or MJPEG, then `vigie doctor`"),
    ),
    (
        (av.error.InvalidDataError,),
        say("does not answer, or not with RTSP video"),
        joined("; ", (_NETWORK, say("the address may belong to something else"))),
    ),
    ((BaseException,), say("cannot be reached"), _NETWORK),
)


def public_address(source: str) -> str:
    """The address without user, password and query: what may be logged."""
    parts = urlsplit(source)
    host = parts.hostname or "?"
    host = f"[{host}]" if ":" in host else host
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return random_starred(urlunsplit((parts.scheme, host + port, starred(parts.path), "", "")))


def private_address(source: str, password_file: Path | None) -> str:
    """The address with the password from its file put in, as FFmpeg takes it. CameraError when the file cannot be read."""
    parts = urlsplit(source)
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
        raise CameraError(
            say("{address} is no RTSP address", address=public_address(source)),
            remedy=say("Write rtsp://user@host/path in camera.source"),
        )
    if password_file is None:
        return source
    try:
        password = read_secret(password_file)
    except OSError as error:
        raise CameraError(
            say(
                "the camera's password file {file} cannot be read: {why}",
                file=password_file,
                why=system_words(error.strerror or error),
            ),
            remedy=say("Write the password alone into camera.password_file, readable for the service"),
        ) from None
    if PLACEHOLDER in source:
        return source.replace(PLACEHOLDER, quote(password, safe=""))
    place = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))


def needs_relay(address: str, transport: str) -> bool:
    """Whether there is a password to give, or a camera that must prove who it is: neither is left to FFmpeg."""
    parts = urlsplit(address)
    return parts.scheme == "rtsps" or (parts.password is not None and transport == "tcp")


def _connect_by(relay: Relay) -> av.container.InputContainer:
    try:
        return _connect(relay.start(), "tcp")
    except (av.error.FFmpegError, OSError):
        if relay.failure is not None:  # FFmpeg knows only that its line was closed
            raise relay.failure from None
        raise


def _connect(address: str, transport: str) -> av.container.InputContainer:
    """Blocks for at most the two timeouts; FFmpeg's own socket timeout lies below the stall, so that the thread ends."""
    container = av.open(
        address,
        metadata_errors="replace",  # a camera may title its stream in any encoding
        timeout=(OPEN_TIMEOUT_S, STALL_S),
        options={
            "rtsp_transport": transport,
            "timeout": str(int(STALL_S * 1e6)),
            "allowed_media_types": "video",
            "fflags": "nobuffer",
            "analyzeduration": "1000000",
            "probesize": "200000",  # stamps that stand still never make a second of it
            "user_agent": "Vigie",
        },
    )
    try:
        check_transport(transport, *(stream.codec_context.name for stream in container.streams.video))
    except CameraError:
        container.close()
        raise
    return container


def check_transport(transport: str, *codecs: str) -> None:
    """CameraError when what is lost between camera and node could be shown as if it had been seen."""
    for codec in codecs:
        if transport == "udp" and codec not in SAYS_WHAT_IT_LOST:
            raise CameraError(
                say("the camera sends {codec} over UDP: what is lost on the way would be made up in silence", codec=codec),
                remedy=say('Set camera.transport = "tcp", or the camera to H.264'),
            )
