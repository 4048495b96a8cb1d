"""The signature scheme of a node: ECDSA, with whatever digest is named."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed


class Ecdsa(ec.ECDSA):
    """As cryptography's own, which to answer a question we do not ask (RFC 6979) loads a second set of bindings, 2 MB."""

    def __init__(self, algorithm: hashes.HashAlgorithm | Prehashed) -> None:
        self._digest = algorithm

    @property
    def algorithm(self) -> hashes.HashAlgorithm | Prehashed:
        return self._digest

    @property
    def deterministic_signing(self) -> bool:
        return False
