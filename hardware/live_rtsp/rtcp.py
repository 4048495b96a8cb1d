"""RTCP (RFC 3550): what a sender reports, and what of a receiver's reports matters."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from agent.base.clock import NS

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
_SOURCE_DESCRIPTION: Final = 202
BYE: Final = 203
_TO_1900_S: Final = 2_208_988_800
_CNAME: Final = b"vigie"


class RtcpReport(Struct, frozen=True):
    """One packet of a receiver: its kind, and who sent it."""

    kind: int
    source: int


def sender_report(source: int, wall_ns: int, timestamp: int, packets: int, octets: int) -> bytes:
    """At `wall_ns` the stream's clock stood at `timestamp`: by this a viewer dates every picture."""
    seconds, rest = divmod(wall_ns, NS)
    made = struct.pack(
        ">BBHIIIIII",
        0x80,
        SENDER_REPORT,
        6,
        source,
        (seconds + _TO_1900_S) & 0xFFFFFFFF,
        (rest << 32) // NS,
        timestamp,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    return made + _description(source)


def bye(source: int) -> bytes:
    """The stream is over for this viewer; empty report first, as a compound packet must have one."""
    return (
        struct.pack(">BBHI", 0x80, RECEIVER_REPORT, 1, source) + _description(source) + struct.pack(">BBHI", 0x81, BYE, 1, source)
    )


def read_reports(data: bytes) -> Iterator[RtcpReport]:
    """Every packet in a datagram, as far as it is one; never raises."""
    at = 0
    while len(data) - at >= 8:
        first, kind, words, source = struct.unpack_from(">BBHI", data, at)
        if first >> 6 != 2 or not 192 <= kind <= 223:
            return
        yield RtcpReport(kind, source)
        at += 4 * (words + 1)


def _description(source: int) -> bytes:
    item = struct.pack(">IBB", source, 1, len(_CNAME)) + _CNAME + b"\0"
    item += b"\0" * (-len(item) % 4)
    return struct.pack(">BBH", 0x81, _SOURCE_DESCRIPTION, len(item) // 4) + item
