"""Reads the bit fields of H.264 headers (ITU-T H.264, 7.2 and 9.1)."""

from __future__ import annotations

from agent.signing import nal


class Bits:
    """The bits of a NAL unit's payload, most significant first. Every method raises ValueError at the end of the data.

    `_value` is what is left of them, as one number of `_left` bits.
    """

    __slots__ = ("_left", "_value")

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    @classmethod
    def of_unit(cls, unit: bytes, most: int | None = None) -> Bits:
        """Behind the header byte of a unit, without emulation prevention; of its first `most` bytes only."""
        head = unit[1:most]
        return cls(nal.unescape(head) if b"\0\0\3" in head else head)

    def unsigned(self, size: int) -> int:
        """u(size)."""
        self._left -= size
        if self._left < 0:
            raise ValueError("a header is cut short")
        found = self._value >> self._left
        self._value &= (1 << self._left) - 1
        return found

    def flag(self) -> bool:
        """u(1)."""
        return self.unsigned(1) == 1

    def ue(self) -> int:
        """Unsigned Exp-Golomb, at most 32 bits."""
        value, left = self._value, self._left
        zeros = left - value.bit_length()
        left -= 2 * zeros + 1
        if not value or zeros > 32 or left < 0:
            raise ValueError("a header is cut short")
        found = value >> left
        self._value, self._left = value & ((1 << left) - 1), left
        return found - 1

    def se(self) -> int:
        """Signed Exp-Golomb."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
