"""What a way of looking in (RTSP, the page's socket, a push) asks of the house. Drivers in hardware/ ask; agent/live answers.

A driver never decides who may look. It asks `Gate.challenge` for what a user must prove, `Gate.enter` before the first frame, and
takes frames from the look it was given, which ends when the lease ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol, Self

from msgspec import Struct

from agent.base.component import Component
from agent.base.errors import VigieError
from agent.picture.access_unit import AccessUnit, VideoFormat

STREAM_PATH: Final = "/live"
"""Of the one stream a node has, in every address that names it."""


class Way(StrEnum):
    """What a lease is opened for."""

    RTSP = "rtsp"
    WEB = "web"
    PUSH = "push"


class Rendition(StrEnum):
    """Which of a node's two streams a lease is for. Both are masked and signed."""

    FULL = "full"
    """As it is recorded."""
    LOW = "low"
    """640 samples wide, five pictures a second or one: for weak lines, and while battery or data are spared."""


class Transport(StrEnum):
    """By which way frames reach a viewer, as the register names it."""

    RTSP_TCP = "rtsp-tcp"
    RTSP_UDP = "rtsp-udp"
    RTSPS = "rtsps"
    WEB = "web"
    PUSH = "push"
    SNAPSHOT = "snapshot"
    """One picture, by ONVIF."""
    ONVIF = "onvif"
    """No picture: who asks ONVIF for addresses and events, and proves nothing, is counted under it."""

    @property
    def way(self) -> Way:
        """Which leases it is for."""
        if self in (Transport.SNAPSHOT, Transport.ONVIF):
            return Way.RTSP
        return Way(self.partition("-")[0].removesuffix("s"))


class NoEntry(StrEnum):
    """Why somebody does not look; each protocol has its own words for it."""

    UNKNOWN = "unknown"
    """No such lease, or it is over: 401."""
    NOT_THIS_WAY = "not-this-way"
    """The lease is for another transport: 403."""
    FULL = "full"
    """As many look as may: 453."""
    NO_REGISTER = "no-register"
    """The look cannot be entered, so there is none: 503."""
    NO_STREAM = "no-stream"
    """The node has no frame yet: 503."""


class LookRefused(VigieError):
    """Nobody looks. `why` is for the protocol, the text for a person."""

    def __init__(self, why: NoEntry, text: str) -> None:
        super().__init__(text)
        self.why = why


class LiveFrame(Struct, frozen=True):
    """One item of a stream. `missed` frames were lost before it (then it is a keyframe).

    `closing`: no frame, but the signature over the frames before it; it belongs behind them and bears the time of the last one.
    """

    unit: AccessUnit
    missed: int = 0
    closing: bool = False


class Look(Protocol):
    """One viewer's look, entered in the register. Leave with `close`, or use it in a `with`.

    `get` is called by one thread; anything may be called by any.
    """

    @property
    def format(self) -> VideoFormat: ...

    def get(self, timeout_s: float) -> LiveFrame | None:
        """The next frame, from a keyframe on; None when none came in time. LookRefused once the lease is over."""
        ...

    def on_frame(self, call: Callable[[], None]) -> None:
        """Call it, from the encoder's thread, each time there is something to `get`: it must neither block nor raise.

        A way with many viewers waits for all of them at once and takes with `get(0)`: no thread for each.
        """
        ...

    def request_keyframe(self) -> None:
        """Somebody waits for a frame. At most one a second is made, whoever asks."""
        ...

    def on_over(self, call: Callable[[], None]) -> None:
        """Call it, from any thread and at once if need be, when the lease is over: close the connection there."""
        ...

    @property
    def over(self) -> str:
        """Why the lease is over, in words; empty while it lasts."""
        ...

    def close(self, why: str) -> None:
        """The viewer left, or was sent away: `why` stands in the register with the seconds that were seen. Idempotent."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Secret(Struct, frozen=True):
    """What a user of a lease must prove to know. Never logged, never in health, never in the register."""

    lease: str
    password: str
    way: Way = Way.RTSP

    def __repr__(self) -> str:
        return f"Secret({self.lease!r}, ***)"


class Gate(Protocol):
    """Who may look, asked by drivers. Any thread; never blocks for longer than a line of the register takes."""

    @property
    def format(self) -> VideoFormat | None:
        """What the node makes, for whoever names its stream; None before the first picture. No frame is in it."""
        ...

    def format_of(self, lease: str) -> VideoFormat | None:
        """What a look under this lease would get, for whoever asks before it; None while there is no picture of that kind."""
        ...

    def challenge(self, user: str) -> Secret | None:
        """The secret behind a user's name; None when no lease in force bears it. Costs the same either way."""
        ...

    def bearer(self, token: str) -> str | None:
        """The lease that a signed token (JWT) opens, used or renewed by it; None when it opens none."""
        ...

    def enter(self, lease: str, transport: Transport, address: str) -> Look:
        """Let one viewer look: in the register before this returns. LookRefused otherwise."""
        ...

    def refused(self, transport: Transport, address: str, user: str) -> None:
        """Somebody could not prove who they are: counted, folded, told once. Never blocks."""
        ...


class LiveDoor(Protocol):
    """One way of looking in that is built and switched on. What it runs in is not critical: the node records on without it."""

    @property
    def way(self) -> Way: ...

    def components(self) -> Sequence[Component]:
        """What runs for it."""
        ...

    def urls(self, secret: Secret) -> Mapping[str, str]:
        """Each address with its credentials, by name: `rtsp`, `rtsps`, `page`. Any thread."""
        ...

    @property
    def state(self) -> str:
        """In a word or a sentence, for health: how it fares. Any thread."""
        ...

    def opened(self, lease: str) -> None:
        """A lease for this way is in force from now on: a push begins here, others wait for viewers. Never blocks."""
        ...
