"""A town's certification authority, and one of a department below it: they sign what a node asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from agent.identity.certificates import CertificateChain


class TownCa:
    """A small certification authority."""

    def __init__(self, name: str = "Ville de Test", until: dt.datetime = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._until = until
        self.certificate = self.issue(self._name, self._key.public_key(), ca=True)

    def issue(
        self, subject: x509.Name, key: object, *, ca: bool, asked: Sequence[x509.Extension[x509.ExtensionType]] = ()
    ) -> x509.Certificate:
        """A certificate for this name and key."""
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)  # type: ignore[arg-type]
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        builder = builder.not_valid_after(self._until).add_extension(x509.BasicConstraints(ca, None), critical=True)
        for each in asked:
            builder = builder.add_extension(each.value, each.critical)
        return builder.sign(self._key, hashes.SHA256())

    def sign(self, request_pem: bytes, *, without: type[x509.ExtensionType] | None = None) -> CertificateChain:
        """As asked for; `without` leaves out what an authority that knows better leaves out."""
        request = x509.load_pem_x509_csr(request_pem)
        assert request.is_signature_valid
        asked = [each for each in request.extensions if without is None or not isinstance(each.value, without)]
        return CertificateChain((self.issue(request.subject, request.public_key(), ca=False, asked=asked),))

    @property
    def chain(self) -> CertificateChain:
        return CertificateChain((self.certificate,))


class Department(TownCa):
    """An authority below the town's, which issues in its stead."""

    def __init__(self, town: TownCa) -> None:
        super().__init__("Ville de Test, vidéoprotection")
        self.certificate = town.issue(self._name, self._key.public_key(), ca=True)
