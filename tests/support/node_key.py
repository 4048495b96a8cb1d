"""A stand-in for the node's key: a keyed digest, good enough to tell one node's signature from another's."""

from __future__ import annotations

import hashlib
import hmac


class NodeKey:
    """Signs and verifies with one secret."""

    def __init__(self, secret: bytes = b"this node") -> None:
        self._secret = secret

    def sign(self, data: bytes) -> bytes:
        return hmac.new(self._secret, data, hashlib.sha256).digest()

    def verify(self, data: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(data), signature)
