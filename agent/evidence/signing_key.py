"""The key of a film: which certificates speak for it, and which units it signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.identity.certificates import CertificateChain, verify_signature
from agent.signing.sei import SigningSei


@dataclass(slots=True)
class Key:
    """The certificates of the film; `renewed`: others for the maker's key, as when a town's CA took the node over."""

    maker: CertificateChain | None = None
    user: CertificateChain | None = None
    renewed: list[CertificateChain] = field(default_factory=list)
    _known: dict[bytes, CertificateChain | None] = field(default_factory=dict)

    @property
    def signing(self) -> CertificateChain | None:
        return self.user or self.maker

    def signed(self, found: SigningSei, hash_name: str) -> bool:
        """True when the film's key signed this unit."""
        return self.signing is not None and _signed_by(self.signing, found, hash_name)

    def signed_by_its_own(self, found: SigningSei, hash_name: str) -> bool:
        """True when the certificate unit is signed by the maker's key that it carries."""
        own = self._read(found.maker_chain_pem)
        return own is not None and _signed_by(own, found, hash_name)

    def take(self, found: SigningSei) -> str:
        """Compare the certificates of a unit with those known. What is wrong with them, in words; empty for nothing."""
        for pem, known in ((found.maker_chain_pem, self.maker), (found.user_chain_pem, self.user)):
            if not pem:
                continue
            chain = self._read(pem)
            if chain is None:
                return say("a certificate is damaged")
            if chain == known or chain in self.renewed:
                continue
            if known is None or chain.key_digest != known.key_digest or known is not self.maker:
                return say("another key signs from here on: films of two keys joined")
            self.renewed.append(chain)
        return ""

    def _read(self, pem: bytes | None) -> CertificateChain | None:
        """The chain, read once; None when it is damaged."""
        if not pem:
            return None
        name = hashlib.sha256(pem).digest()
        if name not in self._known:
            try:
                self._known[name] = CertificateChain.from_pem(pem, of="certificate unit")
            except EvidenceError:
                self._known[name] = None
        return self._known[name]


def _signed_by(chain: CertificateChain, found: SigningSei, hash_name: str) -> bool:
    documents = (found.document, found.alternative_document)
    return any(
        document is not None and verify_signature(chain.leaf, document, found.signature or b"", hash_name)
        for document in documents
    )
