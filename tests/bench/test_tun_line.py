"""The line of the benchmarks that stands for a mobile one: what it drops, holds back, and forgets."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from bench.tun_line import LineQuality, TunLine

NODE, RELAY = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
SYN, ACK = 0x02, 0x10


def line(quality: LineQuality) -> TunLine:
    """Without its interfaces: a test hands it packets and the time."""
    return TunLine("10.0.0.1", "10.0.0.2", "none", (-1, -1), quality)


def tcp(side: int, flags: int, port: int = 4000, size: int = 0) -> bytes:
    """From the node's end (0) or the relay's."""
    hosts, ports = (NODE + RELAY, (port, 8554)) if side == 0 else (RELAY + NODE, (8554, port))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40 + size, 0, 0, 64, 6, 0) + hosts
    return head + struct.pack(">HHIIBBHHH", *ports, 0, 0, 0x50, flags, 0, 0, 0) + bytes(size)


def passes(tun: TunLine, side: int, packet: bytes, now: float) -> bool:
    """Whether it is on its way."""
    before = tun.dropped
    tun._take(side, packet, now)
    return tun.dropped == before


def test_a_nat_lets_in_what_was_asked_for_until_it_forgets() -> None:
    """Nobody gets in uninvited; a flow that was silent for too long is dropped from both ends until it begins anew."""
    tun = line(LineQuality(forgets_s=30))
    assert not passes(tun, 1, tcp(1, SYN), 0)
    assert not passes(tun, 0, tcp(0, ACK), 0)
    assert passes(tun, 0, tcp(0, SYN), 1)
    assert passes(tun, 1, tcp(1, SYN | ACK), 30)
    assert passes(tun, 0, tcp(0, ACK), 59)
    assert not passes(tun, 0, tcp(0, ACK), 90)
    assert not passes(tun, 1, tcp(1, ACK), 90)
    assert not passes(tun, 1, tcp(1, ACK, port=4001), 91)
    assert passes(tun, 0, tcp(0, SYN), 92)


def test_a_blackout_drops_everything_and_nothing_afterwards() -> None:
    """Both ways."""
    tun = line(LineQuality(is_cut=True))
    assert not passes(tun, 0, tcp(0, SYN), 0)
    assert not passes(tun, 1, tcp(1, ACK), 0)
    tun.quality.is_cut = False
    assert passes(tun, 0, tcp(0, SYN), 1)


@given(st.lists(st.integers(0, 1400), min_size=1, max_size=60), st.floats(0, 0.2), st.floats(0, 0.2), st.integers(50, 5000))
def test_packets_keep_their_order_and_the_line_its_rate(sizes: list[int], delay: float, jitter: float, kbit: int) -> None:
    """Whatever the jitter; no more bits leave in a time than the line has, and none waits longer than its queue."""
    tun = line(LineQuality(delay, jitter, kbit, queue_s=0.5))
    sent = [tcp(0, ACK, size=size) for size in sizes]
    through = [packet for packet in sent if passes(tun, 0, packet, 10.0)]
    dues = [due for due, _ in tun._under_way[0]]
    assert [packet for _, packet in tun._under_way[0]] == through
    assert dues == sorted(dues)
    bits = sum(len(packet) for packet in through) * 8
    assert dues[-1] >= 10.0 + delay + bits / (kbit * 1000) - 1e-6
    assert dues[-1] <= 10.0 + delay + jitter + 0.5 + len(sent[0]) * 8 / 1000 / kbit + 1440 * 8 / 1000 / kbit + 1e-6
