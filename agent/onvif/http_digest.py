"""Digest authentication of HTTP (RFC 7616), for the snapshot and for clients that know no UsernameToken.

1. SHA-256 is offered first and MD5 last: some clients take the last they read, and know only that one.
2. A nonce is this node's own, good for five minutes by the monotonic clock; none is kept, since each vouches for itself.
3. Nonce and count are taken once together. Who comes with a pair a second time is asked again, and answers if it can.
4. No password in the clear: `Basic` is not offered, and not taken.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from agent.base.clock import NS, Clock
from agent.onvif.fault import WrongProof
from agent.onvif.once import TakenOnce
from agent.ports.live import Gate, Secret

REALM: Final = "Vigie"
NONCE_NS: Final = 300 * NS
_HASHES: Final = {"SHA-256": hashlib.sha256, "MD5": lambda text: hashlib.md5(text, usedforsecurity=False)}
_PARAMETER: Final = re.compile(r'([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_LONGEST: Final = 1024
_NOBODY: Final = Secret("", secrets.token_urlsafe(16))


class StaleProof(WrongProof):
    """The password is right, the nonce too old or used: whoever knows the password answers once more."""


class HttpDigests:
    """One thread."""

    def __init__(self, gate: Gate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._taken = TakenOnce()

    def challenges(self, *, stale: bool = False) -> list[str]:
        """The values of `WWW-Authenticate`, in their order."""
        nonce = self._stamped(f"{self._clock.monotonic_ns():016x}{secrets.token_hex(8)}")
        more = ", stale=true" if stale else ""
        return [f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", algorithm={name}{more}' for name in _HASHES]

    def check(self, authorization: str, method: str, uri: str) -> Secret | None:
        """Whose answer it is; None where it is no digest at all. WrongProof for strangers, StaleProof for a used nonce.

        `uri` is the request's target as it came.
        """
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "digest" or len(rest) > _LONGEST:
            return None
        said = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        hashed = _HASHES.get(said.get("algorithm", "MD5").upper())
        user, nonce, place = said.get("username", ""), said.get("nonce", ""), said.get("uri", "")
        if hashed is None or not self._is_ours(nonce):
            raise StaleProof("this nonce is none of this node's")
        found = self._gate.challenge(user)

        def digest(*parts: str) -> str:
            return hashed(":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

        middle = [said.get("nc", ""), said.get("cnonce", ""), "auth"] if said.get("qop") else []
        password = (found or _NOBODY).password
        right = digest(digest(user, REALM, password), nonce, *middle, digest(method, place))
        told = said.get("response", "").lower()
        if not hmac.compare_digest(right.encode(), told.encode("utf-8", "surrogateescape")) or found is None or place != uri:
            raise WrongProof("no such lease is in force, or the password is another")
        self._take(found.lease, nonce, said.get("nc", "") if middle else "")
        return found

    def _take(self, lease: str, nonce: str, count: str) -> None:
        now_ns = self._clock.monotonic_ns()
        self._taken.forget(now_ns)
        until_ns = int(nonce[:16], 16) + NONCE_NS
        try:
            used = f"{nonce}:{int(count or '0', 16):x}".encode()
        except ValueError:
            raise StaleProof("the count of a nonce is a hexadecimal number") from None
        if until_ns <= now_ns or self._taken.knows(lease, used) or not self._taken.take(lease, used, until_ns):
            raise StaleProof("this nonce was used, or is too old")

    def _stamped(self, begun: str) -> str:
        return begun + hmac.new(self._key, begun.encode(), hashlib.sha256).hexdigest()[:32]

    def _is_ours(self, nonce: str) -> bool:
        return len(nonce) == 64 and nonce.isascii() and hmac.compare_digest(self._stamped(nonce[:32]), nonce)
