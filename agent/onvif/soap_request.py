"""One request: which operation it asks for, who says they ask, and where they came by."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from agent.onvif.fault import FAULT_ACTION, SoapFault
from agent.onvif.markup import SOAP, Markup, el, together
from agent.onvif.xml_reading import NotXml, XmlElement, read_xml

_SOAP_1_1: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)(?::([0-9]{1,5}))?")
_LONGEST_ID: Final = 512


class CameBy(Struct, frozen=True):
    """The address by which a client reaches this node, as it stands in a URL, and the one of the socket it came to."""

    host: str
    port: int
    local: str

    @property
    def base(self) -> str:
        """What every address of a service begins with."""
        return f"http://{self.host}:{self.port}"


class SoapRequest(Struct, frozen=True):
    """`asked` is the operation's own element. `token` is what the header proves itself with, if it tries."""

    asked: XmlElement
    token: XmlElement | None
    message_id: str
    action: str

    def header(self, *, fault: bool = False) -> Markup:
        """Of the answer: which request it belongs to, where the client numbers them."""
        if not self.message_id:
            return Markup("")
        action = FAULT_ACTION if fault else f"{self.action.removesuffix('Request')}Response"
        return together(el("wsa:Action", action), el("wsa:RelatesTo", self.message_id))


class SoapCall(Struct, frozen=True):
    """A request that may be answered. `lease` is empty where anybody may ask; `subscription` is named by the address; `gone`
    tells whether the client has hung up."""

    asked: XmlElement
    came_by: CameBy
    lease: str = ""
    subscription: str = ""
    gone: Callable[[], bool] = lambda: False


def read_request(data: bytes) -> SoapRequest:
    """SoapFault for everything that is no request."""
    try:
        root = read_xml(data)
    except NotXml as error:
        raise SoapFault(error.what, "ter:WellFormed") from None
    if root.space == _SOAP_1_1 and root.name == "Envelope":
        raise SoapFault("this is SOAP 1.1, and this node speaks 1.2", code="VersionMismatch")
    body = root.find("Body")
    if root.space != SOAP or root.name != "Envelope" or body is None or not body.children:
        raise SoapFault("this is no request in a SOAP envelope", "ter:WellFormed")
    head = root.find("Header")
    return SoapRequest(
        body.children[0],
        root.find("Header", "Security", "UsernameToken"),
        head.said("MessageID")[:_LONGEST_ID] if head else "",
        head.said("Action")[:_LONGEST_ID] if head else "",
    )


def came_by(host_header: str, local: tuple[str, int]) -> CameBy:
    """What the client wrote as Host, since behind a translated address nothing else leads back; else the socket's address.

    A client that names the socket's address without a port left the port out; any other name without one means port 80.
    """
    at, port = local[0].removeprefix("::ffff:"), local[1]
    shown = f"[{at}]" if ":" in at else at
    found = _HOST.fullmatch(host_header.strip())
    if found is None or int(found[2] or 1) not in range(1, 65536):
        return CameBy(shown, port, at)
    host = found[1]
    return CameBy(host, int(found[2]) if found[2] else port if host == shown else 80, at)
