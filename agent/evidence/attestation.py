"""What an export says of itself in a `uuid` box of its own, under its seal: which masks lay on which frames, so that a court
can see it, and the certificates between the seal's and its CA."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Sequence
from typing import Any, Final

from cryptography import x509

from agent.base.errors import EvidenceError
from agent.evidence.film import Film
from agent.evidence.layer import Layer
from agent.identity.certificates import CertificateChain

ATTESTATION_UUID: Final = uuid.UUID("a2f5b7f0-51f0-5b1c-8a55-76696769656d").bytes
_MOST_BYTES: Final = 32 << 20


def attestation_box(layers: Sequence[Layer], intermediates: CertificateChain | None = None, held: int = 0) -> bytes:
    """The box as it stands in the file. Times are Unix nanoseconds; `held` counts the frames of layers with the view HELD."""
    spans = [[each.from_ns, each.to_ns, each.digest, each.opaque, each.view] for each in layers]
    said: dict[str, object] = {"masks": spans, "held": held}
    if intermediates is not None and intermediates.certificates:
        said["intermediates"] = intermediates.pem.decode("ascii")
    body = ATTESTATION_UUID + json.dumps(said, separators=(",", ":")).encode()
    return struct.pack(">I4s", 8 + len(body), b"uuid") + body


def read_attestation(film: Film) -> tuple[Layer, ...]:
    """The masks of an export; empty when the film says nothing of them that can be read."""
    try:
        spans = _said(film)["masks"]
        return tuple(Layer(int(a), int(b), str(digest), bool(opaque), str(view)) for a, b, digest, opaque, view in spans)
    except (ValueError, KeyError, TypeError, OverflowError):
        return ()


def read_held(film: Film) -> int:
    """How many frames of an export are no new ones but the one before, held; 0 when the film does not say."""
    held = _said(film).get("held", 0)
    return held if isinstance(held, int) and held > 0 else 0


def read_intermediates(film: Film) -> tuple[x509.Certificate, ...]:
    """The certificates between the seal's and its CA, if the film brings any that can be read. Nobody vouches for them yet."""
    try:
        return CertificateChain.from_pem(str(_said(film)["intermediates"]).encode("ascii"), of="export").certificates
    except (ValueError, KeyError, EvidenceError):
        return ()


def _said(film: Film) -> dict[str, Any]:
    for each in film.boxes:
        size = each.end - each.body
        if each.kind == b"uuid" and 16 <= size <= _MOST_BYTES and film.read(each.body, 16) == ATTESTATION_UUID:
            try:
                said = json.loads(film.read(each.body + 16, size - 16))
            except (ValueError, RecursionError):
                return {}
            return said if isinstance(said, dict) else {}
    return {}
