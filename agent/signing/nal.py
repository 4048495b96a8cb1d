"""NAL units of H.264: where they begin and end in an Annex-B byte stream, what they are, and their emulation prevention.

Everything here works on whole `bytes` with the C speed of `bytes.find` and `re`: it runs for every frame on the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

START_CODE = b"\x00\x00\x00\x01"
_SHORT_START_CODE = b"\x00\x00\x01"

SLICE = 1
IDR_SLICE = 5
SEI = 6
SPS = 7
PPS = 8
AUD = 9

_VCL_TYPES = frozenset(range(1, 6))

_NEEDS_PREVENTION = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_PREVENTED = re.compile(rb"\x00\x00\x03")


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every NAL unit of an Annex-B stream, without start code and trailing zero bytes; never empty."""
    find = data.find
    at = find(_SHORT_START_CODE)
    while at >= 0:
        start = at + 3
        at = find(_SHORT_START_CODE, start)
        end = len(data) if at < 0 else at
        while end > start and data[end - 1] == 0:
            end -= 1
        if end > start:
            yield start, end


def units(data: bytes) -> Iterator[bytes]:
    """Every NAL unit of an Annex-B stream."""
    return (data[start:end] for start, end in spans(data))


def unit_type(nal: bytes) -> int:
    """`nal_unit_type` of a unit that is not empty."""
    return nal[0] & 0x1F


def is_vcl(kind: int) -> bool:
    """True for coded slices and data partitions: the units that carry picture."""
    return kind in _VCL_TYPES


def is_gop_start(nal: bytes) -> bool:
    """True for the first slice of an IDR picture: the anchor that every other hash of its GOP hangs on.

    `first_mb_in_slice` is ue(v) right after the header, so zero is a single set bit.
    """
    return len(nal) > 1 and nal[0] & 0x1F == IDR_SLICE and nal[1] >= 0x80


def is_picture_start(nal: bytes) -> bool:
    """True for a slice that holds the first macroblock of its frame."""
    return len(nal) > 1 and nal[0] & 0x1F in _VCL_TYPES and nal[1] >= 0x80


def escape(payload: bytes) -> bytes:
    """With emulation prevention: no 00 00 00, 00 00 01, 00 00 02 or 00 00 03 is left to mislead a decoder."""
    return _NEEDS_PREVENTION.sub(b"\x00\x00\x03", payload)


def unescape(payload: bytes) -> bytes:
    """Without emulation prevention bytes."""
    return _PREVENTED.sub(b"\x00\x00", payload)
