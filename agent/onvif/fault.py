"""What a client is told that asked for something it does not get: a fault, in SOAP's own words."""

from __future__ import annotations

from typing import Final, Literal

from agent.base.errors import VigieError
from agent.onvif.markup import Markup, el

FAULT_ACTION: Final = "http://www.w3.org/2005/08/addressing/soap/fault"
_LONGEST: Final = 500


class WrongProof(VigieError):
    """Somebody tried to prove a lease and did not: to be counted."""


class SoapFault(VigieError):
    """`subcodes` from the general one to the special one, with their prefix. The text is for a person."""

    def __init__(
        self, text: str, *subcodes: str, code: Literal["Sender", "Receiver", "VersionMismatch"] = "Sender", detail: str = ""
    ) -> None:
        super().__init__(text)
        self.code = code
        self.subcodes = subcodes
        self.detail = detail

    @property
    def status(self) -> int:
        """Of HTTP: whose fault it is."""
        return 500 if self.code == "Receiver" else 400

    def body(self) -> Markup:
        """The fault as it stands in the envelope."""
        nested = Markup("")
        for subcode in reversed(self.subcodes):
            nested = el("s:Subcode", el("s:Value", subcode), nested)
        text = str(self)[:_LONGEST]
        detail = el("s:Detail", el(self.detail)) if self.detail else Markup("")
        reason = el("s:Reason", el("s:Text", text, attr={"xml:lang": "en"}))
        return el("s:Fault", el("s:Code", el("s:Value", f"s:{self.code}"), nested), reason, detail)


def not_authorized(text: str) -> SoapFault:
    """Nobody who may ask for this."""
    return SoapFault(text, "ter:NotAuthorized")


def not_supported(text: str) -> SoapFault:
    """A request that this node does not know."""
    return SoapFault(text, "ter:ActionNotSupported", code="Receiver")


def wrong_value(text: str, *special: str) -> SoapFault:
    """A request whose value names nothing here."""
    return SoapFault(text, "ter:InvalidArgVal", *special)


def of_subscription(text: str, detail: str) -> SoapFault:
    """A fault of WS-Notification, which the standard wants told as the receiver's."""
    return SoapFault(text, "ter:InvalidArgVal", code="Receiver", detail=detail)
