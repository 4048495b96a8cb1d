"""Who asks: the lease that a request proves, by HTTP's digest or by its own token. The gate alone knows the passwords."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from agent.base.clock import Clock
from agent.base.errors import VigieError
from agent.onvif.fault import WrongProof, not_authorized
from agent.onvif.http_digest import HttpDigests, StaleProof
from agent.onvif.username_token import UsernameTokens
from agent.onvif.xml_reading import XmlElement
from agent.ports.live import Gate, Secret, Transport, Way

_NOTHING_SAID: Final = "user and password of a lease are asked for"


class Unproved(VigieError):
    """HTTP 401: `challenges` say how to prove it."""

    def __init__(self, text: str, challenges: list[str]) -> None:
        super().__init__(text)
        self.challenges = challenges


class RequestHead(Struct, frozen=True):
    """What of an HTTP request a proof goes by. `target` as it came, `address` is the client's host."""

    method: str
    target: str
    authorization: str
    address: str


class ProofOfRequest:
    """One thread. Every wrong one is told to the gate, which counts it."""

    def __init__(self, gate: Gate, clock: Clock, since_ns: int) -> None:
        self._gate = gate
        self._digests = HttpDigests(gate, clock)
        self._tokens = UsernameTokens(gate, clock, since_ns)

    def lease_of(self, head: RequestHead, token: XmlElement | None = None) -> str:
        """The lease. Unproved, or SoapFault where a token says what is wrong with it. A client that sends both proves both."""
        proved = self._by_http(head)
        if token is not None:
            said = self._by_token(head, token)
            if proved is not None and proved.lease != said.lease:
                raise not_authorized("HTTP and the token name two leases")
            proved = said
        if proved is None:
            raise Unproved(_NOTHING_SAID, self._digests.challenges())
        if proved.way is not Way.RTSP:
            raise not_authorized(f"this lease is for {proved.way}, and ONVIF leads to RTSP")
        return proved.lease

    def _by_http(self, head: RequestHead) -> Secret | None:
        try:
            return self._digests.check(head.authorization, head.method, head.target)
        except StaleProof as stale:
            raise Unproved(stale.what, self._digests.challenges(stale=True)) from None
        except WrongProof as wrong:
            self._gate.refused(Transport.ONVIF, head.address, "")
            raise Unproved(wrong.what, self._digests.challenges()) from None

    def _by_token(self, head: RequestHead, token: XmlElement) -> Secret:
        try:
            return self._tokens.check(token)
        except WrongProof as wrong:
            self._gate.refused(Transport.ONVIF, head.address, token.said("Username"))
            raise not_authorized(wrong.what) from None
