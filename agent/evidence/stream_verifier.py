"""Walks a signed stream once, in decoding order, and says of every picture whether a signature speaks for it.

Slices wait until a signature comes; a signature that holds is compared by its GOP hash, and hash by hash only where that
disagrees, so that a fault is placed on its picture.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from msgspec import Struct

from agent.base.clock import NS, rfc3339
from agent.base.errors import EvidenceError
from agent.evidence.alignment import Alignment, align
from agent.evidence.findings import Findings
from agent.evidence.report import Span, State
from agent.identity.certificates import CertificateChain, verify_signature
from agent.signing import nal, sei
from agent.signing.sei import SigningSei
from agent.signing.tlv import MANUFACTURER, NO_HASH, GopInformation, MalformedField, VendorInformation

_NAL_UNITS_A_SIGNATURE_CAN_COVER = 0xFFFF
_STRAY_UNITS = 64
_TOLD_GAP_NS = 5 * NS


class _Unit(Struct, frozen=True):
    """A hashed slice that waits for its signature."""

    picture: int
    digest: bytes
    gop_start: bool


@dataclass(slots=True)
class Key:
    """The certificates of the film; `renewed`: others for the maker's key, as when a town's CA took the node over."""

    maker: CertificateChain | None = None
    user: CertificateChain | None = None
    renewed: list[CertificateChain] = field(default_factory=list)

    @property
    def signing(self) -> CertificateChain | None:
        return self.user or self.maker


@dataclass(slots=True)
class StreamVerifier:
    """Takes NAL units in decoding order. Holds the hashes of unsigned units only. One thread."""

    hash_name: str = "sha256"
    key: Key = field(default_factory=Key)
    found: Findings = field(default_factory=Findings)
    vendor: VendorInformation | None = None
    seis: int = 0
    gops: int = 0
    _pending: deque[_Unit] = field(default_factory=deque)
    _anchor: bytes | None = None
    _previous: GopInformation | None = None
    _previous_first: bytes | None = None
    _seen: set[bytes] = field(default_factory=set)
    _latest: bytes = b""
    _hash: Callable[[bytes], bytes] = field(init=False)

    def __post_init__(self) -> None:
        name = self.hash_name
        self._hash = lambda data: hashlib.new(name, data).digest()
        if name == "sha256":
            self._hash = lambda data: hashlib.sha256(data).digest()

    def take(self, unit: bytes, picture: int) -> None:
        """The next NAL unit of picture number `picture`."""
        self.found.reach(picture)
        kind = nal.unit_type(unit)
        if nal.is_vcl(kind):
            self._pending.append(_Unit(picture, self._hash(unit), nal.is_gop_start(unit)))
            if len(self._pending) > 2 * _NAL_UNITS_A_SIGNATURE_CAN_COVER:
                self._change(self._drop(_NAL_UNITS_A_SIGNATURE_CAN_COVER), "no signature speaks for these pictures")
        elif kind == nal.SEI and sei.is_signing_sei(unit):
            self.seis += 1
            self._take_sei(unit, picture)

    def fault(self, picture: int, why: str) -> None:
        """Players may show something else than the signed picture here."""
        self.found.reach(picture)
        self.found.say(State.CHANGED, picture, picture, 1, why)

    @property
    def is_of_vigie(self) -> bool:
        """True when the film says so; every film of Vigie ends with a signature."""
        return self.vendor is not None and self.vendor.manufacturer.startswith(MANUFACTURER)

    def finish(self) -> None:
        """The film is over: what still waits has no signature."""
        if self.seis:
            self._judge_dangling(self._drop(len(self._pending)), "no signature follows")

    def _judge_dangling(self, units: list[_Unit], why: str) -> None:
        """Units at the end of a recording that no signature covers: one GOP may be, whatever lies before it may not."""
        if not units:
            return
        starts = [number for number, unit in enumerate(units) if unit.gop_start]
        begins_at = 0
        if self._previous is not None and not self._previous.partial:
            begins_at = starts[0] if starts else len(units)
            self._change(units[:begins_at], "inserted after the end of a signed GOP")
        # A signature comes with the GOP that follows, or shortly after it began: one whole GOP and one picture may lack theirs.
        later = [start for start in starts if start > begins_at]
        dangling_from = later[-1] if later else begins_at
        if later and units[dangling_from].picture == units[-1].picture:
            dangling_from = later[-2] if len(later) > 1 else begins_at
        self._change(units[begins_at:dangling_from], "the signature of this GOP is missing although the next GOP follows")
        dangling = units[dangling_from:]
        if dangling:
            self.found.say(State.PENDING, dangling[0].picture, dangling[-1].picture, len(dangling), why)

    # --- signatures -------------------------------------------------------------------------------------------------

    def _take_sei(self, unit: bytes, picture: int) -> None:
        try:
            found = sei.parse(unit)
        except MalformedField as error:
            self.found.say(State.CHANGED, picture, picture, 1, f"a signature unit is damaged: {error.what}")
            return
        if found.signature is None:
            raise EvidenceError(
                "this film signs several GOPs with one signature: Vigie does not judge that variant of the standard",
                remedy="use ONVIF's own validator",
            )
        if found.certificate:
            self._take_certificate(found, picture)
        elif self.key.signing is None or not _signed_by(self.key.signing, found, self.hash_name):
            self.found.say(State.CHANGED, picture, picture, 1, "a signature is not that of the film's key over its content")
        elif found.gop is None:
            self.found.say(State.CHANGED, picture, picture, 1, "a signature says nothing of its GOP")
        else:
            if found.maker_chain_pem or found.user_chain_pem:
                self._same_key(found, picture)
            self.vendor = self.vendor or found.vendor
            self._judge(found, found.gop, picture)

    def _take_certificate(self, found: SigningSei, picture: int) -> None:
        try:
            own = CertificateChain.from_pem(found.maker_chain_pem or b"", of="certificate unit")
        except EvidenceError:
            own = None
        if own is None or not _signed_by(own, found, self.hash_name):
            self.found.say(State.CHANGED, picture, picture, 1, "the certificate unit is not signed by its own key")
            return
        self._same_key(found, picture)
        self.vendor = self.vendor or found.vendor

    def _same_key(self, found: SigningSei, picture: int) -> None:
        for pem, known in ((found.maker_chain_pem, self.key.maker), (found.user_chain_pem, self.key.user)):
            try:
                chain = CertificateChain.from_pem(pem, of="certificate unit") if pem else None
            except EvidenceError:
                self.found.say(State.CHANGED, picture, picture, 1, "a certificate is damaged")
                continue
            if chain is None or chain == known or chain in self.key.renewed:
                continue
            if known is not None and chain.key_digest == known.key_digest and known is self.key.maker:
                self.key.renewed.append(chain)
            else:
                self.found.say(State.CHANGED, picture, picture, 1, "another key signs from here on: films of two keys joined")

    def _judge(self, found: SigningSei, gop: GopInformation, picture: int) -> None:
        digest = found.digest
        if digest in self._seen:
            if self._takes_whole(gop):
                self._change(self._drop(gop.nal_units), "repeated: these pictures stood in the film before", gop)
            elif digest != self._latest:
                self.found.say(State.CHANGED, picture, picture, 1, "an earlier signature again: moved or repeated", gop)
            return
        self._seen.add(digest)
        self._latest = digest
        self.gops += 1
        if self._previous is not None and _begins_anew(gop):
            self._end_recording(found, gop)
        self._check_order(gop, picture)
        first = found.hashes[0] if found.hashes else None
        if self._previous is None and not self._pending:
            # The film was cut out of a longer one: its first signature speaks for the GOP before the cut.
            self._anchor = first if gop.partial else None
        elif self._takes_whole(gop):
            units = self._drop(gop.nal_units)
            first = self._digest(units[0])
            self._advance_anchor(units)
            self.found.say(State.AUTHENTIC, units[0].picture, units[-1].picture, len(units), gop=gop)
            self.found.date(gop)
        else:
            self._judge_singly(found, gop, picture, starts_gop=self._previous is None or not self._previous.partial)
            self.found.date(gop)
        self._previous, self._previous_first = gop, first

    def _end_recording(self, found: SigningSei, gop: GopInformation) -> None:
        """Signing begins anew: what waits from before its first GOP is the end of a recording that broke off."""
        first = found.hashes[0] if found.hashes else None
        for number, unit in enumerate(self._pending):
            if number and unit.gop_start and (unit.digest == first if first else len(self._pending) - number == gop.nal_units):
                self._judge_dangling(self._drop(number), "no signature follows: the recording broke off here")
                return

    def _judge_singly(self, found: SigningSei, gop: GopInformation, picture: int, *, starts_gop: bool) -> None:
        """Compare hash by hash, and leave what does not belong to this GOP to the next signature."""
        units = list(islice(self._pending, self._window(found, gop)))
        boundary = next((number for number, unit in enumerate(units) if number and unit.gop_start), len(units))
        if not found.hashes:
            used = min(gop.nal_units, boundary)
            if used < gop.nal_units:
                self.found.say(State.MISSING, picture, picture, gop.nal_units - used, "the GOP is shorter than signed", gop)
            self._change(self._drop(used), "the GOP differs from what was signed", gop)
            self._anchor = None
            return
        result = self._aligned(units, found, boundary, starts_gop=starts_gop)
        lacking = dict(result.missing)
        for number, unit in enumerate(self._drop(result.used)):
            if number in lacking:
                self.found.say(State.MISSING, unit.picture, unit.picture, lacking.pop(number), "signed, but not in the film", gop)
            if result.matches[number] is None:
                self._change([unit], "changed, inserted or moved since it was signed", gop)
            else:
                self.found.say(State.AUTHENTIC, unit.picture, unit.picture, 1, gop=gop)
        for count in lacking.values():
            self.found.say(State.MISSING, picture, picture, count, "signed, but not in the film", gop)

    def _aligned(self, units: list[_Unit], found: SigningSei, boundary: int, *, starts_gop: bool) -> Alignment:
        """The units beside the signed hashes. After a partial GOP either its GOP goes on or, after a pause, a new one begins."""
        first = found.hashes[0]
        begun = align(
            [unit.digest if unit.digest == first else self._hash(first + unit.digest) for unit in units], found.hashes, boundary
        )
        if not starts_gop and self._anchor is not None:
            anchor = self._anchor
            going_on = align([self._hash(anchor + unit.digest) for unit in units], found.hashes, boundary)
            if going_on.in_order >= begun.in_order:
                return going_on
        self._anchor = first
        return begun

    def _window(self, found: SigningSei, gop: GopInformation) -> int:
        """How many pending units may be of this GOP: twice as many as were signed, from where it begins."""
        begins_at = 0
        if found.hashes:
            begins_at = next((number for number, unit in enumerate(self._pending) if unit.digest == found.hashes[0]), 0)
        return min(begins_at + 2 * gop.nal_units + _STRAY_UNITS, len(self._pending))

    def _check_order(self, gop: GopInformation, picture: int) -> None:
        """Does this GOP follow the one before it?"""
        before, first = self._previous, self._previous_first
        if before is None:
            return
        step = (gop.counter - before.counter) & 0xFFFFFFFF
        if _begins_anew(gop):
            if gop.start_ns < before.end_ns:
                why = f"a recording of {rfc3339(gop.start_ns)} after one until {rfc3339(before.end_ns)}: the order is not proved"
                self.found.say(State.CHANGED, picture, picture, 1, why, gop)
            else:
                self.found.notes.append(
                    f"recording interrupted from {rfc3339(before.end_ns)} to {rfc3339(gop.start_ns)}: signing began anew"
                )
        elif step == 1:
            if first is not None and gop.linked_hash != first:
                self.found.say(State.CHANGED, picture, picture, 1, "does not follow the GOP before it", gop)
            elif gop.start_ns - before.end_ns >= _TOLD_GAP_NS:
                span = f"from {rfc3339(before.end_ns)} to {rfc3339(gop.start_ns)}"
                self.found.notes.append(f"recording interrupted {span}: nothing was signed between, the chain goes on")
        elif step < 1 << 31 and step:
            missing = f"{step - 1} signed GOP{'s' if step > 2 else ''}, or their signatures, before this one"
            place = self._pending[0].picture if self._pending else picture
            self.found.add(Span(State.MISSING, place, place, step - 1, missing, before.end_ns, gop.start_ns))
        else:
            self.found.say(State.CHANGED, picture, picture, 1, "stands before an earlier GOP: moved or repeated", gop)

    # --- hashes -----------------------------------------------------------------------------------------------------

    def _takes_whole(self, gop: GopInformation) -> bool:
        """True when the first pending units are exactly the signed ones."""
        if not 0 < gop.nal_units <= len(self._pending):
            return False
        total = hashlib.new(self.hash_name)
        anchor = self._anchor
        for unit in islice(self._pending, gop.nal_units):
            if unit.gop_start:
                anchor = unit.digest
                total.update(unit.digest)
            elif anchor is None:
                return False
            else:
                total.update(self._hash(anchor + unit.digest))
        return total.digest() == gop.gop_hash

    def _digest(self, unit: _Unit) -> bytes:
        return unit.digest if unit.gop_start else self._hash((self._anchor or NO_HASH) + unit.digest)

    def _advance_anchor(self, units: list[_Unit]) -> None:
        for unit in units:
            if unit.gop_start:
                self._anchor = unit.digest

    def _drop(self, count: int) -> list[_Unit]:
        return [self._pending.popleft() for _ in range(count)]

    def _change(self, units: list[_Unit], why: str, gop: GopInformation | None = None) -> None:
        for unit in units:
            self.found.say(State.CHANGED, unit.picture, unit.picture, 1, why, gop)


def _begins_anew(gop: GopInformation) -> bool:
    """True for the first GOP that a signer signs: it links to nothing."""
    return not any(gop.linked_hash)


def _signed_by(chain: CertificateChain, found: SigningSei, hash_name: str) -> bool:
    documents = (found.document, found.alternative_document)
    return any(
        document is not None and verify_signature(chain.leaf, document, found.signature or b"", hash_name)
        for document in documents
    )
