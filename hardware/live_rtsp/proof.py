"""How a viewer proves a lease on one connection: a digest, or a token where the line is encrypted.

1. A nonce belongs to one connection and ends with it: what was heard on another line opens nothing.
2. SHA-256 is offered first and MD5 last: some clients take the last they read, and know only that one.
3. A password or a token in the clear is heard on an encrypted line alone, and nowhere offered else.
4. An unknown user costs what a wrong password costs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode
from typing import Final

from agent.base.clock import NS, Clock
from agent.ports.live import Gate, Secret
from hardware.live_rtsp.answer import Headers
from hardware.live_rtsp.request import RtspRequest, place_of
from hardware.rtsp_login import parse

REALM: Final = "Vigie"
NONCE_S: Final = 300.0
"""How long a nonce that nobody has used yet may be used."""
TRIES: Final = 3
"""So many wrong answers, and the connection ends."""
_HASHES: Final = {"sha-256": hashlib.sha256, "md5": lambda text: hashlib.md5(text, usedforsecurity=False)}
_MOST_DIGEST: Final = 1024
_NOBODY: Final = Secret("", secrets.token_urlsafe(16))


class ProofOfLease:
    """Of one connection. One thread calls it; `check` may ask the house and take as long as a line of the register."""

    def __init__(self, gate: Gate, clock: Clock, *, encrypted: bool) -> None:
        self._gate, self._clock, self._encrypted = gate, clock, encrypted
        self._nonce, self._since_ns = "", 0
        self._stale = False
        self.wrong = 0
        self.user = ""

    def challenge(self) -> Headers:
        """What must be proved, and how it may be: the headers of a 401."""
        now_ns = self._clock.monotonic_ns()
        if not self._nonce or self._is_old(now_ns):
            self._nonce, self._since_ns = secrets.token_hex(16), now_ns
        stale, self._stale = (", stale=true" if self._stale else ""), False

        def digest(algorithm: str) -> tuple[str, str]:
            told = f'Digest realm="{REALM}", nonce="{self._nonce}", algorithm={algorithm}{stale}'
            return "WWW-Authenticate", told

        clear = [("WWW-Authenticate", f'Basic realm="{REALM}"')] if self._encrypted else []
        return [digest("SHA-256"), *clear, digest("MD5")]

    def check(self, request: RtspRequest) -> str | None:
        """The lease that this request proves; None when it proves none, which counts as wrong when it tried."""
        said = request.header("authorization")
        if not said:
            return None
        scheme, _, rest = said.partition(" ")
        match scheme.lower():
            case "digest" if len(said) <= _MOST_DIGEST:
                lease = self._digest(said, request)
            case "basic" if self._encrypted:
                lease = self._basic(rest.strip())
            case "bearer" if self._encrypted:
                self.user = "token"
                lease = self._gate.bearer(rest.strip())
            case _:
                lease = None
        self.wrong += lease is None
        return lease

    def _digest(self, said: str, request: RtspRequest) -> str | None:
        proof = next((each.parameters for each in parse(said) if each.scheme == "digest"), {})
        self.user = _shown(proof.get("username", ""))
        hashed = _HASHES.get(proof.get("algorithm", "MD5").lower())
        if not self._is_ours(proof.get("nonce", "")):
            self._stale = True  # another connection's: whoever knows the password answers once more
            return None
        if hashed is None or not _same_place(proof.get("uri", ""), request):
            return None
        found = self._gate.challenge(proof.get("username", ""))
        secret = found or _NOBODY

        def digest(*parts: str) -> str:
            return hashed(":".join(parts).encode()).hexdigest()

        right = digest(
            digest(proof.get("username", ""), REALM, secret.password), self._nonce, digest(request.verb, proof.get("uri", ""))
        )
        is_right = hmac.compare_digest(right, proof.get("response", "").lower().encode("ascii", "replace").decode())
        if not is_right or found is None:
            return None
        if self._is_old(self._clock.monotonic_ns()):
            self._stale = True
            return None
        return found.lease

    def _basic(self, encoded: str) -> str | None:
        """User and password in the clear; a password of three parts is a token, whoever the user says to be."""
        try:
            user, _, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        self.user = _shown(user)
        if password.count(".") == 2 and (lease := self._gate.bearer(password)) is not None:
            return lease
        found = self._gate.challenge(user)
        is_right = hmac.compare_digest((found or _NOBODY).password.encode(), password.encode())
        return found.lease if found is not None and is_right else None

    def _is_ours(self, nonce: str) -> bool:
        return bool(self._nonce) and hmac.compare_digest(self._nonce.encode(), nonce.encode())

    def _is_old(self, now_ns: int) -> bool:
        return now_ns - self._since_ns > NONCE_S * NS


def _same_place(uri: str, request: RtspRequest) -> bool:
    """Some clients sign the address of the stream where they ask for its track, or the other way round."""
    try:
        place = place_of(uri)
    except ValueError:
        return False
    return uri == request.uri or place == request.place or f"{request.place}/".startswith(f"{place}/")


def _shown(user: str) -> str:
    return "".join(letter for letter in user[:64] if letter.isprintable())
