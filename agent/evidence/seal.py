"""The seal of an exported film: the node's signature over every byte of the file (ONVIF Export File Format, "Signature").

It covers what Media Signing does not: times, gaps, order of the boxes, and who exported. The signature is made over the file
with its own place filled with zeros.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from msgspec import Struct

from agent.base.clock import NS
from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.base.regular_file import open_regular
from agent.evidence.boxes import CutShort, Fields, MalformedFilm, children, find, read_body, top_boxes
from agent.evidence.export_boxes import SIGNATURE_BYTES
from agent.identity.certificates import CertificateChain, ChainNotTrusted, key_digest, load_der
from agent.identity.ecdsa import Ecdsa
from agent.ports.host import Signer

_CHUNK_BYTES: Final = 1 << 20
_MOST_TRIES: Final = 64
_UNIX_IN_1904_S: Final = 2_082_844_800
_END_OF_CALENDAR_S: Final = 253_402_300_800
"""The year 10000, which no date can name."""


class Seal(Struct, frozen=True):
    """What the file says of its export, and whether its seal holds. `intact` None: there is no seal."""

    intact: bool | None
    error: str
    unit: str
    operator: str
    exported_ns: int
    untrusted: bool = False
    """Not intact for one reason alone: it fits the file and the frames' key, but nobody who is trusted vouches for that key."""


def seal(path: Path, signer: Signer) -> None:
    """Fill the empty seal of a finished film. Durable on return. Raises EvidenceError."""
    with path.open("r+b") as file:
        place = _signature_place(file, str(path))
        if place is None or place[1] != SIGNATURE_BYTES:
            raise EvidenceError(say("{path}: has no place for a seal", path=path))
        digest = _digest(file, place)
        # DER of ECDSA is 70 to 72 bytes, by chance; the box has one size, so sign until it fits.
        signature = next(
            (made for made in (signer.sign_digest(digest) for _ in range(_MOST_TRIES)) if len(made) == SIGNATURE_BYTES), None
        )
        if signature is None:
            raise EvidenceError(
                say("{path}: the key makes no signature of {signature_bytes} bytes", path=path, signature_bytes=SIGNATURE_BYTES),
                remedy=say("it must be EC P-256"),
            )
        file.seek(place[0])
        file.write(signature)
        file.flush()
        os.fsync(file.fileno())


def read_seal(
    path: Path, anchors: CertificateChain, beside: Sequence[x509.Certificate] = (), key: str | None = None
) -> Seal | None:
    """The seal of a film; None when it is no export. Raises MalformedFilm.

    `key` is the digest of the stream's key, which must be the seal's too.

    The seal has room for one certificate: those between it and the CA are looked for in `beside`, what else the film brings.
    """
    with open_regular(path) as file:
        meta = _meta(file, str(path))
        suep = None if meta is None else find(meta, b"suep")
        if meta is None or suep is None:
            return None
        fields = Fields(suep)
        fields.version_and_flags()
        unit, _, _ = (fields.text() for _ in range(3))
        exported_ns = (fields.unsigned(8) - _UNIX_IN_1904_S) * NS
        operator = fields.text()
        if exported_ns >= _END_OF_CALENDAR_S * NS:
            return Seal(False, say("the export names an instant beyond the calendar"), unit, operator, 0)
        place = _signature_place(file, str(path))
        if place is None:
            return Seal(None, say("the export is not sealed"), unit, operator, exported_ns)
        certificate, fault = _read(file, place, meta, key)
        if certificate is None:
            return Seal(False, fault, unit, operator, exported_ns)
        refusal = _refusal(certificate, anchors, exported_ns, beside)
        return Seal(not refusal, refusal, unit, operator, exported_ns, untrusted=bool(refusal))


def _read(file: BinaryIO, place: tuple[int, int], meta: memoryview, of_stream: str | None) -> tuple[x509.Certificate | None, str]:
    """The certificate of a seal that fits the file and the frames' key, else None and what is wrong."""
    information = _information(meta)
    der = find(information, b"cert") if information is not None else None
    if der is None:
        return None, say("the seal holds no certificate")
    try:
        certificate = load_der(bytes(der))
    except EvidenceError:
        return None, say("the certificate of the seal is damaged")
    if of_stream is not None and key_digest(certificate) != of_stream:
        return None, say("the seal is of another key than the pictures")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None, say("the seal is not of EC, which is all this program judges")
    file.seek(place[0])
    signature = file.read(place[1])
    try:
        key.verify(signature, _digest(file, place), Ecdsa(Prehashed(hashes.SHA256())))
    except (InvalidSignature, ValueError):
        return None, say("the seal is broken: the file was changed since its export")
    return certificate, ""


def _refusal(
    certificate: x509.Certificate, anchors: CertificateChain, exported_ns: int, beside: Sequence[x509.Certificate]
) -> str:
    """Why nobody who is trusted vouches for the seal's key at the time of the export; empty when somebody does.

    The key is what signs: a certificate that the frames bring for it will do as well, as for the frames themselves. The
    town may have changed its CA between recording and export.
    """
    digest = key_digest(certificate)
    refusals = []
    for leaf in (certificate, *(each for each in beside if key_digest(each) == digest)):
        try:
            CertificateChain((leaf, *beside)).check(anchors, max(exported_ns, 0))
        except ChainNotTrusted as error:
            refusals.append(error.said[0])
        else:
            return ""
    return say("the seal fits the film, but {why}", why=refusals[0])


def _digest(file: BinaryIO, place: tuple[int, int]) -> bytes:
    """SHA-256 of the file with zeros in place of the signature."""
    digest = hashlib.sha256()
    file.seek(0)
    digest.update(file.read(place[0]))
    digest.update(bytes(place[1]))
    file.seek(place[0] + place[1])
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def _meta(file: BinaryIO, of: str) -> memoryview | None:
    """The children of the file-level `meta`."""
    with suppress(CutShort):  # whoever judges the film says so
        for each in top_boxes(file, of):
            if each.kind == b"meta":
                body = read_body(file, each, of)
                if len(body) < 4:
                    raise MalformedFilm(say("the `meta` box is cut short"), of=of)
                return memoryview(body)[4:]
    return None


def _information(meta: memoryview) -> memoryview | None:
    """The content of the last `schi`: of the latest signature on the file."""
    protection = find(meta, b"ipro")
    found = None
    for kind, body in children(protection[6:]) if protection is not None and len(protection) >= 6 else ():
        if kind == b"sinf":
            found = find(body, b"schi")
    return found


def _signature_place(file: BinaryIO, of: str) -> tuple[int, int] | None:
    """Offset and length of the latest signature's bytes in the file."""
    for each in top_boxes(file, of):
        if each.kind == b"meta":
            body = memoryview(read_body(file, each, of))
            found = None
            for at, end in _places(body, 4, len(body), (b"ipro", b"sinf", b"schi", b"sibo")):
                found = (each.body + at, end - at)
            return found
    return None


_FULL_BOX_HEADS: Final = {b"ipro": 6}


def _places(body: memoryview, start: int, end: int, path: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    """Start and end of the content of every box at `path`, by offset in `body`."""
    at = start
    for kind, content in children(body[start:end]):
        inner_end = at + int.from_bytes(body[at : at + 4], "big")
        inner = inner_end - len(content)
        if kind == path[0]:
            if len(path) == 1:
                yield inner, inner_end
            else:
                yield from _places(body, inner + _FULL_BOX_HEADS.get(kind, 0), inner_end, path[1:])
        at = inner_end
