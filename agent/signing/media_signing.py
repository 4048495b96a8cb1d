"""Signs access units as they leave the encoder, by ONVIF Media Signing 26.06, for recording and live stream alike.

    signed SEI           with the keyframe that ends a GOP, before its slices: hash list, GOP hash, link to the GOP before
    certificate SEI      behind it, at the start and again at least a second apart, so that every segment stands alone
    partial GOP          signed after five seconds, with the next frame
    closing unit         signs what is left when the stream or a segment ends, or falls silent, behind its last frame:
                         nothing dangles

The order of NAL units in an access unit stays, and not one byte of them changes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from agent.base.clock import NS
from agent.base.errors import EvidenceError
from agent.picture.access_unit import AccessUnit
from agent.ports.host import Signer
from agent.signing import nal, sei
from agent.signing.link import Link, LinkStore, NoLinkStore
from agent.signing.parameter_sets import ParameterSets, with_digest
from agent.signing.signed_unit import closing_of, with_seis
from agent.signing.tlv import (
    MAX_HASHES,
    CryptoInformation,
    GopInformation,
    Tag,
    VendorInformation,
    encode_certificates,
    field,
)

log = logging.getLogger(__name__)

PARTIAL_GOP_NS = 5 * NS
_CERTIFICATE_APART_NS = NS
_MOST_SLICES = 64


class MediaSigner:
    """One stream. The pipeline thread calls `process` for every access unit, in decoding order, and `finish` at its end.

    A key that fails (EvidenceError of the Signer) leaves GOPs unsigned, is counted in `failures` and told in `fault`; it
    never stops the stream. `signed` counts signatures. `report` is called on the same thread with the first signature and
    whenever a fault begins or ends: with its words, empty for none.
    """

    def __init__(
        self,
        signer: Signer,
        vendor: VendorInformation,
        *,
        partial_gop_ns: int = PARTIAL_GOP_NS,
        report: Callable[[str], None] = lambda _: None,
        links: LinkStore | None = None,
    ) -> None:
        self._signer = signer
        self._vendor = vendor
        self._partial_gop_ns = partial_gop_ns
        self._certificate_body = b"".join(
            (
                field(Tag.CRYPTO, CryptoInformation("sha256").encode()),
                field(Tag.VENDOR, vendor.encode()),
                field(Tag.CERTIFICATES, encode_certificates(signer.chain_pem)),
            )
        )
        self._certificate_sei: bytes | None = None
        self._certificate_sent_ns: int | None = None
        self._hashes: list[bytes] = []
        self._anchor: bytes | None = None
        self._links = links or NoLinkStore()
        self._link = self._links.take()
        self._left = False
        self._repeated = self._link.signature  # stands before the first GOP of this life
        self._sets = ParameterSets()
        self._stated = b""  # the vendor field of the GOP under way: it names the parameter sets that decode it
        self._begun_dts_ns = 0
        self._begun_wall_ns = 0
        self._last: AccessUnit | None = None
        self.signed = 0
        self.failures = 0
        self.fault = ""
        self._report = report
        self._failing: bool | None = None

    def process(self, unit: AccessUnit) -> AccessUnit:
        """The unit, with the SEI units due at this place before its first slice; the same object when none is due."""
        data = unit.data
        slices = [data[start:end] for start, end in nal.spans(data) if nal.is_vcl(data[start] & 0x1F)]
        if not slices:
            return unit
        seis = self._due(unit, slices)
        if nal.is_gop_start(slices[0]):
            self._state_sets(data)
        if not self._hashes:
            self._begun_dts_ns, self._begun_wall_ns = unit.dts_ns, unit.wall_ns
        for slice_unit in slices:
            self._take(slice_unit)
        self._last = unit
        return with_seis(unit, seis) if seis else unit

    def pause(self) -> AccessUnit | None:
        """The closing unit of a stream that falls silent and may go on: signs what waits as a partial GOP."""
        last = self._last
        if last is None or not self._hashes:
            return None
        made = self._sign_gop(last.wall_ns + last.duration_ns, partial=True)
        return None if made is None else closing_of(last, made)

    def finish(self) -> AccessUnit | None:
        """The closing unit: signs what has no signature yet. None when nothing is left, or the key fails.

        It carries no frame (its duration is 0) and belongs behind the last unit, see `agent.signing.signed_unit.closed`.
        The chain of GOPs is left to whoever signs next: this signer, or that of the next start.
        """
        last = self._last
        made = self._sign_gop(last.wall_ns + last.duration_ns, partial=False) if last is not None and self._hashes else None
        self._anchor = self._last = self._certificate_sent_ns = None
        self._hashes = []
        if self._link.counter and not self._left:
            self._links.leave(self._link)
            self._left = True
        return None if made is None or last is None else closing_of(last, made)

    def _due(self, unit: AccessUnit, slices: list[bytes]) -> list[bytes]:
        made: list[bytes | None] = []
        if nal.is_gop_start(slices[0]):
            if self._hashes:
                made.append(self._sign_gop(unit.wall_ns, partial=False))
            made.append(self._repeated or None)
            self._repeated = b""
            made.append(self._certificate(unit.dts_ns))
        elif self._hashes and self._anchor is not None and nal.is_picture_start(slices[0]):
            long = unit.dts_ns - self._begun_dts_ns >= self._partial_gop_ns
            if long or len(self._hashes) + max(len(slices), _MOST_SLICES) > MAX_HASHES:
                made.append(self._sign_gop(unit.wall_ns, partial=True))
        return [each for each in made if each is not None]

    def _state_sets(self, data: bytes) -> None:
        """A GOP begins: its signature will state the parameter sets in force now, which may stand in this unit."""
        changed = not self._stated
        for start, end in nal.spans(data):
            kind = data[start] & 0x1F
            if kind in (nal.SPS, nal.PPS):
                with suppress(ValueError):  # whatever an encoder emits passes
                    changed |= self._sets.take(data[start:end])
            elif nal.is_vcl(kind):
                break
        if changed:
            firmware = with_digest(self._vendor.firmware, self._sets.digest)
            self._stated = field(Tag.VENDOR, replace(self._vendor, firmware=firmware).encode())

    def _take(self, slice_unit: bytes) -> None:
        digest = hashlib.sha256(slice_unit).digest()
        if nal.is_gop_start(slice_unit):
            self._anchor = digest
            self._hashes.append(digest)
        elif self._anchor is not None:
            self._hashes.append(hashlib.sha256(self._anchor + digest).digest())

    def _certificate(self, dts_ns: int) -> bytes | None:
        sent_ns = self._certificate_sent_ns
        if sent_ns is not None and dts_ns - sent_ns < _CERTIFICATE_APART_NS:
            return None
        if self._certificate_sei is None:
            self._certificate_sei = self._build(self._certificate_body, certificate=True)
        if self._certificate_sei is not None:
            self._certificate_sent_ns = dts_ns
        return self._certificate_sei

    def _sign_gop(self, end_wall_ns: int, *, partial: bool) -> bytes | None:
        """Sign the pending hashes and begin to collect the next (partial) GOP, whether or not the key worked."""
        hashes, self._hashes = self._hashes, []
        if self._left:
            self._links.take()
            self._left = False
        counter = (self._link.counter + 1) & 0xFFFFFFFF
        document = b"".join(hashes)
        gop = GopInformation(
            start_ns=self._begun_wall_ns,
            end_ns=end_wall_ns,
            counter=counter,
            nal_units=len(hashes),
            gop_hash=hashlib.sha256(document).digest(),
            linked_hash=self._link.first_hash,
            partial=partial,
        )
        made = self._build(field(Tag.GOP, gop.encode()) + self._stated + field(Tag.HASHES, b"\x01" + document))
        self._link = Link(counter, hashes[0], end_wall_ns, made or b"")
        return made

    def _build(self, body: bytes, *, certificate: bool = False) -> bytes | None:
        try:
            made = sei.build(body, self._signer.sign, certificate=certificate)
        except EvidenceError as error:
            self.failures += 1
            if not self.fault:
                log.error("recordings are not signed: %s", error)
            self._tell(str(error))
            return None
        self._tell("")
        self.signed += 1
        return made

    def _tell(self, fault: str) -> None:
        self.fault = fault
        if bool(fault) is not self._failing:
            self._failing = bool(fault)
            self._report(fault)
