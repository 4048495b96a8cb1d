"""An access unit as RTP packets (RFC 6184: one NAL unit in a packet, or in fragments FU-A), made once for all viewers.

Every NAL unit goes through bit by bit: signatures ride in SEI units. A viewer's own part of a packet is its sequence number and
its channel; the rest is made once. A viewer counts as the stream does for as long as it takes every frame: then all of it is
shared, and nothing is copied for it.
"""

from __future__ import annotations

import secrets
import struct
from typing import Final

from msgspec import Struct

from agent.picture.access_unit import AccessUnit
from agent.ports.live import LiveFrame
from agent.signing import nal

PAYLOAD_TYPE: Final = 96
TICKS_PER_S: Final = 90_000
MOST_PAYLOAD: Final = 1400
"""Bytes of a NAL unit in one packet: with the headers of RTP, UDP, IPv6 and a tunnel still one datagram everywhere."""
_FRAMED: Final = struct.Struct(">BBHBBHII")  # $, channel, length; version, marker and type, number, time, source
_FRAME_BYTES: Final = 4
_RTP_BYTES: Final = 12
_NUMBER: Final = struct.Struct(">H")
_FU_A: Final = 28
_START, _END = 0x80, 0x40
_KEPT: Final = 8


class Packets(Struct, frozen=True):
    """One access unit. `framed` holds all its packets as they go over channel 0 of a connection, numbered from `first` on."""

    framed: bytes
    first: int
    starts: tuple[int, ...]
    timestamp: int
    payload_bytes: int

    def numbered(self, first: int, channel: int) -> bytes | bytearray:
        """For one viewer: numbers from `first` on, wrapping at 65,536. What all share, where that is how they count."""
        if first == self.first and not channel:
            return self.framed
        made = bytearray(self.framed)
        put = _NUMBER.pack_into
        for count, start in enumerate(self.starts):
            put(made, start + 6, (first + count) & 0xFFFF)
            if channel:
                made[start + 1] = channel
        return made


class Packetiser:
    """Makes the packets of each unit once, whoever asks for them; one thread. `source` names the stream in every packet."""

    def __init__(self, source: int, first_timestamp: int) -> None:
        self.source = source
        self._first = first_timestamp
        self._number = secrets.randbelow(1 << 16)
        self._made: list[tuple[AccessUnit, Packets]] = []  # the newest first: it is asked for most

    def packets(self, frame: LiveFrame) -> Packets:
        """All viewers of a unit get the same."""
        unit = frame.unit
        for known, made in self._made:
            if known is unit:
                return made
        made = packetise(unit.data, self.timestamp(unit.pts_ns), self.source, self._number)
        self._number = (self._number + len(made.starts)) & 0xFFFF
        self._made = [(unit, made), *self._made[: _KEPT - 1]]
        return made

    def timestamp(self, pts_ns: int) -> int:
        """Media time on the stream's clock of 90 kHz."""
        return (self._first + pts_ns * 9 // 100_000) & 0xFFFFFFFF


def packetise(data: bytes, timestamp: int, source: int, first: int = 0) -> Packets:
    """The packets of one access unit in Annex B, numbered from `first` on; the last one bears the marker."""
    payloads = [piece for start, end in nal.spans(data) for piece in _pieces(data, start, end)]
    parts: list[bytes] = []
    starts = []
    at = 0
    last = len(payloads) - 1
    for number, payload in enumerate(payloads):
        length = _RTP_BYTES + len(payload)
        marked = PAYLOAD_TYPE | (0x80 if number == last else 0)
        parts += (_FRAMED.pack(0x24, 0, length, 0x80, marked, (first + number) & 0xFFFF, timestamp, source), payload)
        starts.append(at)
        at += _FRAME_BYTES + length
    return Packets(b"".join(parts), first, tuple(starts), timestamp, sum(map(len, payloads)))


def _pieces(data: bytes, start: int, end: int) -> list[bytes]:
    """One NAL unit whole, or in fragments that each say which they are."""
    if end - start <= MOST_PAYLOAD:
        return [data[start:end]]
    header = data[start]
    indicator, kind = (header & 0xE0) | _FU_A, header & 0x1F
    step = MOST_PAYLOAD - 2
    cuts = range(start + 1, end, step)
    return [
        bytes((indicator, kind | (_START if at == start + 1 else 0) | (_END if at + step >= end else 0)))
        + data[at : min(at + step, end)]
        for at in cuts
    ]
