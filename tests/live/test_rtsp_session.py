"""What a viewer may ask when, in the protocol's own words; and everything that ends a look."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS, SystemClock
from agent.identity.node_key import IdentityDirectory
from agent.ports.live import Transport
from hardware.live_rtsp.backlog import GONE_S
from hardware.live_rtsp.packets import PAYLOAD_TYPE
from hardware.live_rtsp.server import RtspServer
from hardware.live_rtsp.settings import RtspSettings
from hardware.live_rtsp.viewer import SILENT_S
from tests.live.conftest import LiveNode, serve
from tests.support.authority import Authority
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.manual_clock import ManualClock
from tests.support.rtsp_caller import Caller, Said
from tests.support.small_gate import SmallGate

BYE = struct.pack(">BBHI", 0x81, 203, 1, 1)
REPORT = struct.pack(">BBHI", 0x80, 201, 1, 1)
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


@pytest.fixture
def viewer(node: LiveNode) -> Iterator[Caller]:
    """With a lease."""
    with Caller(node.server.ports["rtsp"], secret=node.gate.open()) as viewer:
        yield viewer


def first_data(viewer: Caller) -> bytes:
    """The first packet of pictures."""
    while True:
        channel, packet = viewer.packet()
        if channel == 0:
            return packet


def test_the_description_names_the_stream_as_it_is(node: LiveNode, viewer: Caller) -> None:
    """Profile and parameter sets are the stream's own; the address is the one the viewer came by."""
    said = viewer.ask("DESCRIBE", headers={"Accept": "application/sdp"})
    text = said.body.decode()
    assert said.one("content-base") == viewer.base + "/"
    assert "IN IP4 127.0.0.1" in text
    assert "m=video 0 RTP/AVP 96" in text
    assert "a=framerate:25\r\n" in text
    assert "sprop-parameter-sets=" in text


def test_the_answer_to_play_names_the_first_packet(node: LiveNode, viewer: Caller) -> None:
    """Its number and its time are those of the packet that follows; a sender report tells which wall time that is."""
    said = viewer.play()
    info = dict(part.split("=", 1) for part in said.one("rtp-info").split(";"))
    packet = first_data(viewer)
    _, kind, number, timestamp, source = struct.unpack_from(">BBHII", packet)
    assert (kind & 0x7F, number, timestamp) == (PAYLOAD_TYPE, int(info["seq"]), int(info["rtptime"]))
    report = next(data for channel, data in iter(viewer.packet, None) if channel == 1)
    _, kind, _, reporter, seconds, rest, stamp, *_ = struct.unpack_from(">BBHIIIIII", report)
    assert (kind, reporter, stamp) == (200, source, timestamp)
    wall_ns = (seconds - 2_208_988_800) * NS + (rest * NS >> 32)
    assert min(abs(unit.wall_ns - wall_ns) for unit in node.feed.sent if unit.keyframe) < 1000


@pytest.mark.parametrize(
    ("verb", "place", "headers", "body", "status"),
    [
        ("PLAY", "", {}, b"", 455),
        ("PAUSE", "", {}, b"", 455),
        ("TEARDOWN", "", {}, b"", 454),
        ("PLAY", "", {"Session": "somebody-elses"}, b"", 454),
        ("GET_PARAMETER", "", {}, b"", 200),
        ("SET_PARAMETER", "", {}, b"volume: 11", 451),
        ("SET_PARAMETER", "", {}, b"", 200),
        ("DESCRIBE", "/elsewhere", {}, b"", 404),
        ("DESCRIBE", "", {"Accept": "text/html"}, b"", 406),
        ("DESCRIBE", "", {"Require": "onvif-replay"}, b"", 551),
        ("SETUP", "/track1", {"Transport": "RTP/AVP;multicast;client_port=5000-5001"}, b"", 461),
        ("SETUP", "/track1", {"Transport": "RTP/SAVP;unicast;client_port=5000-5001"}, b"", 461),
        ("SETUP", "/track1", {"Transport": "RTP/AVP/TCP;interleaved=0-7"}, b"", 461),
        ("SETUP", "/track1", {"Transport": "RTP/AVP;unicast;client_port=22-23"}, b"", 461),
        ("SETUP", "/track1", {"Transport": "RTP/AVP/TCP;mode=record"}, b"", 461),
        ("SETUP", "/track1", {}, b"", 461),
        ("SETUP", "/track2", {"Transport": TCP}, b"", 404),
        ("SETUP", "/track1", {"Transport": f"RTP/AVP;multicast,{TCP}"}, b"", 200),
        ("RECORD", "", {}, b"", 405),
        ("ANNOUNCE", "", {}, b"", 405),
        ("BREW", "", {}, b"", 501),
    ],
)
def test_what_cannot_be_done_is_refused_in_the_protocols_own_words(
    node: LiveNode, viewer: Caller, verb: str, place: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    """And the connection goes on."""
    assert viewer.ask("DESCRIBE").status == 200
    assert viewer.say(verb, viewer.base + place, headers, body).status == status
    assert viewer.say("OPTIONS").status == 200
    assert node.gate.register == []


def test_a_range_that_live_pictures_do_not_have_is_refused(viewer: Caller) -> None:
    """By the clock there is nothing; from now or from the beginning is the same."""
    assert viewer.set_up().status == 200
    assert viewer.ask("PLAY", headers={"Range": "clock=20260101T000000Z-"}).status == 457
    assert viewer.ask("PLAY", headers={"Range": "npt=0.000-"}).status == 200


def test_the_house_says_why_nobody_gets_in_and_each_reason_has_its_status(node: LiveNode, viewer: Caller) -> None:
    """Full, no register, over: and no frame in any of the three."""
    assert viewer.set_up().status == 200
    node.gate.most = 0
    assert viewer.ask("PLAY").status == 453
    node.gate.most, node.gate.no_register = 8, True
    assert viewer.ask("PLAY").status == 503
    node.gate.no_register = False
    assert viewer.secret is not None
    node.gate.end(viewer.secret.lease)
    assert viewer.say("PLAY").status == 401
    assert (viewer.packets, node.gate.register) == ([], [])


def test_a_port_full_of_viewers_refuses_the_next_one_in_words(node: LiveNode) -> None:
    """Those who play keep their places."""
    secret, port = node.gate.open(), node.server.ports["rtsp"]
    with ExitStack() as stack:
        for _ in range(2 * node.door.settings.max_viewers + 8):
            assert stack.enter_context(Caller(port, secret=secret)).play().status == 200
        late = stack.enter_context(Caller(port, secret=secret))
        assert late.hear().status == 503
        assert late.until_closed() == b""
        assert node.gate.ends == []


def by_tear_down(viewer: Caller) -> None:
    """It says so."""
    viewer.say("TEARDOWN")


def by_pause(viewer: Caller) -> None:
    """It may come back."""
    viewer.say("PAUSE")


def by_hanging_up(viewer: Caller) -> None:
    """A closed window."""
    viewer.close()


def by_resetting(viewer: Caller) -> None:
    """A killed program."""
    viewer.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()


def by_goodbye(viewer: Caller) -> None:
    """In a report."""
    viewer.line.sendall(struct.pack(">BBH", 0x24, 1, len(REPORT + BYE)) + REPORT + BYE)


def by_nonsense(viewer: Caller) -> None:
    """Another protocol's words."""
    viewer.line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (by_tear_down, "the viewer left"),
        (by_pause, "the viewer paused"),
        (by_hanging_up, "the connection broke"),
        (by_resetting, "the connection broke"),
        (by_goodbye, "the viewer said goodbye"),
        (by_nonsense, "the connection broke"),
    ],
)
def test_however_a_viewer_goes_the_register_hears_it(node: LiveNode, viewer: Caller, how: object, why: str) -> None:
    """Once, with the reason."""
    assert viewer.play().status == 200
    assert callable(how)
    how(viewer)
    until(lambda: node.gate.ends, "the look ends")
    assert node.gate.ends == [why]
    assert node.gate.looks == []


def test_a_paused_viewer_gets_nothing_and_may_play_again(node: LiveNode, viewer: Caller) -> None:
    """Two looks in the register, with a keyframe at the head of each."""
    assert viewer.play().status == 200
    first_data(viewer)
    assert viewer.say("PAUSE").status == 200
    viewer.packets.clear()
    before = len(node.feed.sent)
    until(lambda: len(node.feed.sent) > before + 5, "frames go on")
    assert viewer.say("GET_PARAMETER").status == 200
    assert viewer.packets == []
    assert viewer.say("PLAY").status == 200
    assert first_data(viewer)[12] & 0x1F in (6, 7)
    assert [entry.why for entry in node.gate.register] == ["", "the viewer paused", ""]


def test_the_end_of_a_lease_says_goodbye_and_hangs_up(node: LiveNode, viewer: Caller) -> None:
    """The last thing on the line is a BYE; another lease's viewer sees nothing of it."""
    with Caller(node.server.ports["rtsp"], secret=node.gate.open()) as other:
        assert other.play().status == viewer.play().status == 200
        assert viewer.secret is not None
        node.gate.end(viewer.secret.lease)
        rest = viewer.until_closed()
        assert rest.endswith(BYE[:4] + rest[-4:])
        assert first_data(other)
        assert other.say("GET_PARAMETER").status == 200
    until(lambda: node.gate.ends, "the look is over in the gate's books too")
    assert node.gate.ends[0] == "closed by a supervisor"


def test_a_lease_that_ended_before_play_opens_nothing(node: LiveNode, viewer: Caller) -> None:
    """Although its password was proved on this connection."""
    assert viewer.set_up().status == 200
    assert viewer.secret is not None
    node.gate.end(viewer.secret.lease)
    assert viewer.say("PLAY").status == 401
    assert viewer.say("DESCRIBE").status == 401


def test_the_end_of_the_node_ends_every_look_in_the_register(feed: LiveFeed) -> None:
    """Before the component has ended."""
    node = serve(feed)
    with Caller(node.server.ports["rtsp"], secret=node.gate.open()) as viewer:
        assert viewer.play().status == 200
        node.server.stop()
        assert node.server.join(30)
        assert node.gate.ends == ["the node stops"]
        viewer.until_closed()


@pytest.fixture
def timed(feed: LiveFeed) -> Iterator[tuple[LiveNode, ManualClock]]:
    """A node whose clock the test turns."""
    clock = ManualClock()
    node = serve(feed, clock=clock)
    yield node, clock
    node.server.stop()
    assert node.server.join(30)


def test_a_viewer_by_udp_without_a_sign_of_life_is_gone_after_a_minute(timed: tuple[LiveNode, ManualClock]) -> None:
    """A report, or any request, is one."""
    node, clock = timed
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as data,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control,
        Caller(node.server.ports["rtsp"], secret=node.gate.open()) as viewer,
    ):
        port = even_pair(data, control)
        said = viewer.set_up(f"RTP/AVP;unicast;client_port={port}-{port + 1}")
        server_port = int(said.one("transport").split("server_port=")[1].split("-")[0])
        assert viewer.ask("PLAY").status == 200
        data.settimeout(30)
        control.settimeout(30)
        assert data.recvfrom(2000)[1][1] == server_port
        assert control.recvfrom(2000)[1][1] == server_port + 1
        clock.advance(SILENT_S - 1)
        assert viewer.say("GET_PARAMETER").status == 200
        clock.advance(SILENT_S - 1)
        control.sendto(REPORT, ("127.0.0.1", server_port + 1))
        assert viewer.say("OPTIONS").status == 200
        assert node.gate.ends == []
        clock.advance(SILENT_S + 2)
        until(lambda: node.gate.ends, "it is gone")
        assert node.gate.ends == ["no sign of life from the viewer for 60 s"]
        assert node.gate.register[0].transport is Transport.RTSP_UDP


def test_two_viewers_by_udp_that_name_the_same_port_are_both_gone_after_a_minute(timed: tuple[LiveNode, ManualClock]) -> None:
    """As behind one address, or when somebody comes again whose old connection still stands."""
    node, clock = timed
    with (
        Caller(node.server.ports["rtsp"], secret=node.gate.open()) as first,
        Caller(node.server.ports["rtsp"], secret=node.gate.open()) as second,
    ):
        for viewer in (first, second):
            viewer.set_up("RTP/AVP;unicast;client_port=20000-20001")
            assert viewer.ask("PLAY").status == 200
        clock.advance(SILENT_S + 2)
        until(lambda: len(node.gate.ends) == 2, "both are gone")
        assert set(node.gate.ends) == {"no sign of life from the viewer for 60 s"}


def even_pair(data: socket.socket, control: socket.socket) -> int:
    """Bind both to free ports in a row; the first."""
    for port in range(20_000, 30_000, 2):
        try:
            data.bind(("127.0.0.1", port))
        except OSError:
            continue
        try:
            control.bind(("127.0.0.1", port + 1))
        except OSError:
            pytest.skip("no pair of ports")
        return port
    raise AssertionError("no free port")


def test_a_viewer_that_stops_reading_loses_its_place(timed: tuple[LiveNode, ManualClock]) -> None:
    """After ten seconds in which it took nothing; the one beside it loses nothing."""
    node, clock = timed
    with (
        Caller(node.server.ports["rtsp"], secret=node.gate.open()) as stuck,
        Caller(node.server.ports["rtsp"], secret=node.gate.open()) as good,
    ):
        stuck.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert stuck.play().status == good.play().status == 200

        def gone() -> bool:
            clock.advance(GONE_S / 8)
            while good.packets:
                good.packets.pop()
            good.packet()
            return bool(node.gate.ends)

        until(gone, "the one that takes nothing is sent away")
        assert node.gate.ends == ["the viewer took nothing for 10 s"]
        assert len(node.gate.looks) == 1


STEPS = ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "OPTIONS"]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_any_order_of_requests_is_answered_as_the_states_say(shared: LiveNode, steps: list[str]) -> None:
    """A model of the three states beside the server; the register has a look exactly while it plays."""
    state, node = "init", shared
    with Caller(node.server.ports["rtsp"], secret=node.gate.open()) as viewer:
        for step in steps:
            place = viewer.base + ("/track1" if step == "SETUP" else "")
            said: Said = viewer.ask(step, place, {"Transport": TCP} if step == "SETUP" else {})
            expected, after = 200, state
            match step, state:
                case "SETUP", "playing":
                    expected = 455
                case "SETUP", _:
                    after = "ready"
                case (("PLAY" | "PAUSE"), "init"):
                    expected = 455
                case "PLAY", _:
                    after = "playing"
                case "PAUSE", _:
                    after = "ready"
                case "TEARDOWN", "init":
                    expected = 454
                case "TEARDOWN", _:
                    after = "init"
            assert said.status == expected, (step, state)
            state = after
            if step == "TEARDOWN":
                viewer.session = ""
            until(lambda playing=state == "playing": len(node.gate.looks) == playing, "the register agrees")  # type: ignore[misc]
    until(lambda: not node.gate.looks, "it is over")


def test_a_viewer_by_ipv6_is_served_and_told_addresses_it_can_use(feed: LiveFeed) -> None:
    """In the address of the lease, in the description, in the register."""
    node = serve(feed, host="::1")
    try:
        secret = node.gate.open()
        assert "@[::1]:" in node.url(secret)
        with Caller(node.server.ports["rtsp"], host="::1", secret=secret) as viewer:
            viewer.base = f"rtsp://[::1]:{viewer.port}/live"
            assert b"IN IP6 ::1" in viewer.ask("DESCRIBE").body
            assert viewer.play().status == 200
            assert first_data(viewer)
        assert node.gate.register[0].address == "::1"
    finally:
        node.server.stop()
        assert node.server.join(30)


def test_a_renewed_certificate_is_shown_to_whoever_comes_next(feed: LiveFeed, tmp_path: Path) -> None:
    """Without a restart; one that cannot be read leaves the one before in force."""
    own, town = IdentityDirectory(tmp_path / "own"), Authority(tmp_path / "town")
    own.init("cam-1")
    gate = SmallGate(feed.broadcast)
    server = RtspServer(gate, RtspSettings("127.0.0.1", None, 0, own.chain_path, own.key_path), SystemClock())
    server.start()
    try:
        until(lambda: server.ports, "it listens")
        before = shown_at(server.ports["rtsps"])
        pair = town.issue("cam-1", server="127.0.0.1")
        own.key_path.write_bytes(pair.key.read_bytes())
        own.chain_path.write_bytes(pair.cert.read_bytes())
        after = shown_at(server.ports["rtsps"])
        own.chain_path.write_text("half a cert")
        assert before != after == shown_at(server.ports["rtsps"])
    finally:
        server.stop()
        assert server.join(30)


def shown_at(port: int) -> str:
    """The certificate a server shows."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)
