"""Whether the frames of an H.264 stream follow each other without a lost one, by the numbers in their slice headers.

A decoder that misses a whole picture goes on from an older one and says nothing. ITU-T H.264, 7.3.2.1, 7.3.3, 7.4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

_SLICE, _IDR, _SEI, _SPS, _PPS = 1, 5, 6, 7, 8
_PARTITION_A = 2
_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
_PREVENTED = re.compile(rb"\x00\x00\x03")
_HEADER_BYTES = 64
"""Of a slice: more than its header takes up to the frame number."""
_RECOVERY_POINT = 6
_LONGEST_CODE = 32


class References:
    """Reads every packet of a stream in decoding order. One thread. Takes Annex B, and what MP4 and Matroska hold."""

    def __init__(self, extradata: bytes | None) -> None:
        self._lengths = 0
        """Bytes of a unit's length in front of it; 0 for Annex B."""
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}
        """Which sequence parameter set each picture parameter set goes by."""
        self._latest: int | None = None
        self._reference: int | None = None
        self.recovers_after: int | None = None
        """So many frames after the last packet's, all is as if decoding had begun with an IDR picture; None: not promised."""
        with suppress(IndexError, ValueError):  # what a decoder cannot read either is known to be lacking by its slices
            for nal in self._header(extradata or b""):
                self._parameters(nal)

    def lost(self, packet: bytes) -> bool:
        """Take the next packet; whether a frame it may be predicted from is missing."""
        lost, self.recovers_after = False, None
        try:
            for nal in self._units(packet):
                kind = nal[0] & 0x1F
                if kind in (_SLICE, _PARTITION_A, _IDR):
                    lost |= self._out_of_order(nal, idr=kind == _IDR)
                elif kind == _SEI:
                    self.recovers_after = _recovery(nal)
                else:
                    self._parameters(nal)
        except (IndexError, KeyError, ValueError):
            return True  # a header that cannot be read says nothing of what it rests on
        return lost

    def _out_of_order(self, nal: bytes, *, idr: bool) -> bool:
        bits = _Bits(nal[1:_HEADER_BYTES])
        bits.unsigned()
        bits.unsigned()
        sequence = self._sequences[self._pictures[bits.unsigned()]]
        if sequence.separate_planes:
            bits.read(2)
        number = bits.read(sequence.number_bits)
        known = self._reference
        if idr:
            in_order = number == 0
        else:
            following = None if known is None else (known + 1) % (1 << sequence.number_bits)
            in_order = sequence.gaps_allowed or number in (self._latest, following)
        self._latest = number
        if nal[0] & 0x60:
            self._reference = number
        return not in_order

    def _parameters(self, nal: bytes) -> None:
        kind = nal[0] & 0x1F
        if kind == _SPS:
            sequence = _Sequence.read(nal)
            self._sequences[sequence.number] = sequence
        elif kind == _PPS:
            bits = _Bits(nal[1:_HEADER_BYTES])
            number = bits.unsigned()
            self._pictures[number] = bits.unsigned()

    def _units(self, packet: bytes) -> Iterator[bytes]:
        if not self._lengths:
            yield from _annex_b(packet)
            return
        at = 0
        while at + self._lengths < len(packet):
            size = int.from_bytes(packet[at : at + self._lengths], "big")
            at += self._lengths
            if size:
                yield packet[at : at + size]
            at += size

    def _header(self, extradata: bytes) -> Iterator[bytes]:
        if extradata[:1] != b"\x01":
            yield from _annex_b(extradata)
            return
        self._lengths = (extradata[4] & 3) + 1
        at = 5
        for mask in (0x1F, 0xFF):
            count, at = extradata[at] & mask, at + 1
            for _ in range(count):
                size = int.from_bytes(extradata[at : at + 2], "big")
                if size:
                    yield extradata[at + 2 : at + 2 + size]
                at += 2 + size


class _Sequence(Struct, frozen=True):
    """What of a sequence parameter set is needed to read a frame number."""

    number: int
    separate_planes: bool
    number_bits: int
    gaps_allowed: bool

    @classmethod
    def read(cls, nal: bytes) -> _Sequence:
        profile = nal[1]
        bits = _Bits(nal[4:])
        number, separate = bits.unsigned(), False
        if profile in _WITH_CHROMA:
            chroma = bits.unsigned()
            separate = chroma == 3 and bits.read(1) == 1
            bits.unsigned()
            bits.unsigned()
            bits.read(1)
            if bits.read(1):
                for size in (16,) * 6 + (64,) * (2 if chroma != 3 else 6):
                    if bits.read(1):
                        bits.skip_scaling_list(size)
        number_bits = bits.unsigned() + 4
        if number_bits > 16:
            raise ValueError(number_bits)
        order = bits.unsigned()
        if order == 0:
            bits.unsigned()
        elif order == 1:
            bits.read(1)
            bits.signed()
            bits.signed()
            for _ in range(bits.unsigned()):
                bits.signed()
        bits.unsigned()
        return cls(number, separate, number_bits, bits.read(1) == 1)


class _Bits:
    """Reads a payload bit by bit, without its emulation prevention. IndexError behind its end, ValueError for a wrong code."""

    def __init__(self, payload: bytes) -> None:
        self._data = _PREVENTED.sub(b"\x00\x00", payload)
        self._at = 0

    def read(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def unsigned(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > _LONGEST_CODE:
                raise ValueError("no Exp-Golomb code")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip_scaling_list(self, size: int) -> None:
        last = following = 8
        for _ in range(size):
            if following:
                following = (last + self.signed()) % 256
            last = following or last


def _annex_b(data: bytes) -> Iterator[bytes]:
    at = data.find(b"\x00\x00\x01")
    while at >= 0:
        start = at + 3
        at = data.find(b"\x00\x00\x01", start)
        nal = data[start : at if at >= 0 else len(data)].rstrip(b"\x00")
        if nal:
            yield nal


def _recovery(nal: bytes) -> int | None:
    """The `recovery_frame_cnt` of a SEI unit whose first message is a recovery point; None for any other."""
    if len(nal) < 4 or nal[1] != _RECOVERY_POINT:
        return None
    return _Bits(nal[3:_HEADER_BYTES]).unsigned()
