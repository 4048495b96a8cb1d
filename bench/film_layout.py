"""What a film of this node must look like for ONVIF's reference (r25.12.3) to call it valid.

The reasons stand in docs/evidence.md (3, 5, 25, and "Where text and reference differ").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from agent.evidence.boxes import find, need, read_body, top_boxes
from agent.evidence.film import Film
from agent.identity.certificates import CertificateChain
from agent.signing import nal, sei
from agent.signing.parameter_sets import split_digest
from agent.signing.tlv import GopInformation


class Layout(Struct, frozen=True):
    """How a film is laid out. `signing`: of each picture, the signing units before its slices: True for a certificate."""

    signing: tuple[tuple[bool, ...], ...]
    gops: tuple[GopInformation, ...]
    """What the signatures say of their GOPs, each once, in order."""
    chains: tuple[CertificateChain, ...]
    stated: frozenset[bytes | None]
    """Digests of parameter sets that the signatures name."""
    ends_signed: bool
    film_ms: int
    """By `mvhd`; 0 when it is not said."""
    fragments_ms: int | None
    """By `mehd`."""


def layout(path: Path) -> Layout:
    """Of a film with a picture at least."""
    signing: list[tuple[bool, ...]] = []
    gops: list[GopInformation] = []
    chains: list[CertificateChain] = []
    stated: set[bytes | None] = set()
    units: list[bytes] = []
    with Film(path) as opened:
        for sample in opened.samples():
            units = [bytes(unit) for unit in opened.nal_units(sample)]
            first_slice = next(at for at, unit in enumerate(units) if nal.is_vcl(nal.unit_type(unit)))
            signing.append(tuple(sei.is_certificate_sei(unit) for unit in units[:first_slice] if sei.is_signing_sei(unit)))
            for unit in units:
                if not sei.is_signing_sei(unit):
                    continue
                found = sei.parse(unit)
                if found.certificate:
                    chains.append(CertificateChain.from_pem(found.maker_chain_pem or b"", of="film"))
                elif found.gop is not None and found.gop not in gops[-2:]:
                    gops.append(found.gop)
                    stated.add(split_digest(found.vendor.firmware)[1] if found.vendor else None)
    film_ms, fragments_ms = _durations(path)
    ends_signed = sei.is_signing_sei(units[-1])
    return Layout(tuple(signing), tuple(gops), tuple(chains), frozenset(stated), ends_signed, film_ms, fragments_ms)


def faults(film: Layout, anchors: CertificateChain, *, exported: bool, closed: bool = True) -> Iterator[str]:
    """What the reference would not take. `closed`: the film ought to end with a signature."""
    if any(units not in {(), (False,), (True,), (False, True)} for units in film.signing):
        yield "a certificate stands before the signature"
    if True not in film.signing[0]:
        yield "the first access unit lacks the certificate"
    begins_anew = bool(film.gops) and not any(film.gops[0].linked_hash)
    if film.signing[0] != (False, True) and film.gops and not begins_anew:
        yield "the film begins amid a chain, and not with a signature"
    for chain in film.chains:
        if any(each.issuer == each.subject or each in anchors.certificates for each in chain.certificates):
            yield "a chain holds its own CA"
    if closed and not film.ends_signed:
        yield "the film does not end with the signature over its last GOP"
    if len(film.stated) != 1 or None in film.stated:
        yield f"the signatures name {len(film.stated)} pairs of parameter sets"
    wanted = (film.film_ms, film.film_ms + 1) if exported and film.film_ms else (0, None)
    if exported is not bool(film.film_ms) or (film.film_ms, film.fragments_ms) != wanted:
        yield f"the durations are {film.film_ms} and {film.fragments_ms} ms"


def breaks(gops: Sequence[GopInformation]) -> tuple[int, int]:
    """How often the chain begins from nothing inside a film, and how often its counter leaps without that."""
    anew = sum(not any(gop.linked_hash) for gop in gops[1:])
    leaps = sum(after.counter != before.counter + 1 for before, after in pairwise(gops) if any(after.linked_hash))
    return anew, leaps


def _durations(path: Path) -> tuple[int, int | None]:
    """What `mvhd` and `mehd` say, in milliseconds."""
    with path.open("rb") as file:
        moov = memoryview(next(read_body(file, each, path.name) for each in top_boxes(file, path.name) if each.kind == b"moov"))
    mvhd, mehd = need(moov, b"mvhd"), find(moov, b"mvex", b"mehd")
    whole = int.from_bytes(mvhd[24:32] if mvhd[0] else mvhd[16:20], "big")
    return whole, None if mehd is None else int.from_bytes(mehd[4:12], "big")
