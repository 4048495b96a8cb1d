"""Access units out of RTP packets (RFC 6184), written anew: what a viewer puts together by itself."""

from __future__ import annotations

_START = b"\0\0\0\1"
_FU_A = 28


class Depacketiser:
    """Of one viewer. `gaps` counts the packets that were missing."""

    def __init__(self) -> None:
        self._unit = bytearray()
        self._number: int | None = None
        self.gaps = 0

    def feed(self, packet: bytes) -> bytes | None:
        """One packet of pictures; the access unit, in Annex B, with its last one."""
        number = int.from_bytes(packet[2:4], "big")
        if self._number is not None:
            self.gaps += (number - self._number - 1) & 0xFFFF
        self._number = number
        if packet[12] & 0x1F != _FU_A:
            self._unit += _START + packet[12:]
        else:
            if packet[13] & 0x80:
                self._unit += _START + bytes([packet[12] & 0xE0 | packet[13] & 0x1F])
            self._unit += packet[14:]
        if not packet[1] & 0x80:
            return None
        whole = bytes(self._unit)
        self._unit.clear()
        return whole
