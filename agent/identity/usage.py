"""What a certificate must allow before a film signed with its key is believed.

A town's CA issues certificates for brokers, web servers and people too: one of those must not pass for a camera. So the leaf
of a node carries an extended key usage of our own, beside the key usage `digitalSignature`. Its number is that of a UUID
(ITU-T X.667), 670db9a3-de45-567c-a48b-97f0b4c8c9cc.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.x509 import ObjectIdentifier

FILM_SIGNING: Final = ObjectIdentifier("2.25.136981748653763949537041025753800034764")
"""`vigie-film-signing`, an id-kp of our own."""


def lacking(leaf: x509.Certificate) -> tuple[str, ...]:
    """What a node's certificate must have and does not, in words for whoever issues it; empty when nothing is."""
    found = []
    try:
        if not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            found.append("key usage digitalSignature")
    except x509.ExtensionNotFound:
        found.append("key usage digitalSignature")
    try:
        usages = tuple(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        usages = ()
    if FILM_SIGNING not in usages:
        found.append(f"extended key usage {FILM_SIGNING.dotted_string} (vigie-film-signing)")
    return tuple(found)
