"""Whatever comes in by the port: bounded, answered in the protocol's words or cut off, and nothing to those who watch."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import SystemClock
from agent.ports.live import Secret
from agent.stream.broadcast import Broadcast
from hardware.live_rtsp.answer import ProtocolFault, answer
from hardware.live_rtsp.carriage import Datagrams, Interleaved, choose
from hardware.live_rtsp.connection import RtspConnection
from hardware.live_rtsp.proof import ProofOfLease
from hardware.live_rtsp.request import MOST_BODY, MOST_HEAD, RtspRequest, read_request
from hardware.rtsp_framing import Framing, Message
from tests.live.conftest import LiveNode
from tests.support.deadline import until
from tests.support.rtp_units import Depacketiser
from tests.support.rtsp_caller import Caller
from tests.support.rtsp_noise import NAMES, PLACES, VALUES, VERBS, noise
from tests.support.small_gate import SmallGate

TIMES = int(os.environ.get("VIGIE_EXAMPLES", "100"))
_AT_ONCE = 16
"""Fewer than there are places for: whoever is one too many would be turned away unheard."""


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Near enough to a request to get past the first look."""
    lines = [
        f"{draw(st.sampled_from(VERBS))} {draw(st.sampled_from(PLACES))} RTSP/{draw(st.sampled_from(['1.0', '2.0', 'x', '']))}"
    ]
    header = st.tuples(st.sampled_from(NAMES), st.sampled_from([": ", ":", " "]), st.sampled_from(VALUES)).map("".join)
    lines += draw(st.lists(header, max_size=6))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


streams = st.lists(
    st.one_of(
        requests(),
        st.binary(max_size=64),
        st.builds(
            lambda channel, data: struct.pack(">BBH", 0x24, channel, len(data)) + data,
            st.integers(0, 255),
            st.binary(max_size=64),
        ),
    ),
    max_size=6,
).map(b"".join)


def heard(pieces: list[bytes]) -> list[object]:
    """What a connection makes of what came: requests, packets, refusals; the last one when it hangs up."""
    framing = Framing(MOST_HEAD, MOST_BODY)
    found: list[object] = []
    for piece in pieces:
        try:
            for each in framing.feed(piece):
                if isinstance(each, Message):
                    try:
                        found.append(read_request(each))
                    except ProtocolFault as fault:
                        found.append(fault.status)
                else:
                    found.append(each)
        except ValueError:
            return [*found, "hung up"]
    return found


@given(streams, st.randoms(use_true_random=False))
def test_whatever_comes_is_read_or_refused_however_it_is_cut(data: bytes, chance: random.Random) -> None:
    """Byte by byte, in pieces or at once: the same requests, and no other error than a refusal."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(5))
    in_pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    at_once, piecemeal = heard([data]), heard(in_pieces)
    assert at_once == piecemeal
    for each in at_once:
        if isinstance(each, RtspRequest):
            assert each.place.isprintable()
            assert "\r" not in "".join(each.headers.values())
            assert b"\n" not in answer(200, each.cseq)[:-4].replace(b"\r\n", b"")


@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from([";", ",", "=", "-", "RTP/AVP", "/TCP", "interleaved", "client_port", "0", "70000", "unicast"])
        ).map("".join),
    )
)
def test_any_transport_header_is_an_offer_or_a_refusal(header: str) -> None:
    """And what is taken has two channels or ports in a row."""
    with contextlib.suppress(ProtocolFault):
        taken = choose(header, datagrams=True)
        assert taken.control == taken.data + 1
        assert taken.control <= (255 if isinstance(taken, Interleaved) else 65_535)
        assert not isinstance(taken, Datagrams) or taken.data >= 1024


@given(st.text(max_size=300), st.booleans())
def test_any_authorization_is_a_proof_or_none(text: str, encrypted: bool) -> None:
    """Nobody gets in by it, and nothing is raised."""
    gate = SmallGate(Broadcast())
    gate.open()
    proof = ProofOfLease(gate, SystemClock(), encrypted=encrypted)
    proof.challenge()
    for scheme in ("", "Digest ", "Basic ", "Bearer "):
        request = RtspRequest("DESCRIBE", "rtsp://x/live", "1", {"authorization": scheme + text})
        assert proof.check(request) is None


def test_noise_at_the_port_hurts_nobody_who_watches(shared: LiveNode) -> None:
    """Mutated requests and noise on plain and encrypted ports, some of it with a proved lease; `VIGIE_EXAMPLES` gives more."""
    chance = random.Random(17)
    ports = list(shared.server.ports.values())
    with Caller(shared.server.ports["rtsp"], secret=shared.gate.open("x" * 20)) as good:
        assert good.play().status == 200
        for _ in range(TIMES):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", chance.choice(ports)), timeout=30) as line:
                line.sendall(noise(chance))
                if chance.random() < 0.5:
                    line.shutdown(socket.SHUT_WR)
                    line.settimeout(0.02)
                    line.recv(10_000)
        numbers = [struct.unpack_from(">H", packet, 2)[0] for channel, packet in _packets(good, 200) if channel == 0]
    assert numbers == [(numbers[0] + at) & 0xFFFF for at in range(len(numbers))]
    assert shared.server.state == "running"
    assert {entry.lease for entry in shared.gate.register} == {good.secret.lease if good.secret else ""}


def _packets(viewer: Caller, count: int) -> list[tuple[int, bytes]]:
    return [viewer.packet() for _ in range(count)]


def test_a_request_that_never_ends_is_cut_off(shared: LiveNode) -> None:
    """At the bound of a head, of a body, of many at once: refused and closed."""
    endless = [
        b"DESCRIBE rtsp://x/live RTSP/1.0\r\n" + b"A: b\r\n" * 10_000,
        b"SET_PARAMETER rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 5000\r\n\r\n",
        b"A" * 20_000,
    ]
    for data in endless:
        with Caller(shared.server.ports["rtsp"]) as stranger:
            with contextlib.suppress(OSError):
                stranger.line.sendall(data)
            with contextlib.suppress(ConnectionError):
                assert stranger.hear().status == 400
            stranger.until_closed()


def test_a_thousand_that_connect_and_vanish_leave_nothing(shared: LiveNode) -> None:
    """Without a word, amid a request, amid a login, amid TLS: no descriptor, no look, and the viewer loses nothing."""
    secret = shared.gate.open()
    with Caller(shared.server.ports["rtsp"], secret=secret) as good:
        assert good.play().status == 200
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the count alone matters
        for number in range(TIMES):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", shared.server.ports["rtsp"])) as line:
                line.sendall((b"", b"DESCRIBE rtsp://x/li", b"DESCRIBE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")[number % 3])
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", shared.server.ports["rtsps"])) as line:
                line.sendall((b"", b"\x16\x03\x01", b"hello")[number % 3])
            if number % 5 == 0:
                with contextlib.suppress(ConnectionError), Caller(shared.server.ports["rtsp"], secret=secret) as brief:
                    brief.play()
        until(lambda: len(shared.gate.looks) == 1, "all of them are gone")
        until(lambda: len(os.listdir("/proc/self/fd")) <= before + 2, "and their descriptors")  # noqa: PTH208
        numbers = [struct.unpack_from(">H", packet, 2)[0] for channel, packet in _packets(good, 100) if channel == 0]
    assert numbers == [(numbers[0] + at) & 0xFFFF for at in range(len(numbers))]


def test_what_still_waits_when_the_node_hangs_up_costs_nothing(shared: LiveNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests behind the one that ended the connection are never taken up again."""
    begun: list[RtspConnection] = []
    answer_all = RtspConnection._answer_all

    async def counted(connection: RtspConnection) -> None:
        begun.append(connection)
        await answer_all(connection)

    monkeypatch.setattr(RtspConnection, "_answer_all", counted)
    wrong = b"DESCRIBE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Digest a=b\r\n\r\n"
    with Caller(shared.server.ports["rtsp"]) as stranger:
        stranger.line.sendall(wrong * 7)
        stranger.until_closed()
    with Caller(shared.server.ports["rtsp"]) as other:
        assert other.say("OPTIONS").status == 200
    assert len(begun) < 10


def test_guessing_costs_a_bounded_amount_and_opens_nothing(shared: LiveNode) -> None:
    """Wrong passwords and leases that do not exist, by many at once: each told to the house, none let in; a viewer watches on."""
    right = shared.gate.open("right")
    until(lambda: not shared.gate.looks, "nobody looks")
    told, guesses = len(shared.gate.refusals), TIMES // 4

    def guess(number: int) -> int:
        user = right.lease if number % 2 else f"lease-{number:016x}"
        try:
            with Caller(shared.server.ports["rtsp"], secret=Secret(user, f"wrong {number}")) as stranger:
                return stranger.ask("DESCRIBE").status
        except ConnectionError:  # another guesser took its place
            return 0

    with Caller(shared.server.ports["rtsp"], secret=shared.gate.open()) as good:
        assert good.play().status == 200
        entered, units = len(shared.gate.register), Depacketiser()
        with ThreadPoolExecutor(_AT_ONCE) as crowd:
            answers = [crowd.submit(guess, number) for number in range(guesses)]
            with contextlib.suppress(ConnectionError):
                while not answers[-1].done():
                    channel, packet = good.packet()
                    if channel == 0:
                        units.feed(packet)
            assert shared.gate.register[entered:] == [], "the viewer was cut off"
        answered = [each.result() for each in answers]
        assert set(answered) <= {401, 0}
        assert units.gaps == 0
    assert told + answered.count(401) <= len(shared.gate.refusals) <= told + guesses
    assert answered.count(401) > guesses // 2


def test_four_of_eight_that_stop_reading_cost_the_others_nothing(shared: LiveNode) -> None:
    """Each of the four others gets every frame, in order; the four hold no more than the kernel's bound of bytes."""
    secret = shared.gate.open()
    with ExitStack() as stack:
        eight = [stack.enter_context(Caller(shared.server.ports["rtsp"], secret=secret)) for _ in range(8)]
        for each in eight[:4]:
            each.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for each in eight:
            assert each.play().status == 200
        for good in eight[4:]:
            numbers = [struct.unpack_from(">H", packet, 2)[0] for channel, packet in _packets(good, 300) if channel == 0]
            assert numbers == [(numbers[0] + at) & 0xFFFF for at in range(len(numbers))]
