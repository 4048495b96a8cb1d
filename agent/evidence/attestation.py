"""Which masks lay on which pictures of an export: a `uuid` box of the film, under its seal, so that a court can see it."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Sequence
from typing import Final

from agent.evidence.film import Film
from agent.evidence.layer import Layer

ATTESTATION_UUID: Final = uuid.UUID("a2f5b7f0-51f0-5b1c-8a55-76696769656d").bytes
_MOST_BYTES: Final = 32 << 20


def attestation_box(layers: Sequence[Layer]) -> bytes:
    """The box as it stands in the file. Times are Unix nanoseconds."""
    spans = [[each.from_ns, each.to_ns, each.digest, each.opaque, each.view] for each in layers]
    body = ATTESTATION_UUID + json.dumps({"masks": spans}, separators=(",", ":")).encode()
    return struct.pack(">I4s", 8 + len(body), b"uuid") + body


def read_attestation(film: Film) -> tuple[Layer, ...]:
    """The masks of an export; empty when the film says nothing of them that can be read."""
    for each in film.boxes:
        size = each.end - each.body
        if each.kind != b"uuid" or not 16 <= size <= _MOST_BYTES or film.read(each.body, 16) != ATTESTATION_UUID:
            continue
        try:
            spans = json.loads(film.read(each.body + 16, size - 16))["masks"]
            return tuple(Layer(int(a), int(b), str(digest), bool(opaque), str(view)) for a, b, digest, opaque, view in spans)
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            return ()
    return ()
