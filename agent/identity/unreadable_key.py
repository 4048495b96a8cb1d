"""A node whose key cannot be used, where it needs none: nothing is signed, and what was signed before is still verified."""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct

from agent.base.errors import EvidenceError
from agent.identity.certificates import CertificateChain, read_chain, verify_signature
from agent.identity.node_key import IdentityDirectory


class UnreadableKey(Struct, frozen=True):
    """`why` the key cannot be used; `chain`: the certificates, where they at least can be read."""

    why: EvidenceError
    chain: CertificateChain | None

    @classmethod
    def of(cls, identity: IdentityDirectory, why: EvidenceError) -> UnreadableKey:
        """With the certificates that lie there, if any do."""
        try:
            return cls(why, read_chain(identity.chain_path))
        except (EvidenceError, OSError):
            return cls(why, None)

    def sign(self, _: bytes) -> NoReturn:
        """Raises EvidenceError: why not, with the remedy."""
        raise self.why

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether the node's own key signed exactly these bytes: the certificate says it."""
        return self.chain is not None and verify_signature(self.chain.leaf, data, signature)
