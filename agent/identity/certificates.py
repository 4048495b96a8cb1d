"""Certificate chains: who vouches for a key, judged at the time of the recording, by OpenSSL's own path validation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.utils import CryptographyDeprecationWarning
from msgspec import Struct

from agent.base.clock import utc
from agent.base.errors import EvidenceError
from agent.base.phrase import moment, say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.identity.ecdsa import Ecdsa
from agent.identity.pem_misfit import misfit

_MAX_PEM_BYTES = 64 * 1024
_MAX_CERTIFICATES = 8
_NO_ISSUER_GIVEN = 20
_FOREIGN_ISSUER = (2, 4, 6, 7, _NO_ISSUER_GIVEN, 21, 29, 30, 31)
"""Verify results of OpenSSL, x509_vfy.h: no authority of that name is given, or it has another key than the one that signed."""


class ChainNotTrusted(EvidenceError):
    """The certificates do not lead to the given CA, or were not valid at the time."""

    exit_code = 3


class CertificateChain(Struct, frozen=True):
    """Leaf first."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def from_pem(cls, pem: bytes, *, of: str) -> CertificateChain:
        """Read one or more PEM certificates; `of` names them in the error. Raises EvidenceError."""
        if len(pem) > _MAX_PEM_BYTES:
            raise EvidenceError(say("{of}: {count} bytes are too many for a certificate chain", of=of, count=len(pem)))
        try:
            with _without_warnings():
                found = tuple(x509.load_pem_x509_certificates(pem.rstrip(b"\0")))
        except (ValueError, x509.InvalidVersion):
            found_instead = misfit(pem, of)
            raise EvidenceError(say("{of}: {what}", of=of, what=found_instead.what), remedy=found_instead.remedy) from None
        for each in found:
            _check_readable(each, of)
        if len(found) > _MAX_CERTIFICATES:
            raise EvidenceError(say("{of}: {count} certificates are too many for a chain", of=of, count=len(found)))
        return cls(found)

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def pem(self) -> bytes:
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in self.certificates)

    @property
    def key_digest(self) -> str:
        """SHA-256 of the leaf's public key, in hex: the name of the signing key."""
        return key_digest(self.leaf)

    def check(self, anchors: CertificateChain, at_ns: int) -> None:
        """Raise ChainNotTrusted unless the leaf leads to one of `anchors` and everything on the way was valid at `at_ns`.

        An anchor may be an intermediate CA or a self-signed leaf: whoever hands it over trusts it.
        """
        from OpenSSL import crypto  # a daemon that judges no chain spares its memory

        refusals = []
        # One by one: two authorities may bear one name, as after a renewal, and OpenSSL takes the first of that name.
        for anchor in anchors.certificates:
            try:
                self._lead_to(anchor, at_ns)
            except (crypto.X509StoreContextError, crypto.Error) as error:
                refusals.append(error)
            else:
                return
        # The furthest that any got tells the most: a fault deep in a chain rather than an unknown issuer.
        told = max(refusals, key=lambda error: _verify_code(error) not in _FOREIGN_ISSUER)
        raise ChainNotTrusted(
            say(
                "the certificate of {name!r} is not trusted at {at}: {why}",
                name=common_name(self.leaf),
                at=moment(at_ns),
                why=self._in_words(told),
            ),
            remedy=say("is this the CA of the node's operator? `vigie identity show` on the node names it"),
        )

    def _in_words(self, refusal: Exception) -> str:
        """OpenSSL's word for a chain that ends before any that were given does not say whom to ask for the rest."""
        if _verify_code(refusal) != _NO_ISSUER_GIVEN:
            return str(refusal)
        highest = self.leaf
        for _ in self.certificates:
            highest = next((each for each in self.certificates if each.subject == highest.issuer), highest)
        what = say("it") if highest == self.leaf else say("the certificate of {name!r}", name=common_name(highest))
        return say(
            "{issuer!r} issued {what}, and no certificate of that authority's key is given",
            issuer=_common_name(highest.issuer),
            what=what,
        )

    def _lead_to(self, anchor: x509.Certificate, at_ns: int) -> None:
        from OpenSSL import crypto

        store = crypto.X509Store()
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(utc(at_ns))
        store.add_cert(crypto.X509.from_cryptography(anchor))
        intermediates = [crypto.X509.from_cryptography(each) for each in self.certificates[1:]]
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(self.leaf), intermediates).verify_certificate()


def read_chain(path: Path) -> CertificateChain:
    """The certificates of a file. Raises EvidenceError."""
    try:
        content = read_regular(path, _MAX_PEM_BYTES + 1)
    except OSError as error:
        raise EvidenceError(say("{path}: {why}", path=path, why=system_words(error.strerror))) from None
    # A signed film holds certificates in PEM as well: handed over as its own CA it must not vouch for itself.
    if not content.isascii() or b"\0" in content:
        found_instead = misfit(content, str(path))
        raise EvidenceError(say("{path}: {what}", path=path, what=found_instead.what), remedy=found_instead.remedy)
    return CertificateChain.from_pem(content, of=str(path))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """A certificate that a later library will refuse is no news for whoever verifies a film."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def load_der(der: bytes) -> x509.Certificate:
    """One certificate. Raises EvidenceError."""
    try:
        with _without_warnings():
            certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        raise EvidenceError(say("a certificate is damaged")) from None
    _check_readable(certificate, "certificate")
    return certificate


def _check_readable(certificate: x509.Certificate, of: str) -> None:
    """Certificates are parsed lazily: have it done here, where a damaged one can still be named."""
    try:
        supported = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        _ = (certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise EvidenceError(say("{of}: a certificate is damaged", of=of)) from None
    if not supported:
        raise EvidenceError(say("{of}: a certificate holds a key that is neither EC nor RSA", of=of))


def key_digest(certificate: x509.Certificate) -> str:
    """SHA-256 of the public key in its SubjectPublicKeyInfo form, in hex."""
    spki = certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    return digest.finalize().hex()


def _verify_code(refusal: Exception) -> int | None:
    """OpenSSL's verify result; None where it did not come as far as verifying."""
    found = getattr(refusal, "errors", None)
    return int(found[0]) if found else None


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, or the whole subject where it has none."""
    return _common_name(certificate.subject)


def _common_name(name: x509.Name) -> str:
    names = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else name.rfc4514_string()


def is_authority(certificate: x509.Certificate) -> bool:
    """True when it may issue certificates to others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def verify_signature(certificate: x509.Certificate, data: bytes, signature: bytes, hash_name: str = "sha256") -> bool:
    """True when `signature` is that of the certificate's key over `data`: ECDSA, or RSA (PKCS#1 v1.5 or PSS) for other makers."""
    algorithm = _HASHES[hash_name]
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, Ecdsa(algorithm))
            return True
        if isinstance(key, rsa.RSAPublicKey):
            return _verify_rsa(key, data, signature, algorithm)
    except (InvalidSignature, ValueError):
        return False
    return False


def _verify_rsa(key: rsa.RSAPublicKey, data: bytes, signature: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    for scheme in (padding.PKCS1v15(), padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)):
        try:
            key.verify(signature, data, scheme, algorithm)
        except InvalidSignature:
            continue
        return True
    return False


_HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
