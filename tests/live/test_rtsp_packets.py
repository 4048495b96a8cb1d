"""What becomes of an access unit on the line: put together again by RFC 6184's rules it is the same, bit by bit."""

from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.picture.access_unit import AccessUnit
from agent.ports.live import LiveFrame
from agent.signing import nal
from hardware.live_rtsp.backlog import GONE_S, MOST_DELAY_S, Backlog
from hardware.live_rtsp.packets import MOST_PAYLOAD, Packetiser, Packets, packetise
from hardware.live_rtsp.rtcp import read_reports, sender_report

SOURCE = 0xDEADBEEF


@st.composite
def nal_units(draw: st.DrawFn) -> list[bytes]:
    """Of every type that one packet can carry, from one byte to many fragments, prevented like real ones."""
    kinds = st.sampled_from([1, 5, 6, 7, 8, 9])
    sizes = st.one_of(st.integers(0, 40), st.sampled_from([MOST_PAYLOAD - 2, MOST_PAYLOAD - 1, MOST_PAYLOAD, 4 * MOST_PAYLOAD]))
    made = []
    for _ in range(draw(st.integers(1, 5))):
        fill = draw(st.integers(1, 255))
        made.append(bytes([0x60 | draw(kinds)]) + bytes([fill]) * draw(sizes))
    return made


def rtp_packets(packets: Packets, first: int, channel: int) -> list[bytes]:
    """As a receiver takes them off a connection."""
    data, made = bytes(packets.numbered(first, channel)), []
    while data:
        mark, on, length = struct.unpack_from(">BBH", data)
        assert (mark, on) == (0x24, channel)
        made.append(data[4 : 4 + length])
        data = data[4 + length :]
    return made


def put_together(payloads: list[bytes]) -> list[bytes]:
    """RFC 6184, 5.6 and 5.8."""
    made: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            made.append(payload)
        elif payload[1] & 0x80:
            made.append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) + payload[2:])
        else:
            made[-1] += payload[2:]
    return made


@given(nal_units(), st.integers(0, 0xFFFF), st.integers(0, 254))
def test_every_nal_unit_comes_out_as_it_went_in(units: list[bytes], first: int, channel: int) -> None:
    """In order, in packets that fit, numbered without a hole, the last one marked; on any channel."""
    packets = packetise(b"".join(nal.START_CODE + unit for unit in units), 1234, SOURCE)
    made = rtp_packets(packets, first, channel)
    heads = [struct.unpack_from(">BBHII", packet) for packet in made]
    assert put_together([packet[12:] for packet in made]) == units
    assert all(len(packet) <= 12 + MOST_PAYLOAD for packet in made)
    assert [head[2] for head in heads] == [(first + at) & 0xFFFF for at in range(len(made))]
    assert [head[1] for head in heads] == [96] * (len(made) - 1) + [96 | 0x80]
    assert {(head[0], head[3], head[4]) for head in heads} == {(0x80, 1234, SOURCE)}
    assert packets.payload_bytes == sum(len(packet) - 12 for packet in made)


def test_a_unit_without_a_nal_unit_is_no_packet() -> None:
    """Nothing is sent for it."""
    assert packetise(b"\0\0\0\0", 0, SOURCE).starts == ()


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=20), st.integers(0, 2**32 - 1))
def test_the_streams_clock_runs_at_ninety_kilohertz_and_wraps(steps: list[int], first: int) -> None:
    """Without drift, however often it wraps."""
    packetiser, at, ticks = Packetiser(SOURCE, first), 0, []
    for step in steps:
        at += step
        ticks.append(packetiser.timestamp(at))
        assert ticks[-1] == (first + at * 90_000 // NS) % 2**32
    assert all((after - before) % 2**32 <= 90_001 for before, after in pairwise(ticks))


def test_all_viewers_of_a_unit_share_its_packets() -> None:
    """Made once, however many look; the next unit's are others."""
    packetiser = Packetiser(SOURCE, 0)
    one, two = (AccessUnit(nal.START_CODE + bytes([0x65, n, 1]), True, n, n, 1, n, n) for n in (1, 2))
    made = [packetiser.packets(LiveFrame(unit)) for unit in (one, one, two, one, two)]
    assert made[0] is made[1] is made[3]
    assert made[2] is made[4]
    assert made[0] is not made[2]


@given(st.binary(max_size=200))
def test_no_report_of_a_viewer_raises(data: bytes) -> None:
    """Whatever it is; what we send ourselves reads as what it is."""
    list(read_reports(data))
    report = sender_report(SOURCE, NS, 1, 2, 3)
    assert [(each.kind, each.source) for each in read_reports(report)] == [(200, SOURCE), (202, SOURCE)]


@given(
    st.floats(5_000, 500_000),
    st.floats(10_000, 500_000),
    st.integers(5, 50),
)
def test_a_slow_line_is_never_behind_by_more_than_it_may(line: float, stream: float, gop: int) -> None:
    """A model of a line of so many bytes a second under a stream of so many: what goes out arrives in time, once the line is
    known; and it never starves."""
    backlog, waiting, seen = Backlog(), 0.0, 0.0
    sizes = [stream / 25 * (4 if number % gop == 0 else 1) for number in range(25 * 30)]
    for number, size in enumerate(sizes):
        crossed = min(waiting, line / 25)
        waiting, seen = waiting - crossed, seen + crossed
        backlog.look(round(waiting), number * NS // 25 + 1)
        if backlog.admit(round(size), keyframe=number % gop == 0):
            idle = waiting < 1
            waiting += round(size)
            if number > 25 * 25:
                assert waiting / line <= MOST_DELAY_S * 1.25 or idle
    assert seen + waiting >= 0.3 * min(line, stream) * 30


@given(st.integers(1, 10**6), st.integers(1, 10**18), st.floats(0, 60))
def test_who_has_only_just_begun_does_not_stand_still(waiting: int, began_ns: int, later_s: float) -> None:
    """Although something waits for it from the first look on: ten seconds count from there."""
    backlog = Backlog()
    backlog.look(waiting, began_ns)
    assert not backlog.is_stuck(began_ns)
    now_ns = began_ns + round(later_s * NS)
    backlog.look(waiting, now_ns)
    assert backlog.is_stuck(now_ns) == (now_ns - began_ns > GONE_S * NS)


@given(st.integers(1, 9), st.integers(50, 2_000), st.integers(20_000, 120_000))
def test_a_still_scene_on_a_long_line_loses_no_keyframe(away: int, small: int, keyframe: int) -> None:
    """Acknowledged `away` frames later, so that something always waits: hardly anything crosses, and still it is no jam."""
    backlog = Backlog()
    sent: list[int] = []
    for number in range(25 * 20):
        size = keyframe if number % 125 == 0 else small
        backlog.look(sum(sent[-away:]), number * NS // 25 + 1)
        assert backlog.admit(size, keyframe=number % 125 == 0)
        sent.append(size)
