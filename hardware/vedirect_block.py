"""Victron's VE.Direct text protocol: labelled lines, ended by a byte that brings the sum of all to a multiple of 256."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

_LABEL_MOST: Final = 16
_VALUE_MOST: Final = 48
_FIELDS_MOST: Final = 64
_CHECKSUM: Final = b"Checksum"
_HEX: Final = ord(":")
_LF, _CR, _TAB = ord("\n"), ord("\r"), ord("\t")


class _At(Enum):
    LABEL = auto()
    VALUE = auto()
    SUM = auto()
    HEX = auto()


class VeDirectBlocks:
    """Takes bytes as they come and gives whole blocks whose sum is right. Bounded, whatever comes. One thread.

    The first block may have begun before we listened: it is not counted as `broken`.
    """

    def __init__(self) -> None:
        self.broken = 0
        self._whole = False
        self._at = _At.LABEL
        self._sum = 0
        self._label, self._value = bytearray(), bytearray()
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[Mapping[str, str]]:
        """The blocks that end within `data`, label to value."""
        for byte in data:
            if self._at is _At.HEX:  # a message of another protocol in between: it is in no sum
                if byte == _LF:
                    self._at = _At.LABEL
                continue
            if byte == _HEX and self._at is _At.LABEL and not self._label:
                self._at = _At.HEX
                continue
            self._sum = (self._sum + byte) & 0xFF
            if self._at is _At.SUM:
                if self._sum == 0:
                    yield dict(self._fields)
                elif self._whole:
                    self.broken += 1
                self._whole = True
                self._begin()
            else:
                self._take(byte)

    def _begin(self) -> None:
        self._at = _At.LABEL
        self._sum = 0
        self._label, self._value, self._fields = bytearray(), bytearray(), {}

    def _take(self, byte: int) -> None:
        if byte == _TAB and self._at is _At.LABEL:
            self._at = _At.SUM if self._label == _CHECKSUM else _At.VALUE
        elif byte in (_CR, _LF):
            if self._at is _At.VALUE and len(self._fields) < _FIELDS_MOST:
                self._fields[self._label.decode("latin-1")] = self._value.decode("latin-1")
            self._at = _At.LABEL
            self._label.clear()
            self._value.clear()
        else:
            held, most = (self._value, _VALUE_MOST) if self._at is _At.VALUE else (self._label, _LABEL_MOST)
            if len(held) < most:
                held.append(byte)
