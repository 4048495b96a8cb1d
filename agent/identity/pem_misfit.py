"""What a file is that was given as a certificate and holds none: in words, and with what to do."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from agent.base.phrase import joined, say

_LONGEST_LINE: Final = 60
_ON_THE_NODE: Final = say("give a CA in PEM; a node's own lies in identity/ca.pem, and `sudo vigie identity show` names it")


class PemMisfit(Struct, frozen=True):
    """`what` goes on from the file's name: `ca.pem: is empty`."""

    what: str
    remedy: str = _ON_THE_NODE


def misfit(content: bytes, path: str) -> PemMisfit:
    """Of a file that no certificate in PEM could be read from."""
    if not content.strip():
        return PemMisfit(say("is empty"))
    if content[4:8] in (b"ftyp", b"styp", b"moof"):
        return PemMisfit(say("is a film, and no certificate: its signatures are proved by a CA from elsewhere"))
    if content[:1] == b"\x30" and not content.isascii():
        remedy = say("`openssl x509 -inform der -in {path} -out ca.pem` makes it PEM", path=path)
        return PemMisfit(say("is no text: it may be a certificate in DER"), remedy)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    return PemMisfit(say("is no text, and no certificate")) if "\0" in text else _of_text(text)


def _of_text(text: str) -> PemMisfit:
    labels = re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----", text)
    if "CERTIFICATE" in labels:
        return PemMisfit(
            say("holds a certificate that cannot be read: it is damaged or cut short"),
            say("copy it again; {remedy}", remedy=_ON_THE_NODE),
        )
    if any(label.endswith("PRIVATE KEY") for label in labels):
        return PemMisfit(say("is a private key, and no certificate: show it to nobody"))
    if "CERTIFICATE REQUEST" in labels or "NEW CERTIFICATE REQUEST" in labels:
        return PemMisfit(say("is a request for a certificate: the CA's answer to it, and the CA's own certificate, are others"))
    if labels:
        return PemMisfit(
            say("holds {labels}, and no certificate", labels=joined(say(" and "), sorted({label.lower() for label in labels})))
        )
    begin = text.lstrip()
    if not begin:
        return PemMisfit(say("is empty"))
    if begin[:1] == "<":
        return PemMisfit(say("is a page of HTML or XML, such as a conformity sheet, and no certificate"))
    if begin[:1] in "{[" and re.match(r'[{[]\s*["{\]}]', begin):
        return PemMisfit(say("is JSON, and no certificate"))
    if re.search(r"^\[\w+(\.\w+)*\]\s*$", text, re.MULTILINE):
        return PemMisfit(say("is a configuration, and no certificate"))
    line = begin.splitlines()[0]
    return PemMisfit(say("is a text that begins {line!r}, and no certificate", line=line[:_LONGEST_LINE]))
