"""XML as this node writes it: elements with their text escaped, and the envelope around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
SPACES: Final[Mapping[str, str]] = {
    "s": SOAP,
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsrf": "http://docs.oasis-open.org/wsrf/r-2",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "ter": "http://www.onvif.org/ver10/error",
    "tns1": "http://www.onvif.org/ver10/topics",
    "vigie": "urn:vigie:topics",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
"""Every prefix that answers bear, whether they need it or not: topics name some in their text."""

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class Markup(str):
    """XML that is whole: its text is escaped already."""

    __slots__ = ()


NOTHING: Final = Markup("")


def el(name: str, *content: object, attr: Mapping[str, object] | None = None) -> Markup:
    """One element. What is no Markup is text, and escaped; True and False are written as XML writes them."""
    begun = name + "".join(f' {key}="{written(value)}"' for key, value in (attr or {}).items())
    inner = "".join(part if isinstance(part, Markup) else written(part) for part in content)
    return Markup(f"<{begun}>{inner}</{name}>" if inner else f"<{begun}/>")


def together(*parts: Markup) -> Markup:
    """One behind the other."""
    return Markup("".join(parts))


def written(value: object) -> str:
    """A value as text of an element or an attribute. What XML cannot hold is replaced."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_IN_XML.sub("\ufffd", str(value)).translate(_ESCAPES)


def envelope(body: Markup, header: Markup = NOTHING, spaces: Mapping[str, str] = SPACES) -> bytes:
    """A whole document. `spaces`: what its prefixes stand for."""
    bound = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope{bound}>{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()
