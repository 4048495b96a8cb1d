"""The SEI unit that carries a signature: built by the signer, read by the verifier.

H.264 SEI, user data unregistered: header 06 05, payload size, UUID, one reserved byte, TLV fields, stop bit. The *document* is
everything from the header to the signature field (exclusive); its SHA-256 is what the key signs. Vigie signs before emulation
prevention is applied: then no byte of the document depends on what follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from msgspec import Struct

from agent.base.phrase import say
from agent.signing import nal
from agent.signing.tlv import (
    MAX_SIGNATURE_BYTES,
    CryptoInformation,
    GopInformation,
    MalformedField,
    Tag,
    VendorInformation,
    decode_signature,
    encode_signature,
    field,
    fields,
)

UUID = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")

_HEADER = b"\x06\x05"
_STOP_BIT = b"\x80"
_CERTIFICATE_FLAG = 0x80
_PREVENTION_FLAG = 0x40
_SIGNATURE_FIELD_BYTES = 3 + 3 + MAX_SIGNATURE_BYTES


def build(body: bytes, sign: Callable[[bytes], bytes], *, certificate: bool = False) -> bytes:
    """A signed SEI unit with emulation prevention, without start code. `body` holds every field but the signature."""
    size = len(UUID) + 1 + len(body) + _SIGNATURE_FIELD_BYTES
    flags = bytes((_CERTIFICATE_FLAG if certificate else 0,))
    document = b"".join((_HEADER, b"\xff" * (size // 255), bytes((size % 255,)), UUID, flags, body))
    return nal.escape(document + field(Tag.SIGNATURE, encode_signature(sign(document))) + _STOP_BIT)


class SigningSei(Struct, frozen=True):
    """What a Media Signing SEI says. Nothing in it may be trusted before `signature` is verified over `document`."""

    document: bytes
    alternative_document: bytes | None
    signature: bytes | None
    certificate: bool
    gop: GopInformation | None
    hashes: tuple[bytes, ...]
    hash_list: bool
    crypto: CryptoInformation | None
    vendor: VendorInformation | None
    maker_chain_pem: bytes | None
    user_chain_pem: bytes | None

    @property
    def digest(self) -> bytes:
        """Names this SEI: two transmissions of one SEI have the same."""
        return hashlib.sha256(self.document).digest()


def is_signing_sei(unit: bytes) -> bool:
    """True when the unit is a user data SEI with the UUID of Media Signing; cheap."""
    return unit[:2] == _HEADER and UUID in unit[2:400]


def is_certificate_sei(unit: bytes) -> bool:
    """True for the certificate unit, of units for which `is_signing_sei` holds; cheap."""
    at = unit.index(UUID) + len(UUID)
    return at < len(unit) and bool(unit[at] & _CERTIFICATE_FLAG)


def parse(unit: bytes) -> SigningSei:
    """Read a unit for which `is_signing_sei` holds. Raises MalformedField."""
    plain = _without_prevention(unit)
    start, end = _payload_span(plain)
    if plain[start : start + 16] != UUID or start + 17 > end:
        raise MalformedField(say("the SEI holds no UUID of Media Signing where it belongs"))
    flags = plain[start + 16]
    body_at = start + 17
    found: dict[int, bytes] = {}
    chains: list[bytes] = []
    signature_at = end
    for offset, tag, value in fields(plain[body_at:end]):
        if tag == Tag.SIGNATURE:
            signature_at = body_at + offset
        elif signature_at != end:
            raise MalformedField(say("a field stands after the signature"))
        if tag == Tag.CERTIFICATES:
            chains.append(value)
        elif tag in found:
            raise MalformedField(say("field {tag} stands twice", tag=tag))
        found[tag] = value
    document = plain[:signature_at]
    alternative = None
    if flags & _PREVENTION_FLAG:
        document = nal.escape(document)
        if document.endswith(b"\x00\x00"):
            alternative = document + b"\x03"
    gop = GopInformation.decode(found[Tag.GOP]) if Tag.GOP in found else None
    return SigningSei(
        document=document,
        alternative_document=alternative,
        signature=decode_signature(found[Tag.SIGNATURE]) if Tag.SIGNATURE in found else None,
        certificate=bool(flags & _CERTIFICATE_FLAG),
        gop=gop,
        hashes=_hashes(found.get(Tag.HASHES), len(gop.gop_hash) if gop else 32),
        hash_list=Tag.HASHES in found,
        crypto=CryptoInformation.decode(found[Tag.CRYPTO]) if Tag.CRYPTO in found else None,
        vendor=VendorInformation.decode(found[Tag.VENDOR]) if Tag.VENDOR in found else None,
        maker_chain_pem=_chain(chains, user=False),
        user_chain_pem=_chain(chains, user=True),
    )


def _without_prevention(unit: bytes) -> bytes:
    """The unit as it was before emulation prevention; some muxers write it without any, which its own payload size tells."""
    end = _payload_span(unit)[1]
    if end + 1 == len(unit):
        return unit
    plain = nal.unescape(unit)
    end = _payload_span(plain)[1]
    if end + 1 != len(plain):
        raise MalformedField(say("the SEI is longer or shorter than it says"))
    return plain


def _payload_span(unit: bytes) -> tuple[int, int]:
    size, at = 0, 2
    while at < len(unit) and unit[at] == 0xFF:
        size += 0xFF
        at += 1
    if at >= len(unit):
        raise MalformedField(say("the SEI has no payload"))
    return at + 1, at + 1 + size + unit[at]


def _hashes(value: bytes | None, size: int) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if (len(value) - 1) % size:
        raise MalformedField(say("the hash list holds no whole number of hashes"))
    return tuple(value[at : at + size] for at in range(1, len(value), size))


def _chain(chains: list[bytes], *, user: bool) -> bytes | None:
    flag = b"\x01" if user else b"\x00"
    return next((value[2:] for value in chains if value[1:2] == flag), None)
