"""WS-Discovery's messages: who asks for what, and how this node says that it is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from agent.onvif.device_service import NodeWords
from agent.onvif.markup import SOAP, Markup, el, envelope, together
from agent.onvif.xml_reading import NotXml, XmlElement, read_xml

_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_SPACES: Final[Mapping[str, str]] = {
    "s": SOAP,
    "a": _ADDRESSING,
    "d": _DISCOVERY,
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
}
_TYPES: Final = ("dn:NetworkVideoTransmitter", "tds:Device")
_TO_ALL: Final = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
_TO_WHO_ASKED: Final = f"{_ADDRESSING}/role/anonymous"
_BY_PREFIX: Final = frozenset({"", f"{_DISCOVERY}/rfc3986"})
_BY_LETTER: Final = f"{_DISCOVERY}/strcmp0"
_LONGEST_ID: Final = 256


class DiscoveryWords:
    """One thread. `instance` grows from start to start, so that listeners tell a new life from an old one."""

    def __init__(self, node: NodeWords, instance: int) -> None:
        self._node = node
        self._instance = instance
        self._number = 0

    def answer(self, datagram: bytes, xaddr: str) -> bytes | None:
        """To a probe that means this node; None to all else, whatever it is."""
        try:
            root = read_xml(datagram)
        except NotXml:
            return None
        probe, asked = root.find("Body", "Probe"), root.find("Header", "MessageID")
        if root.name != "Envelope" or probe is None or asked is None or not self._is_meant(probe):
            return None
        match = el("d:ProbeMatches", self._presence("d:ProbeMatch", xaddr))
        return self._message("ProbeMatches", _TO_WHO_ASKED, match, relates_to=asked.text.strip()[:_LONGEST_ID])

    def hello(self, xaddr: str) -> bytes:
        """The node is there from now on."""
        return self._message("Hello", _TO_ALL, self._presence("d:Hello", xaddr))

    def bye(self) -> bytes:
        """It is not, from now on."""
        return self._message("Bye", _TO_ALL, el("d:Bye", self._reference()))

    def _is_meant(self, probe: XmlElement) -> bool:
        types = {name.rpartition(":")[2] for name in probe.said("Types").split()}
        if not types <= {name.rpartition(":")[2] for name in _TYPES}:
            return False
        scopes = probe.find("Scopes")
        if scopes is None:
            return True
        by = scopes.attributes.get("MatchBy", "").strip()
        return all(self._has(scope, by) for scope in scopes.text.split())

    def _has(self, scope: str, by: str) -> bool:
        if by == _BY_LETTER:
            return scope in self._node.scopes
        above = scope.rstrip("/")
        return by in _BY_PREFIX and any(mine == above or mine.startswith(f"{above}/") for mine in self._node.scopes)

    def _presence(self, name: str, xaddr: str) -> Markup:
        return el(
            name,
            self._reference(),
            el("d:Types", " ".join(_TYPES)),
            el("d:Scopes", " ".join(self._node.scopes)),
            el("d:XAddrs", xaddr),
            el("d:MetadataVersion", 1),
        )

    def _reference(self) -> Markup:
        return el("a:EndpointReference", el("a:Address", self._node.endpoint))

    def _message(self, action: str, to: str, body: Markup, relates_to: str = "") -> bytes:
        self._number += 1
        header = together(
            el("a:MessageID", f"urn:uuid:{uuid.uuid4()}"),
            el("a:RelatesTo", relates_to) if relates_to else together(),
            el("a:To", to),
            el("a:Action", f"{_DISCOVERY}/{action}"),
            el("d:AppSequence", attr={"InstanceId": self._instance, "MessageNumber": self._number}),
        )
        return envelope(body, header, _SPACES)
