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
    return tuple(want for want in _wants(leaf) if want)


def _wants(leaf: x509.Certificate) -> tuple[str, str]:
    """What key usage and extended key usage lack; empty where nothing."""
    said = {type(each.value): each.value for each in _extensions(leaf)}
    use, uses = said.get(x509.KeyUsage), said.get(x509.ExtendedKeyUsage)
    signs = isinstance(use, x509.KeyUsage) and use.digital_signature
    usages = tuple(uses) if isinstance(uses, x509.ExtendedKeyUsage) else ()
    named = f"extended key usage {FILM_SIGNING.dotted_string} (vigie-film-signing)"
    return "" if signs else "key usage digitalSignature", "" if FILM_SIGNING in usages else named


def _extensions(certificate: x509.Certificate) -> tuple[x509.Extension[x509.ExtensionType], ...]:
    """What it says beyond name, time and key; nothing where one of them cannot be read, as a damaged one cannot."""
    try:
        return tuple(certificate.extensions)
    except ValueError:
        return ()


def contradicting(leaf: x509.Certificate) -> tuple[str, ...]:
    """The same for films of other makers and of earlier releases: only what the certificate says may speak against it."""
    try:
        said = {type(each.value) for each in leaf.extensions}
    except ValueError:
        return lacking(leaf)
    kinds = (x509.KeyUsage, x509.ExtendedKeyUsage)
    return tuple(want for kind, want in zip(kinds, _wants(leaf), strict=True) if want and kind in said)
