"""A secure element with a bad contact: it signs when it is plugged in, and says so when it is not."""

from __future__ import annotations

from agent.base.errors import EvidenceError
from agent.ports.host import Signer


class FailingKey:
    """Implements Signer over another one; while `fails`, every signature is refused."""

    def __init__(self, inner: Signer, *, fails: bool = True) -> None:
        self.chain_pem = inner.chain_pem
        self.fails = fails
        self._inner = inner

    def sign(self, data: bytes) -> bytes:
        self._ask()
        return self._inner.sign(data)

    def sign_digest(self, digest: bytes) -> bytes:
        self._ask()
        return self._inner.sign_digest(digest)

    def _ask(self) -> None:
        if self.fails:
            raise EvidenceError("the secure element does not answer")
