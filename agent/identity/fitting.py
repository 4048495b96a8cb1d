"""Whether a certificate fits this node: its key, its name, and what a film's signature needs of it."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.base.errors import EvidenceError
from agent.base.phrase import joined, say
from agent.identity.certificates import common_name, is_authority, key_digest
from agent.identity.usage import lacking


def belongs(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bool:
    """Whether the certificate is that of this key."""
    own = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(own)
    return digest.finalize().hex() == key_digest(certificate)


def must_fit(key: ec.EllipticCurvePrivateKey, leaf: x509.Certificate, node_id: str) -> None:
    """EvidenceError with the remedy when the node could not sign with `leaf`, or nobody would believe it."""
    if not belongs(key, leaf):
        raise EvidenceError(
            say("the certificate of {name!r} is not that of this node's key", name=common_name(leaf)),
            remedy=say("it must be issued for this node's own `vigie identity csr`, leaf first"),
        )
    if common_name(leaf) != node_id:
        raise EvidenceError(
            say(
                "the certificate names {name!r}, this node is {node_id!r}",
                name=common_name(leaf),
                node_id=node_id,
            ),
            remedy=say("brokers grant topics by this name: have it issued for the node's id, by `vigie identity csr`"),
        )
    if missing := lacking(leaf):
        raise EvidenceError(
            say(
                "the certificate of {node_id!r} lacks {names}: no film signed with it would be believed",
                node_id=node_id,
                names=joined(say(" and "), missing),
            ),
            remedy=say("the CA must issue it with the extensions that `vigie identity csr` asks for"),
        )
    if is_authority(leaf):
        raise EvidenceError(
            say(
                "the certificate of {node_id!r} is that of an authority: this node's key could vouch for any other",
                node_id=node_id,
            ),
            remedy=say("the CA must issue it without `CA:TRUE`"),
        )
