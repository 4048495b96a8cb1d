"""One access unit of a film, read as strictly as any player might: exactly one frame, and nothing beside it that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from agent.base.phrase import say
from agent.evidence.boxes import MalformedFilm
from agent.evidence.parameters import PictureParameters, SequenceParameters
from agent.evidence.sei_messages import REWORKED, examine_sei
from agent.evidence.slice_header import SliceHeader
from agent.signing import nal, sei
from agent.signing.parameter_sets import ParameterSets
from agent.signing.tlv import MalformedField

MOST_UNITS: Final = 2048
# A list of 2,047 hashes, or the longest chain of certificates, twice.
MOST_SEI_BYTES: Final = 262_144
_UNPREVENTED: Final = re.compile(rb"\x00\x00[\x00-\x02]")
_FILLER: Final = re.compile(rb"\x0c\xff*\x80")
_DELIMITER: Final = re.compile(rb"\x09[\x10\x30\x50\x70\x90\xb0\xd0\xf0]")
_FILLER_DATA: Final = 12
_BEFORE, _SLICES, _BEHIND = range(3)


class AccessUnitReading(Struct, frozen=True):
    """What one access unit holds. `header` is its frame's; None when it holds no frame. `faults` in words."""

    header: SliceHeader | None
    faults: tuple[str, ...]


class AccessUnitReader:
    """Reads the access units of one film in decoding order; knows the parameter sets in force. One thread."""

    def __init__(self) -> None:
        self.sets = ParameterSets()
        self.sequences: dict[int, SequenceParameters] = {}
        self._pictures: dict[int, PictureParameters] = {}

    def take_sets(self, units: Iterable[bytes]) -> str:
        """Parameter sets from the container. What is wrong with them, in words; empty for nothing."""
        for unit in units:
            _, fault = self._take_set(unit)
            if fault:
                return fault
        return ""

    def header_of(self, unit: bytes) -> SliceHeader:
        """The head of a slice by the parameter sets in force. Raises ValueError."""
        return SliceHeader.read(unit, self.sequences, self._pictures)

    def read(self, units: list[bytes]) -> AccessUnitReading:
        """The units as they stand in the sample, trailing zero bytes included. MalformedFilm of a frame that is not judged."""
        if len(units) > MOST_UNITS:
            return AccessUnitReading(None, (f"{len(units)} units in one picture: no honest one has as many",))
        self._faults: list[str] = []
        self._stage, self._delimited = _BEFORE, False
        self._header: SliceHeader | None = None
        self._next_macroblock = 0
        idr = nal.IDR_SLICE in [unit[0] & 0x1F for unit in units if unit]
        for each in units:
            self._take(each.rstrip(b"\0"), idr=idr)
        if self._header is None and not self._faults:
            signing = [unit for unit in units if unit and nal.unit_type(unit) != nal.AUD]
            if not (signing and all(map(sei.is_signing_sei, signing))):
                self._faults.append(say("holds no picture"))
        return AccessUnitReading(self._header, tuple(dict.fromkeys(self._faults)) if self._faults else ())

    def _take(self, unit: bytes, *, idr: bool) -> None:
        if not unit:
            self._faults.append(say("a unit without content: decoders give up there"))
            return
        kind = nal.unit_type(unit)
        if unit[0] & 0x80:
            self._faults.append(say("a unit that decoders must not read"))
        if kind == nal.SEI and len(unit) > MOST_SEI_BYTES:
            self._faults.append(say("supplementary information of {length} bytes: no honest one has as many", length=len(unit)))
        elif _hides_a_start_code(unit):
            self._faults.append(say("a start code inside a unit: players show what stands behind it"))
        elif kind in (nal.SLICE, nal.IDR_SLICE):
            self._take_slice(unit)
        elif kind == nal.SEI:
            self._take_sei(unit)
        elif kind in (nal.SPS, nal.PPS):
            changed, fault = self._take_set(unit)
            if fault or self._stage != _BEFORE:
                self._faults.append(fault or say("parameter sets behind the slices: players take them for the next picture's"))
            elif changed and not idr:
                self._faults.append(say("the parameter sets change inside a GOP"))
        elif kind == nal.AUD:
            if self._stage != _BEFORE or self._delimited:
                self._faults.append(say("a second picture begins in it"))
            elif not _DELIMITER.fullmatch(unit):
                self._faults.append(say("a delimiter that is none: players may read what it holds"))
            self._delimited = True
        elif kind != _FILLER_DATA or not _FILLER.fullmatch(unit):
            self._faults.append(say("a unit of type {kind}: players may show what it holds", kind=kind))

    def _take_slice(self, unit: bytes) -> None:
        try:
            header = self.header_of(unit)
        except ValueError as error:
            self._faults.append(str(error))
            return
        if self._stage == _BEHIND:
            self._faults.append(say("a slice behind the units that end its picture"))
        self._stage = _SLICES
        if header.field:
            raise MalformedFilm(say("is coded in fields: Vigie judges whole frames only"))  # nothing against it: nothing is known
        if header.redundant:
            self._faults.append(say("a redundant slice: players show it when another is damaged"))
        elif self._header is not None and header.picture != self._header.picture:
            self._faults.append(say("a second picture in it: players show one of them"))
        elif header.first_macroblock < self._next_macroblock or (self._header is None and header.first_macroblock):
            self._faults.append(say("its slices are not in order, or one stands twice"))
        self._next_macroblock = header.first_macroblock + 1
        if self._header is None:
            self._header = header

    def _take_sei(self, unit: bytes) -> None:
        if sei.is_signing_sei(unit):
            self._stage = _BEHIND if self._stage == _SLICES else self._stage
            return
        if self._stage != _BEFORE:
            self._faults.append(say("supplementary information behind the slices: players take it for the next picture's"))
        fault = examine_sei(unit, [each.timing for each in self.sequences.values()])
        if fault == REWORKED and any(not each.frames_only for each in self.sequences.values()):
            raise MalformedFilm(say("is interlaced, and nobody signed how its fields are shown: Vigie judges whole frames only"))
        if fault:
            self._faults.append(fault)

    def _take_set(self, unit: bytes) -> tuple[bool, str]:
        """Whether it changes what is in force, and what is wrong with it."""
        if not unit or unit[0] & 0x1F not in (nal.SPS, nal.PPS) or _hides_a_start_code(unit):
            return False, say("a parameter set that is none")
        try:
            changed = self.sets.take(unit)
            if changed and nal.unit_type(unit) == nal.SPS:
                sps = SequenceParameters.read(unit)
                self.sequences[sps.number] = sps
            elif changed:
                pps = PictureParameters.read(unit)
                self._pictures[pps.number] = pps
        except ValueError as error:
            return False, str(error)
        return changed, ""


def _hides_a_start_code(unit: bytes) -> bool:
    """True when a parser of byte streams finds the end of the unit inside it.

    A signing unit may be signed in exactly that form, as the reference writes it: then its document holds what it holds, and what
    stands behind the document must be clean. Whether the signature holds is judged elsewhere, and without it the film fails.
    """
    if not _UNPREVENTED.search(unit):
        return False
    if nal.unit_type(unit) != nal.SEI or not sei.is_signing_sei(unit):
        return True
    try:
        found = sei.parse(unit)
    except MalformedField:
        return True
    return not unit.startswith(found.document) or bool(_UNPREVENTED.search(unit, max(len(found.document) - 2, 0)))
