"""The authority of a node that no town has vouched for yet: made for one certificate, its key never written down.

ONVIF Media Signing wants a chain "without its CA certificate", and its reference refuses a leaf that is its own CA. So a new
node makes an authority, has it sign the leaf, and forgets its key. It says "the same node", not "a node of this town", and names
no date that anybody vouched for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.identity.usage import FILM_SIGNING

_NAME: Final = "Vigie throw-away authority"
# It must also hold for what a node without a set clock records.
_FROM: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNTIL: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def issue(key: ec.EllipticCurvePublicKey, node_id: str) -> tuple[x509.Certificate, x509.Certificate]:
    """Leaf and authority for this key. The authority's own key is gone on return: it signs nothing else, ever."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, _NAME), x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, node_id)]
    )
    authority = (
        _builder(name, name, own.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .sign(own, hashes.SHA256())
    )
    leaf = (
        _builder(subject(node_id), name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(), critical=True)
        .add_extension(extended_usage(), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key()), critical=False)
        .sign(own, hashes.SHA256())
    )
    return leaf, authority


def is_own(leaf: x509.Certificate) -> bool:
    """True for the certificate of a node that nobody vouches for: by its own authority, or (of older nodes) by itself."""
    if leaf.issuer == leaf.subject:
        return True
    return [each.value for each in leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)] == [_NAME]


def subject(node_id: str) -> x509.Name:
    """The name of a node."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_id)])


def usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    """What a node's key is for: signatures. An authority's signs certificates."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def extended_usage() -> x509.ExtendedKeyUsage:
    """A node shows its certificate to brokers, and signs films."""
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, FILM_SIGNING])


def _builder(of: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(of)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
