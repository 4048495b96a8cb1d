"""Walks a signed stream once, in decoding order, and says of every frame whether a signature speaks for it.

Slices wait until a signature comes; a signature that holds is compared by its GOP hash, and hash by hash only where that
disagrees, so that a fault is placed on its frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.evidence.dangling import Dangling
from agent.evidence.findings import Findings, VerifiedSlices
from agent.evidence.gop_order import begins_anew, check_order
from agent.evidence.pending_units import PendingUnits, Unit, side_by_side
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import State
from agent.evidence.signing_key import Key
from agent.signing import nal, sei
from agent.signing.parameter_sets import ParameterSets, split_digest
from agent.signing.sei import SigningSei
from agent.signing.tlv import MANUFACTURER, GopInformation, MalformedField, VendorInformation

MOST_EFFORT = 67_000
"""How many units are judged since a signature last spoke for a frame: more than any (16 bits count them) may wait for one."""

_EFFORT_OF_SEI = 8
_PENDING_A_UNIT_OF_EFFORT = 256
_OTHER_SETS = say("its SPS or PPS (size, cropping, how it is decoded) are not those that were signed")


@dataclass(slots=True)
class StreamVerifier:
    """Takes NAL units in decoding order. Holds the hashes of unsigned units only. One thread.

    `trusted` says that the film's certificates lead to the given CA: then a forger cannot make signatures that hold, and each
    that does earns the film more effort. When `exhausted`, judge no further: what is known by then is the verdict.
    """

    hash_name: str = "sha256"
    key: Key = field(default_factory=Key)
    trusted: bool = True
    found: Findings = field(default_factory=Findings)
    vendor: VendorInformation | None = None
    seis: int = 0
    gops: int = 0
    stated: int = 0
    unstated: int = 0
    effort: int = 0
    _slices: int = 0
    _pending: PendingUnits = field(init=False)
    _sets: ParameterSets = field(default_factory=ParameterSets)
    _sets_digest: bytes = b""
    _previous: GopInformation | None = None
    _previous_first: bytes | None = None
    _seen: set[bytes] = field(default_factory=set)
    _latest: bytes = b""
    _certificates: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pending = PendingUnits(self.hash_name)

    @property
    def exhausted(self) -> bool:
        """True when a film has cost more than any honest one before a signature spoke for it."""
        return self.effort > MOST_EFFORT

    @property
    def is_of_vigie(self) -> bool:
        """True when the film says so; every film of Vigie ends with a signature."""
        return _is_of_vigie(self.vendor)

    def take(self, unit: bytes, picture: int) -> None:
        """The next NAL unit of frame number `picture`."""
        self.found.reach(picture)
        self.effort += 1
        kind = nal.unit_type(unit)
        if nal.is_vcl(kind):
            self._pending.add(Unit(self._slices, picture, self._pending.hash(unit), nal.is_gop_start(unit), self._sets_digest))
            self._slices += 1
        elif kind in (nal.SPS, nal.PPS):
            self._take_set(unit, picture)
        elif kind == nal.SEI and sei.is_signing_sei(unit):
            self.seis += 1
            self.effort += _EFFORT_OF_SEI + len(unit) // 1024
            self._take_sei(unit, picture)

    def fault(self, picture: int, why: str) -> None:
        """Players may show something else than the signed frame here."""
        self.found.reach(picture)
        self.found.say(State.CHANGED, picture, picture, 1, why)

    def finish(self) -> None:
        """The film is over, or has cost enough: what still waits has no signature."""
        if self.exhausted and self.seis and len(self._pending) > 0xFFFF:
            self._change(self._pending.drop(len(self._pending)), say("no signature speaks for these pictures"))
        if self.key.signing is None:
            self._say_pending(self._pending.drop(len(self._pending)), say("no certificate tells whose signatures these are"))
        elif self.seis:
            self._judge_dangling(self._pending.drop(len(self._pending)), say("no signature follows"))
        if self.unstated:
            self.found.notes.append(Remark(Saying.SHAPE_NOT_COVERED))

    def _take_set(self, unit: bytes, picture: int) -> None:
        try:
            if self._sets.take(unit):
                self._sets_digest = self._sets.digest
        except ValueError as error:
            self.fault(picture, str(error))

    def _say_pending(self, units: list[Unit], why: str) -> None:
        if units and self.seis:
            self.found.say(State.PENDING, units[0].picture, units[-1].picture, len(units), why)

    def _judge_dangling(self, units: list[Unit], why: str) -> None:
        """Units at the end of a recording that no signature covers: one GOP may be, whatever lies before it may not."""
        if not units:
            return
        dangling = Dangling.of(units, after_whole_gop=self._previous is not None and not self._previous.partial)
        self._change(dangling.inserted, say("inserted after the end of a signed GOP"))
        self._change(dangling.unsigned, say("the signature of this GOP is missing although the next GOP follows"))
        self._say_pending(dangling.waiting, why)

    # --- signatures -------------------------------------------------------------------------------------------------

    def _take_sei(self, unit: bytes, picture: int) -> None:
        try:
            found = sei.parse(unit)
        except MalformedField as error:
            self.fault(picture, say("a signature unit is damaged: {what}", what=error.said[0]))
            return
        if found.signature is None and (self.is_of_vigie or _is_of_vigie(found.vendor)):
            # Vigie signs with every unit: one damaged byte makes another tag of its last.
            self.fault(picture, say("a signature unit is damaged: it lacks its signature"))
            return
        if found.signature is None:
            raise EvidenceError(
                say("this film signs several GOPs with one signature: Vigie does not judge that variant of the standard"),
                remedy=say("use ONVIF's own validator"),
            )
        if found.certificate:
            self._take_certificate(found, unit, picture)
        elif self.key.signing is None:
            return
        elif found.digest not in self._seen and not self.key.signed(found, self.hash_name):
            self.fault(picture, say("a signature is not that of the film's key over its content"))
        elif found.gop is None:
            self.fault(picture, say("a signature says nothing of its GOP"))
        else:
            self._take_chain(found, picture)
            self._judge(found, found.gop, picture)

    def _take_certificate(self, found: SigningSei, unit: bytes, picture: int) -> None:
        if unit in self._certificates:
            return
        if not self.key.signed_by_its_own(found, self.hash_name):
            self.fault(picture, say("the certificate unit is not signed by its own key"))
            return
        self._certificates.add(unit)
        self._take_chain(found, picture)

    def _take_chain(self, found: SigningSei, picture: int) -> None:
        fault = self.key.take(found)
        if fault:
            self.fault(picture, fault)
        if self.vendor is None and found.vendor is not None:
            firmware, _ = split_digest(found.vendor.firmware)
            self.vendor = VendorInformation(firmware, found.vendor.serial, found.vendor.manufacturer)

    def _judge(self, found: SigningSei, gop: GopInformation, picture: int) -> None:
        digest = found.digest
        if digest in self._seen:
            if self._pending.is_whole(gop):
                self._change(self._pending.drop(gop.nal_units), say("repeated: these pictures stood in the film before"), gop)
            elif digest != self._latest:
                self.found.say(State.CHANGED, picture, picture, 1, say("an earlier signature again: moved or repeated"), gop)
            return
        self._seen.add(digest)
        self._latest = digest
        self.gops += 1
        if self._previous is not None and begins_anew(gop):
            self._end_recording(found, gop)
        waiting = self._pending.first
        check_order(self.found, (self._previous, self._previous_first), gop, picture, waiting.picture if waiting else picture)
        first = found.hashes[0] if found.hashes else None
        if self._previous is None and self._lies_before(found, gop):
            # The film was cut out of a longer one: its first signature speaks for the GOP before the cut.
            self._pending.anchor = first if gop.partial else None
        elif self._pending.is_whole(gop):
            units = self._pending.drop(gop.nal_units)
            first = self._pending.digest(units[0])
            self._pending.advance(units)
            self._approve(units, found, gop)
        else:
            self._judge_singly(found, gop, picture, starts_gop=self._previous is None or not self._previous.partial)
        self._previous, self._previous_first = gop, first

    def _lies_before(self, found: SigningSei, gop: GopInformation) -> bool:
        """True when the first signature of a film speaks for none of its frames: it came late for the GOP before the cut."""
        first = self._pending.first
        if first is None:
            return True
        if not first.gop_start or self._pending.starts != 1 or not found.hashes or self._pending.is_whole(gop):
            return False
        signed = frozenset(found.hashes)
        waiting = self._pending.head(len(signed))
        self.effort += len(waiting)
        return first.digest not in signed and not any(
            self._pending.hash(found.hashes[0] + unit.digest) in signed for unit in waiting
        )

    def _approve(self, units: list[Unit], found: SigningSei, gop: GopInformation) -> None:
        """These frames are as signed; were they decoded with the signed parameter sets, too?"""
        self.found.say(State.AUTHENTIC, units[0].picture, units[-1].picture, len(units), gop=gop)
        self.found.date(gop)
        stated = split_digest(found.vendor.firmware)[1] if found.vendor is not None else None
        otherwise = [unit for unit in units if stated is not None and unit.sets and unit.sets != stated]
        self._change(otherwise, _OTHER_SETS, gop)
        self.stated += stated is not None
        self.unstated += stated is None
        if not otherwise:
            first, last = units[0], units[-1]
            self.found.verified.append(VerifiedSlices(first.ordinal, last.ordinal, gop.start_ns, gop.end_ns, first.picture))
        if self.trusted:
            self.effort = 0

    def _end_recording(self, found: SigningSei, gop: GopInformation) -> None:
        """Signing begins anew: what waits from before its first GOP is the end of a recording that broke off."""
        first = found.hashes[0] if found.hashes else None
        self.effort += len(self._pending) // _PENDING_A_UNIT_OF_EFFORT
        for number, unit in enumerate(self._pending.head(len(self._pending))):
            if number and unit.gop_start and (unit.digest == first if first else len(self._pending) - number == gop.nal_units):
                self._judge_dangling(self._pending.drop(number), say("no signature follows: the recording broke off here"))
                return

    def _judge_singly(self, found: SigningSei, gop: GopInformation, picture: int, *, starts_gop: bool) -> None:
        """Compare hash by hash, and leave what does not belong to this GOP to the next signature."""
        units = self._pending.window(found.hashes, gop.nal_units)
        self.effort += len(units) + len(self._pending) // _PENDING_A_UNIT_OF_EFFORT
        boundary = next((number for number, unit in enumerate(units) if number and unit.gop_start), len(units))
        if not found.hashes:
            used = min(gop.nal_units, boundary)
            if used < gop.nal_units:
                self.found.say(State.MISSING, picture, picture, gop.nal_units - used, say("the GOP is shorter than signed"), gop)
            self._change(self._pending.drop(used), say("the GOP differs from what was signed"), gop)
            self._pending.anchor = None
            return
        result = self._pending.align(units, found.hashes, boundary, starts_gop=starts_gop)
        if units and not result.in_order and self._is_cut(units[0]):
            self._say_missing(picture, gop.nal_units, gop, cut=True)
            self._say_pending(self._pending.drop(boundary), say("the keyframe of this GOP was cut off"))
            return
        lacking = dict(result.missing)
        approved = []
        for number, unit in enumerate(self._pending.drop(result.used)):
            if number in lacking:
                self._say_missing(unit.picture, lacking.pop(number), gop, cut=not number and self._is_cut(unit))
            if result.matches[number] is None:
                self._change([unit], say("changed, inserted or moved since it was signed"), gop)
            else:
                approved.append(unit)
        for run in side_by_side(approved):
            self._approve(run, found, gop)
        for count in lacking.values():
            self._say_missing(picture, count, gop, cut=False)
        self.found.date(gop)

    def _is_cut(self, unit: Unit) -> bool:
        """True for the first unit of a film that begins in the middle of a GOP."""
        return self._previous is None and not unit.gop_start and not unit.picture

    def _say_missing(self, before: int, units: int, gop: GopInformation, *, cut: bool) -> None:
        if cut:
            self.found.cut_units += units
        why = say("the film was cut in the middle of a GOP") if cut else say("signed, but not in the film")
        self.found.say(State.MISSING, 0 if cut else before, 0 if cut else before, units, why, gop)

    def _change(self, units: list[Unit], why: str, gop: GopInformation | None = None) -> None:
        for unit in units:
            self.found.say(State.CHANGED, unit.picture, unit.picture, 1, why, gop)


def _is_of_vigie(vendor: VendorInformation | None) -> bool:
    return vendor is not None and vendor.manufacturer.startswith(MANUFACTURER)
