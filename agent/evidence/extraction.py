"""A clean film out of an odd one: the verified frames alone, in a container of our own. What to show in court.

Its times are the signed ones, evenly spread within each GOP; what the container said of times does not count. A frame that
depends on one that is not verified is left out with it.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import NS
from agent.base.durable_file import Temporary, name_finished, sync_directory
from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.evidence import export_boxes
from agent.evidence.access_unit_reading import AccessUnitReader
from agent.evidence.boxes import box
from agent.evidence.excerpt import length_prefixed
from agent.evidence.export_boxes import TICKS_PER_S, FragmentSample
from agent.evidence.film import Film
from agent.evidence.findings import VerifiedSlices
from agent.evidence.slice_header import SliceHeader
from agent.evidence.strict_film import StrictFilm
from agent.evidence.timeline import PictureOrder
from agent.signing import nal, sei

_LENGTH_BYTES: Final = 4
_SHORTEST_NS: Final = NS // TICKS_PER_S + 1
_USUAL_PERIOD_NS: Final = NS // 25
"""Of a GOP whose own times say nothing: the clock was set back in its midst."""


class Extracted(Struct, frozen=True):
    """What came out."""

    pictures: int
    sha256: str


@dataclass(slots=True)
class _Picture:
    """One verified frame, with the signatures before and behind its slices."""

    header: SliceHeader
    first_slice: int
    sets: tuple[bytes, ...]
    before: list[bytes]
    slices: list[bytes] = field(default_factory=list)
    behind: list[bytes] = field(default_factory=list)

    @property
    def units(self) -> list[bytes]:
        return [*self.sets, *self.before, *self.slices, *self.behind]


def extract(path: Path, verified: Sequence[VerifiedSlices], out: Path) -> Extracted:
    """Write the verified frames of a film to `out`, whole or not at all. Raises EvidenceError; also when there are none."""
    if out.exists():
        raise EvidenceError(say("{out}: exists", out=out), remedy=say("nothing is overwritten: name a new file"))
    with Film(path, torn=True) as film:
        gops = list(_gops(StrictFilm(film), verified))
    if not gops:
        raise EvidenceError(
            say("{path}: no picture of it is verified from a keyframe on: there is nothing to extract", path=path)
        )
    try:
        with Temporary(out, mode=0o644) as temporary:
            digest = _write(temporary, gops, verified)
            name_finished(temporary, out)
        sync_directory(out.parent)
    except OSError as error:
        raise EvidenceError(say("{out}: {why}", out=out, why=system_words(error.strerror))) from None
    return Extracted(sum(map(len, gops)), digest)


def verified_pictures(path: Path, verified: Sequence[VerifiedSlices]) -> list[list[bytes]]:
    """The units of every frame that `extract` would write, in decoding order."""
    with Film(path, torn=True) as film:
        return [picture.units for gop in _gops(StrictFilm(film), verified) for picture in gop]


def _gops(film: StrictFilm, verified: Sequence[VerifiedSlices]) -> Iterator[list[_Picture]]:
    """Runs of verified frames, each from an IDR picture on."""
    gop: list[_Picture] = []
    begun = False
    for picture in _pictures(film, verified):
        if picture is None:
            begun = False
        elif picture.header.picture.idr:
            if gop:
                yield gop
            gop, begun = [picture], True
        elif begun:
            gop.append(picture)
    if gop:
        yield gop


def _pictures(film: StrictFilm, verified: Sequence[VerifiedSlices]) -> Iterator[_Picture | None]:
    """Every frame of the film in decoding order; None for one of which a slice is not verified."""
    reader = AccessUnitReader()
    begins = [each.first for each in verified]
    signatures: list[bytes] = []
    certificate: list[bytes] = []
    last: _Picture | None = None
    open_picture: _Picture | None = None
    ordinal, whole = 0, True
    for shown in film.pictures():
        reader.take_sets(unit for unit in shown.units if nal.unit_type(unit) in (nal.SPS, nal.PPS))
        for unit in shown.units:
            kind = nal.unit_type(unit)
            if kind == nal.SEI and sei.is_signing_sei(unit):
                signatures.append(unit)
                certificate = certificate or [unit] * sei.is_certificate_sei(unit)
            if not nal.is_vcl(kind):
                continue
            place = bisect_right(begins, ordinal) - 1
            if shown.behind:
                ordinal += 1
                continue
            good = place >= 0 and ordinal <= verified[place].last
            header = _header(reader, unit)
            if (
                open_picture is None
                or header is None
                or header.picture != open_picture.header.picture
                or not header.first_macroblock
            ):
                if open_picture is not None:
                    yield open_picture if whole else None
                    last, open_picture = (open_picture if whole else last), None
                whole = True
            whole = whole and good and header is not None
            if header is not None and open_picture is None:
                sets = reader.sets.units if header.picture.idr else ()
                leading = certificate if last is None and not any(map(sei.is_certificate_sei, signatures)) else []
                open_picture = _Picture(header, ordinal, sets, [*signatures, *leading])
            if open_picture is not None:
                open_picture.slices.append(unit)
            elif header is None:
                yield None
            if last is not None and not (whole and good):
                # The signature over the last good GOP came with a frame that is left out.
                last.behind += [each for each in signatures if not sei.is_certificate_sei(each) and each not in last.behind]
            signatures = []
            ordinal += 1
    if open_picture is not None:
        open_picture.behind += [each for each in signatures if not sei.is_certificate_sei(each)]
        yield open_picture if whole else None


def _header(reader: AccessUnitReader, unit: bytes) -> SliceHeader | None:
    try:
        return reader.header_of(unit)
    except ValueError:
        return None


def _write(path: Path, gops: Sequence[list[_Picture]], verified: Sequence[VerifiedSlices]) -> str:
    """The boxes; durable on return. The SHA-256 of the file."""
    first = gops[0][0]
    sps = first.header.sequence
    times = _times(gops, verified)
    begun_ns = times[0][0]
    decoded = [[(at - begun_ns) * TICKS_PER_S // NS for at in gop] for gop in times]
    duration = decoded[-1][-1]
    digest = hashlib.sha256()
    with path.open("wb") as file:

        def put(content: bytes) -> None:
            file.write(content)
            digest.update(content)

        put(export_boxes.ftyp())
        put(export_boxes.moov([_description(first.sets, sps.width, sps.height)], sps.width, sps.height, begun_ns, duration, None))
        in_order = [_in_order(gop, at) for gop, at in zip(gops, decoded, strict=True)]
        late = max(at[n] - when[n] for at, when in zip(decoded, in_order, strict=True) for n in range(len(when)))
        for number, (gop, at, when) in enumerate(zip(gops, decoded, in_order, strict=True), 1):
            content = [length_prefixed(picture.units, _LENGTH_BYTES) for picture in gop]
            samples = [
                FragmentSample(len(content[n]), at[n + 1] - at[n], when[n] + late - at[n], gop[n].header.picture.idr)
                for n in range(len(gop))
            ]
            put(export_boxes.fragment_head(number, at[0], 1, samples))
            for each in content:
                put(each)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _times(gops: Sequence[list[_Picture]], verified: Sequence[VerifiedSlices]) -> list[list[int]]:
    """When each frame of each GOP is decoded, and behind them when the next may be: Unix nanoseconds that never go back.

    Where the signer's clock was set back, the film goes on from where it has got to until the clock has caught up: squeezed into
    an instant, the frames of meanwhile would be shown by no player.
    """
    begins = [each.first for each in verified]
    made: list[list[int]] = []
    reached, shift, period = 0, 0, _USUAL_PERIOD_NS
    for gop in gops:
        times: list[int] = []
        for place, pictures in groupby(gop, lambda picture: bisect_right(begins, picture.first_slice) - 1):
            span, count = verified[place], len(list(pictures))
            shift = 0 if span.from_ns >= reached else max(shift, reached - span.from_ns)
            if span.to_ns > span.from_ns:
                period = max((span.to_ns - span.from_ns) // count, _SHORTEST_NS)
            begun = span.from_ns + shift
            times += range(begun, begun + count * period, period)
            reached = max(times[-1] + period, span.to_ns + shift)
        made.append([*times, reached])
    return made


def _in_order(gop: Sequence[_Picture], decoded: Sequence[int]) -> list[int]:
    """When each frame would be shown, in the order it was coded for, could it be shown before it is decoded."""
    order = PictureOrder()
    places = [order.of(picture.header) for picture in gop]
    ranks = sorted(range(len(gop)), key=places.__getitem__)
    shown = [0] * len(gop)
    for rank, at in enumerate(ranks):
        shown[at] = decoded[rank]
    return shown


def _description(sets: Sequence[bytes], width: int, height: int) -> bytes:
    """An `avc1` with these parameter sets."""
    sequences = [unit for unit in sets if nal.unit_type(unit) == nal.SPS]
    pictures = [unit for unit in sets if nal.unit_type(unit) == nal.PPS]
    configuration = b"".join(
        (
            b"\1" + sequences[0][1:4] + bytes((0xFC | _LENGTH_BYTES - 1, 0xE0 | len(sequences))),
            *(len(each).to_bytes(2, "big") + each for each in sequences),
            bytes((len(pictures),)),
            *(len(each).to_bytes(2, "big") + each for each in pictures),
        )
    )
    head = bytes(6) + b"\0\1" + bytes(16) + width.to_bytes(2, "big") + height.to_bytes(2, "big")
    head += b"\0\x48\0\0\0\x48\0\0" + bytes(4) + b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
    return box(b"avc1", head, box(b"avcC", configuration))
