"""What is done for each request of one connection: described, set up, played, ended (RFC 2326, A.2).

    init --SETUP--> ready --PLAY--> playing --PAUSE--> ready        TEARDOWN: init, from anywhere

1. Nothing is told of the stream before a lease is proved; who has proved one on a connection need not prove it there again.
2. A session belongs to the connection that set it up, and ends with it.
3. A viewer is let in by the house at PLAY, before the first frame, and is out of it at PAUSE.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol

from agent.ports.live import LookRefused, NoEntry, Transport
from hardware.live_rtsp.answer import OFFERED, Headers, ProtocolFault, answer, status_of
from hardware.live_rtsp.audience import Audience
from hardware.live_rtsp.carriage import Carriage, Datagrams, Interleaved, choose
from hardware.live_rtsp.outlet import DatagramOutlet, Outlet
from hardware.live_rtsp.proof import TRIES, ProofOfLease
from hardware.live_rtsp.request import TRACK, RtspRequest
from hardware.live_rtsp.sdp import describe
from hardware.live_rtsp.viewer import RtspViewer

FIRST_PICTURE_S: Final = 1.5
"""So long the answer to PLAY waits for the first picture, whose number and time stand in it."""
_AFTER_A_WRONG_ONE_S: Final = 0.25
_RANGE: Final = re.compile(r"npt\s*=\s*(now|\d|-)")
_OTHER_VERBS: Final = {"ANNOUNCE", "RECORD", "REDIRECT"}


class ViewerLine(Protocol):
    """The connection, as its session sees it."""

    encrypted: bool
    address: str
    """Who is at the other end."""
    here: str
    """This node's address, as they came by it."""

    def write(self, data: bytes) -> None: ...

    def outlet(self, carriage: Interleaved) -> Outlet: ...

    def rest(self) -> None:
        """Nothing is played: the connection must ask for something soon."""
        ...

    def hang_up(self) -> None:
        """What is written still goes out, if that takes no time."""
        ...


class RtspState(Enum):
    """Of a session."""

    INIT = auto()
    READY = auto()
    PLAYING = auto()


class RtspSession:
    """Of one connection, in the event loop."""

    def __init__(self, line: ViewerLine, audience: Audience) -> None:
        self._line, self._audience = line, audience
        self._proof = ProofOfLease(audience.gate, audience.clock, encrypted=line.encrypted)
        self._lease: str | None = None
        self._id = ""
        self._carriage: Carriage | None = None
        self._viewer: RtspViewer | None = None
        self._verbs = {
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._tear_down,
            "GET_PARAMETER": self._get_parameter,
            "SET_PARAMETER": self._set_parameter,
        }

    @property
    def is_playing(self) -> bool:
        return self._viewer is not None

    @property
    def state(self) -> RtspState:
        return (
            RtspState.PLAYING if self._viewer is not None else RtspState.READY if self._carriage is not None else RtspState.INIT
        )

    async def do(self, request: RtspRequest) -> bytes:
        """The answer; empty when it has been given. ProtocolFault for a refusal."""
        if self._viewer is not None:
            self._viewer.heard()
        if wanted := request.header("require"):
            raise ProtocolFault(551, [("Unsupported", wanted)])
        if request.verb == "OPTIONS":
            return answer(200, request.cseq, [("Public", OFFERED)])
        do = self._verbs.get(request.verb)
        if do is None:
            raise ProtocolFault(405, [("Allow", OFFERED)]) if request.verb in _OTHER_VERBS else ProtocolFault(501)
        await self._prove(request)
        if request.session and request.session != self._id:
            raise ProtocolFault(454)
        if not request.is_of_the_stream and not (request.verb.endswith("_PARAMETER") and self._id):
            raise ProtocolFault(404)
        return await do(request)

    def hear(self, channel: int, data: bytes) -> None:
        """A packet came in the connection: of a viewer's reports only a goodbye matters."""
        if (
            self._viewer is not None
            and isinstance(self._carriage, Interleaved)
            and channel == self._carriage.control
            and (why := self._viewer.hear(data))
        ):
            self._leave(why)

    def end(self, why: str) -> None:
        """The connection is over. Idempotent."""
        self._leave(why)
        self._carriage, self._id = None, ""

    async def _prove(self, request: RtspRequest) -> None:
        if self._lease is not None:
            return
        self._lease = await self._audience.ask(lambda: self._proof.check(request))
        if self._lease is not None:
            return
        if request.header("authorization"):
            self._audience.gate.refused(self._transport(None), self._line.address, self._proof.user)
            self._line.rest()
            await asyncio.sleep(_AFTER_A_WRONG_ONE_S)
            if self._proof.wrong >= TRIES:
                raise ProtocolFault(401, last=True)
        raise ProtocolFault(401, self._proof.challenge())

    async def _describe(self, request: RtspRequest) -> bytes:
        if "application/sdp" not in (accepted := request.header("accept") or "*/*") and "*/*" not in accepted:
            raise ProtocolFault(406)
        assert self._lease is not None  # proved before anything is told
        video = self._audience.gate.format_of(self._lease)
        if video is None:
            raise ProtocolFault(503)
        base = request.uri.partition("?")[0].rstrip("/").removesuffix(f"/{TRACK}")
        headers: Headers = [("Content-Base", f"{base}/"), ("Content-Type", "application/sdp"), ("Cache-Control", "no-store")]
        return answer(200, request.cseq, headers, describe(video, self._line.here, self._audience.number))

    async def _set_up(self, request: RtspRequest) -> bytes:
        if self._viewer is not None:
            raise ProtocolFault(455)
        ports = self._audience.ports
        carriage = choose(request.header("transport"), datagrams=ports is not None and not self._line.encrypted)
        self._carriage = carriage
        self._id = self._id or secrets.token_hex(12)
        source = f"ssrc={self._audience.packetiser.source:08X}"
        if isinstance(carriage, Interleaved):
            told = f"RTP/AVP/TCP;unicast;interleaved={carriage.data}-{carriage.control};{source}"
        else:
            assert ports is not None
            data, control = ports.numbers
            told = f"RTP/AVP;unicast;client_port={carriage.data}-{carriage.control};server_port={data}-{control};{source}"
        return answer(200, request.cseq, [("Transport", f'{told};mode="PLAY"'), self._session])

    async def _play(self, request: RtspRequest) -> bytes:
        if self._carriage is None or self._lease is None:
            raise ProtocolFault(455)
        wanted = request.header("range")
        if wanted and not _RANGE.match(wanted):
            raise ProtocolFault(457)
        headers: Headers = [self._session, ("Range", "npt=now-")]
        if self._viewer is not None:
            return answer(200, request.cseq, headers)
        begun = asyncio.Event()

        def announce(number: int, timestamp: int) -> None:
            track = request.uri.partition("?")[0].rstrip("/").removesuffix(f"/{TRACK}") + f"/{TRACK}"
            info = ("RTP-Info", f"url={track};seq={number};rtptime={timestamp}")
            self._line.write(answer(200, request.cseq, [*headers, info]))
            begun.set()

        await self._begin(announce)
        try:
            async with asyncio.timeout(FIRST_PICTURE_S):
                await begun.wait()
        except TimeoutError:
            if self._viewer is None:
                raise ProtocolFault(454) from None
            self._viewer.begin()
            return answer(200, request.cseq, headers)
        return b""

    async def _begin(self, announce: Callable[[int, int], None]) -> None:
        """Let in by the house, and given frames from then on."""
        lease, carriage, audience = self._lease, self._carriage, self._audience
        assert lease is not None
        assert carriage is not None
        try:
            look = await audience.enter(lease, self._transport(carriage), self._line.address)
        except LookRefused as refused:
            if refused.why is NoEntry.UNKNOWN:
                self._lease = None
                raise ProtocolFault(401, self._proof.challenge()) from None
            raise ProtocolFault(status_of(refused.why)) from None
        if isinstance(carriage, Interleaved):
            outlet, control = self._line.outlet(carriage), None
        else:
            assert audience.ports is not None
            outlet = DatagramOutlet(audience.ports.data, audience.ports.control, self._line.address, carriage)
            control = (self._line.address, carriage.control)
        self._viewer = RtspViewer(look, outlet, audience.packetiser, audience.clock, announce)
        audience.seat(self._viewer, self._sent_away, control)

    async def _pause(self, request: RtspRequest) -> bytes:
        if self._carriage is None:
            raise ProtocolFault(455)
        self._leave("the viewer paused")
        return answer(200, request.cseq, [self._session])

    async def _tear_down(self, request: RtspRequest) -> bytes:
        if self._carriage is None:
            raise ProtocolFault(454)
        self.end("the viewer left")
        return answer(200, request.cseq)

    async def _get_parameter(self, request: RtspRequest) -> bytes:
        """A sign of life, whatever it asks for: viewers that get a refusal cut the stream."""
        return answer(200, request.cseq, [self._session] if self._id else [])

    async def _set_parameter(self, request: RtspRequest) -> bytes:
        if request.body.strip():
            raise ProtocolFault(451)
        return answer(200, request.cseq, [self._session] if self._id else [])

    @property
    def _session(self) -> tuple[str, str]:
        return "Session", f"{self._id};timeout=60"

    def _transport(self, carriage: Carriage | None) -> Transport:
        if self._line.encrypted:
            return Transport.RTSPS
        return Transport.RTSP_UDP if isinstance(carriage, Datagrams) else Transport.RTSP_TCP

    def _leave(self, why: str) -> None:
        viewer, self._viewer = self._viewer, None
        if viewer is not None:
            self._audience.unseat(viewer, why)
            self._line.rest()

    def _sent_away(self, _why: str) -> None:
        """The audience has ended it: the far end is told, and the connection closed."""
        viewer, self._viewer = self._viewer, None
        if viewer is not None:
            viewer.say_bye()
            self._line.hang_up()
