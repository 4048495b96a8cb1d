"""WS-UsernameToken: a digest of the password that a request carries in its header, each good for one request.

1. The digest comes first: who does not know the password is told nothing but that.
2. A token is taken once. What was taken is remembered for as long as its time would pass again.
3. Its time may differ from this node's by five minutes. The earlier bound never goes back, not even when the clock is set
   back; at the start it is the start itself. So no token of before is taken again, whatever was forgotten.
4. A password in the clear is never asked for, and never taken.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Final

from agent.base.clock import NS, Clock
from agent.onvif.fault import WrongProof, not_authorized
from agent.onvif.once import TakenOnce
from agent.onvif.xml_reading import XmlElement
from agent.ports.live import Gate, Secret

WITHIN_NS: Final = 300 * NS
_ROUNDED_NS: Final = NS
"""Many clients write whole seconds: what they sent after the start may seem to be a second older."""
_LONGEST: Final = 256
_NOBODY: Final = Secret("", secrets.token_urlsafe(16))
_STRANGER: Final = "no such lease is in force, or the password is another"


class UsernameTokens:
    """One thread. `since_ns`: the wall time from which on tokens may have been made here; none of before is taken."""

    def __init__(self, gate: Gate, clock: Clock, since_ns: int) -> None:
        self._gate = gate
        self._clock = clock
        self._taken = TakenOnce()
        self._not_before_ns = since_ns - _ROUNDED_NS

    def check(self, token: XmlElement) -> Secret:
        """Whose token it is. WrongProof for strangers and for what comes again; SoapFault, in words, for a clock that differs."""
        name, given = token.said("Username"), token.find("Password")
        nonce, created = token.said("Nonce"), token.find("Created")
        if given is None or created is None or not nonce or max(map(len, (name, nonce, created.text))) > _LONGEST:
            raise not_authorized("a UsernameToken of this node has Username, Password, Nonce and Created")
        if not given.attributes.get("Type", "").endswith("#PasswordDigest"):
            raise not_authorized("this node takes the digest of a password (PasswordDigest), never the password itself")
        found = self._gate.challenge(name)
        secret = found or _NOBODY
        try:
            right = hashlib.sha1(b64decode(nonce) + created.text.encode() + secret.password.encode(), usedforsecurity=False)
            told = given.text.strip().encode()
        except ValueError:
            raise WrongProof(_STRANGER) from None
        if not hmac.compare_digest(b64encode(right.digest()), told) or found is None:
            raise WrongProof(_STRANGER)
        self._take(secret.lease, right.digest(), _instant_ns(created.text))
        return secret

    def _take(self, lease: str, digest: bytes, created_ns: int | None) -> None:
        now_ns = self._clock.wall_ns()
        self._not_before_ns = max(self._not_before_ns, now_ns - WITHIN_NS)
        self._taken.forget(self._not_before_ns)
        if created_ns is None:
            raise not_authorized("Created is no time such as 2026-11-30T12:00:00Z")
        if self._taken.knows(lease, digest):
            raise WrongProof("this token was used before: each is good for one request")
        if created_ns <= self._not_before_ns or created_ns > now_ns + WITHIN_NS:
            raise not_authorized(self._clock_differs(created_ns - now_ns))
        # By the digest: nonce and time run together in it, so that a byte may pass from one to the other.
        if not self._taken.take(lease, digest, created_ns):
            raise not_authorized("this lease asks too often: the node cannot remember more tokens for now")

    def _clock_differs(self, by_ns: int) -> str:
        if abs(by_ns) <= WITHIN_NS:
            return "this token was made before the node, or its clock, was set: make a new one"
        seconds, way = abs(by_ns) // NS, "before" if by_ns < 0 else "after"
        return (
            f"this token was made {seconds} s {way} the node's own time, and {WITHIN_NS // NS} s are the most: "
            "ask GetSystemDateAndTime, and go by that"
        )


def _instant_ns(told: str) -> int | None:
    """A time without a zone is UTC."""
    try:
        read = datetime.fromisoformat(told.strip())
        return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * NS)
    except (ValueError, OverflowError):
        return None
