"""The form of a register line, and how a line hangs on the one before it.

A line is one JSON object in ASCII, ended by a newline:
`{"n":7,"node":"mast-7","at":"2026-11-23T10:00:00.000Z","clock":"synchronised","act":"held","by":"...","facts":{...},"prev":"<hex>"}`.
`n` counts from 1 without a gap. `prev` is the SHA-256 of the whole line before (without its newline), 64 zeros for the
first. `node` is missing in lines of older versions. A signed line ends in `,"key":"<id>","sig":"<hex>"}`: the signature covers
every byte before `,"sig"`, and nothing but the closing brace follows it. No name stands twice: JSON would believe the second,
which no signature may have seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol, Self

from msgspec import Struct

from agent.journal.entry import Act, Fact
from agent.journal.head import Head
from agent.ports.host import Signer

GENESIS: Final = "0" * 64
MOST_LINE_BYTES: Final = 1 << 20
_SIG: Final = b',"sig":"'


class Signature(Struct, frozen=True):
    """Who signs a line; `key_id` names the key to whoever verifies: hex of the SHA-256 of its public part."""

    signer: Signer
    key_id: str

    @classmethod
    def by(cls, signer: Signer) -> Self:
        """The signature of this signer's own key."""
        from agent.identity.certificates import CertificateChain

        return cls(signer, CertificateChain.from_pem(signer.chain_pem, of="the node's chain").key_digest)


class SignatureCheck(Protocol):
    """Is `signature` over `data` by the key of this name? None: the key is unknown."""

    def __call__(self, key_id: str, data: bytes, signature: bytes) -> bool | None: ...


class LineDraft(Struct, frozen=True):
    """What a line says, before it has its place. `at` is RFC 3339, `clock` the clock's quality then; `node` may be empty."""

    node: str
    at: str
    clock: str
    act: Act
    by: str
    facts: Mapping[str, Fact]


class ChainedLine(Struct, frozen=True):
    """One parsed line. `digest` is what the next line's `prev` must say."""

    n: int
    node: str
    at: str
    clock: str
    act: str
    by: str
    facts: Mapping[str, Fact]
    prev: str
    key_id: str
    signature: bytes
    signed_part: bytes
    digest: str

    @property
    def signed(self) -> bool:
        return bool(self.signature)


def digest(raw: bytes) -> str:
    """What the following line says of this one (given without its newline)."""
    return hashlib.sha256(raw).hexdigest()


def compose(draft: LineDraft, head: Head, signature: Signature | None) -> bytes:
    """A new line behind `head`, without its newline."""
    fields: dict[str, object] = {"n": head.n + 1}
    if draft.node:
        fields["node"] = draft.node
    fields |= {"at": draft.at, "clock": draft.clock, "act": draft.act, "by": draft.by, "facts": dict(draft.facts)}
    fields["prev"] = head.digest
    if signature is not None:
        fields["key"] = signature.key_id
    body = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode("ascii")[:-1]
    if signature is not None:
        body += _SIG + signature.signer.sign(body).hex().encode() + b'"'
    return body + b"}"


def parse(raw: bytes) -> ChainedLine:
    """One line without its newline. ValueError, in words, when it is no line of a register."""
    if len(raw) > MOST_LINE_BYTES:
        raise ValueError(f"it is {len(raw)} bytes long, a line has at most {MOST_LINE_BYTES}")
    try:
        fields = json.loads(raw.decode("ascii"), object_pairs_hook=_without_doubles)
    except _NamedTwice as error:
        raise ValueError(f"its {error.name!r} stands twice") from None
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON in ASCII") from None
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - one kind of error for whatever a file may hold
    for name, kind in _FIELDS.items():
        if not isinstance(fields.get(name), kind) or isinstance(fields[name], bool):
            raise ValueError(f"its {name!r} is missing or of the wrong kind")  # noqa: TRY004
    signature, signed_part = b"", raw
    if "sig" in fields:
        signed_part = raw[: raw.rfind(_SIG)]
        signature = _unhex(fields["sig"])
        if raw != signed_part + _SIG + signature.hex().encode() + b'"}':
            raise ValueError("something stands behind its signature, or between the two")
        if not isinstance(fields.get("key"), str):
            raise ValueError("it is signed but names no key")
    if not isinstance(fields.get("node", ""), str):
        raise ValueError("its 'node' is of the wrong kind")  # noqa: TRY004
    return ChainedLine(
        n=fields["n"],
        node=fields.get("node", ""),
        at=fields["at"],
        clock=fields["clock"],
        act=fields["act"],
        by=fields["by"],
        facts=fields["facts"],
        prev=fields["prev"],
        key_id=str(fields.get("key", "")),
        signature=signature,
        signed_part=signed_part,
        digest=digest(raw),
    )


_FIELDS: Final[Mapping[str, type]] = {"n": int, "at": str, "clock": str, "act": str, "by": str, "facts": dict, "prev": str}


class _NamedTwice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise _NamedTwice(next(name for name in names if names.count(name) > 1))
    return fields


def _unhex(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        raise ValueError("its signature is no hexadecimal text") from None
