"""The tag-length-value fields of an ONVIF Media Signing SEI (ONVIF Media Signing 26.06, "TLV tags").

Every tag is one byte, every length two bytes, big endian, like the counts inside. The timestamps and the GOP counter are a
special case: the text of the standard says little endian, while ONVIF's reference signer and validator use big endian.
Vigie writes what they read, and reads both (docs/evidence.md, "Where text and reference differ").
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Literal

from msgspec import Struct

from agent.base.errors import EvidenceError
from agent.base.phrase import say

HASH_BYTES = 32
NO_HASH = bytes(HASH_BYTES)
# DER of an ECDSA signature over P-256 is at most this long; with room for it the payload size is known before signing.
MAX_SIGNATURE_BYTES = 72
# How Vigie names itself in the vendor information; its films always end with a signature.
MANUFACTURER = "Vigie"
MAX_HASHES = (0xFFFF - 1) // HASH_BYTES

# 2.16.840.1.101.3.4.2.1, serialised without tag and length.
_SHA256_OID = bytes.fromhex("608648016503040201")
_SHA256_OID_DER = b"\x06\x09" + _SHA256_OID

_UNIX_IN_1601_TICKS = 116_444_736_000_000_000
# Timestamps outside of 1960 to 2200 are taken for the other byte order.
_PLAUSIBLE_TICKS = range(_UNIX_IN_1601_TICKS - 3_155_760_000_000_000, _UNIX_IN_1601_TICKS + 72_582_480_000_000_000)
# The year 10000, which no date can name.
_END_OF_CALENDAR_TICKS = _UNIX_IN_1601_TICKS + 2_534_023_008_000_000_000


class Tag(IntEnum):
    """What a field holds."""

    GOP = 1
    HASHES = 2
    SIGNATURE = 3
    CRYPTO = 4
    VENDOR = 5
    CERTIFICATES = 6
    ARBITRARY = 7


class MalformedField(EvidenceError):
    """A Media Signing SEI that does not follow the standard."""


def ticks(wall_ns: int) -> int:
    """Unix nanoseconds as 100 ns intervals since 1601."""
    return wall_ns // 100 + _UNIX_IN_1601_TICKS


def wall_ns(at_ticks: int) -> int:
    """100 ns intervals since 1601 as Unix nanoseconds."""
    return (at_ticks - _UNIX_IN_1601_TICKS) * 100


class GopInformation(Struct, frozen=True):
    """Which (partial) GOP a SEI signs. Times are Unix nanoseconds; `end_ns` is the first instant of the next one."""

    start_ns: int
    end_ns: int
    counter: int
    nal_units: int
    gop_hash: bytes
    linked_hash: bytes
    partial: bool
    version: tuple[int, int, int] = (26, 6, 0)

    def encode(self) -> bytes:
        """The value of tag 1, version 2."""
        return b"".join(
            (
                b"\x02",
                bytes(self.version),
                b"\x01" if self.partial else b"\x00",
                ticks(self.start_ns).to_bytes(8, "big"),
                ticks(self.end_ns).to_bytes(8, "big"),
                (self.counter & 0xFFFFFFFF).to_bytes(4, "big"),
                self.nal_units.to_bytes(2, "big"),
                self.gop_hash,
                self.linked_hash,
            )
        )

    @classmethod
    def decode(cls, value: bytes) -> GopInformation:
        """Read version 1 (one timestamp) or 2. Raises MalformedField."""
        _need(len(value) >= 19, "the GOP information is cut short")
        version = value[0]
        _need(version in (1, 2), f"the GOP information has version {version}: this program knows 1 and 2")
        at = 13 if version == 1 else 21
        hashes = value[at + 6 :]
        _need(len(hashes) in (40, 64, 96, 128), "the GOP information holds no two hashes of one size")
        half = len(hashes) // 2
        order: Literal["big", "little"] = "big"
        if (
            int.from_bytes(value[5:13], "big") not in _PLAUSIBLE_TICKS
            and int.from_bytes(value[5:13], "little") in _PLAUSIBLE_TICKS
        ):
            order = "little"
        start = int.from_bytes(value[5:13], order)
        end = start if version == 1 else int.from_bytes(value[13:21], order)
        _need(max(start, end) < _END_OF_CALENDAR_TICKS, "the GOP information names an instant beyond the calendar")
        return cls(
            start_ns=wall_ns(start),
            end_ns=wall_ns(end),
            counter=int.from_bytes(value[at : at + 4], order),
            nal_units=int.from_bytes(value[at + 4 : at + 6], "big"),
            gop_hash=hashes[:half],
            linked_hash=hashes[half:],
            partial=value[4] != 0,
            version=(value[1], value[2], value[3]),
        )


class VendorInformation(Struct, frozen=True):
    """Who made the signer; `manufacturer` should tell where the CA certificate is to be had."""

    firmware: str
    serial: str
    manufacturer: str

    def encode(self) -> bytes:
        """The value of tag 5."""
        return b"\x01" + b"".join(_short_text(text) for text in (self.firmware, self.serial, self.manufacturer))

    @classmethod
    def decode(cls, value: bytes) -> VendorInformation:
        """Read tag 5; text that is no UTF-8 is shown with replacement characters. Raises MalformedField."""
        texts, at = [], 1
        for _ in range(3):
            _need(at < len(value), "the vendor information is cut short")
            end = at + 1 + value[at]
            _need(end <= len(value), "the vendor information is cut short")
            texts.append(value[at + 1 : end].decode("utf-8", "replace").rstrip("\0"))
            at = end
        return cls(*texts)


class CryptoInformation(Struct, frozen=True):
    """Which hash is used; the algorithm of the signature follows from the key in the certificate."""

    hash_name: str

    def encode(self) -> bytes:
        """The value of tag 4 for SHA-256 and an elliptic key."""
        return b"\x01" + bytes((len(_SHA256_OID_DER),)) + _SHA256_OID_DER + b"\x00" + b"\x00\x00"

    @classmethod
    def decode(cls, value: bytes) -> CryptoInformation:
        """Read tag 4. Raises MalformedField when the hash is none of SHA-2 that Media Signing films carry."""
        _need(len(value) >= 2 and len(value) >= 2 + value[1], "the cryptographic information is cut short")
        oid = value[2 : 2 + value[1]]
        name = _HASHES.get(oid)
        _need(name is not None, f"hash algorithm {oid.hex()} is unknown to this program")
        return cls(name or "")


_HASHES = {
    prefix + bytes.fromhex(oid): name
    for oid, name in (
        ("608648016503040201", "sha256"),
        ("608648016503040202", "sha384"),
        ("608648016503040203", "sha512"),
    )
    for prefix in (b"\x06\x09", b"")
}


def encode_certificates(chain_pem: bytes, *, user_provisioned: bool = False) -> bytes:
    """The value of tag 6: leaf first, without the CA."""
    return b"\x01" + (b"\x01" if user_provisioned else b"\x00") + chain_pem


def encode_signature(signature: bytes) -> bytes:
    """The value of tag 3: filled up with ones, which need no emulation prevention."""
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise EvidenceError(
            say("a signature of {number} bytes does not fit", number=len(signature)),
            remedy=say("the signing key must be EC P-256"),
        )
    return b"\x01" + len(signature).to_bytes(2, "big") + signature.ljust(MAX_SIGNATURE_BYTES, b"\x01")


def decode_signature(value: bytes) -> bytes:
    """The signature itself. Raises MalformedField."""
    _need(len(value) >= 3, "the signature is cut short")
    size = int.from_bytes(value[1:3], "big")
    _need(3 + size <= len(value), "the signature is cut short")
    return value[3 : 3 + size]


def field(tag: Tag, value: bytes) -> bytes:
    """One field with its head."""
    return bytes((tag,)) + len(value).to_bytes(2, "big") + value


def fields(payload: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Offset, tag and value of every field. Raises MalformedField when one reaches past the end."""
    at = 0
    while at < len(payload):
        _need(at + 3 <= len(payload), "a field is cut short")
        end = at + 3 + int.from_bytes(payload[at + 1 : at + 3], "big")
        _need(end <= len(payload), "a field is cut short")
        yield at, payload[at], payload[at + 3 : end]
        at = end


def _short_text(text: str) -> bytes:
    raw = text.encode()[:255]
    return bytes((len(raw),)) + raw


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise MalformedField(otherwise)
