"""The one reading of a film that its verdict rests on, from the outside in: file, container, access units, slices.

What players may read differently is named as an oddity; what cannot be read at all is a MalformedFilm. The frames that come
out are exactly those shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from agent.base.phrase import say
from agent.evidence.access_unit_reading import MOST_SEI_BYTES, MOST_UNITS, AccessUnitReader
from agent.evidence.boxes import Fields, MalformedFilm, children, find, need
from agent.evidence.container import examine_container, examine_description
from agent.evidence.film import Film
from agent.evidence.index import examine_index
from agent.evidence.layout import examine_layout
from agent.evidence.oddity import Oddity
from agent.evidence.sample import Sample
from agent.evidence.slice_header import SliceHeader
from agent.evidence.timeline import Timeline
from agent.signing import nal

_MOST_ODDITIES: Final = 32
_NO_LENGTH: Final = 3
_MOST_REORDERED: Final = 16


class ShownUnit(Struct, frozen=True):
    """One access unit. `number` counts frames from 0; a unit without a frame bears that of the picture before it.

    `units` are without trailing zero bytes and never empty; the parameter sets of the container stand before the first. `behind`
    the end that the edit list sets, honest muxers leave one frame at most. `before` its beginning lies what was cut off by a
    tool that cannot begin in the middle of a GOP otherwise.
    """

    number: int
    header: SliceHeader | None
    units: tuple[bytes, ...]
    oddities: tuple[Oddity, ...]
    sample: Sample
    behind: bool
    before: bool


class StrictFilm:
    """Reads an open film. `oddities` are those of the container; those of frames come with them. One thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        found = examine_layout(film)
        found += [] if any(each.where == "moov" for each in found) else list(examine_container(film))
        found += examine_index(film)
        self._descriptions = [_Description(kind, entry) for kind, entry in children(memoryview(film.track.description_box))]
        found += self._examine_descriptions()
        self.oddities: tuple[Oddity, ...] = tuple(found[:_MOST_ODDITIES])
        self._fragmented = any(each.kind == b"moof" for each in film.boxes)
        self._content = [(each.body, each.end) for each in film.boxes if each.kind == b"mdat"]

    def pictures(self) -> Iterator[ShownUnit]:
        """Every access unit in decoding order, from the first. Raises MalformedFilm."""
        reader, timeline = AccessUnitReader(), Timeline(self._film.track.timescale)
        until, lasts = self._film.track.shown_until, self._film.track.lasts
        number, described, hidden, gops, last = -1, 0, 0, 0, None
        for sample in self._film.samples():
            first: tuple[bytes, ...] = ()
            found = []
            if sample.description != described:
                description = self._descriptions[sample.description - 1]
                first = description.sets
                found += [reader.take_sets(first)]
                described = sample.description
            stated = reader.sets.units if first else ()
            units = self._units(sample)
            try:
                reading = reader.read(units)
            except MalformedFilm as error:
                raise MalformedFilm(
                    say("picture {number} {what}", number=number + 1, what=error.said[0]), of=self._film.name
                ) from None
            found += reading.faults
            if first and reader.sets.units != stated:
                found.append(say("its parameter sets are not those of `avcC`: players take either"))
            if described > 1 and reading.header is not None and reading.header.picture.idr and not _carries(units, first):
                found.append(say("its parameter sets stand in a second description, which not every player reads"))
            if last is None and lasts is not None:
                # Films with reordered frames begin later by as many; some muxers count from there.
                until = lasts + max(min(sample.shown, _MOST_REORDERED * sample.duration), 0)
            behind = until is not None and sample.shown >= until
            number += reading.header is not None or bool(reading.faults)
            oddities = [Oddity(say("picture {number}", number=max(number, 0)), each) for each in found if each]
            if behind and reading.header is not None:
                hidden += 1
                if self._fragmented or hidden > 1 or sample.duration:
                    oddities.append(
                        Oddity(
                            self._film.track.ended_by,
                            say("ends before picture {number}: some players show it, some do not", number=number),
                        )
                    )
            gops += reading.header is not None and reading.header.picture.idr
            before = reading.header is not None and sample.shown < self._film.track.shown_from
            if before and gops > 1:
                oddities.append(Oddity("moov/trak/edts/elst", say("begins behind it: players leave it out")))
            if not self._holds(sample):
                oddities.append(Oddity(say("picture {number}", number=max(number, 0)), say("does not lie in the film's `mdat`")))
            if reading.header is not None:
                oddities += timeline.take(number, sample, reading.header)
            kept = tuple(unit for unit in (each.rstrip(b"\0") for each in units) if unit and not _is_bloated(unit))
            last = ShownUnit(max(number, 0), reading.header, first + kept, tuple(oddities), sample, behind, before)
            yield last
        left = timeline.end()
        if last is not None and left:
            yield ShownUnit(last.number, None, (), tuple(left), last.sample, last.behind, last.before)

    def _examine_descriptions(self) -> list[Oddity]:
        found: list[Oddity] = []
        size = _track_size(memoryview(self._film.box_body(b"moov") or b""))
        for description in self._descriptions:
            reader = AccessUnitReader()
            fault = reader.take_sets(description.sets) or description.fault
            if fault:
                found.append(Oddity("moov/trak/mdia/minf/stbl/stsd", fault))
            found += examine_description(description.entry, list(reader.sequences.values()), size)
        if len({(each.kind, each.length_bytes) for each in self._descriptions}) > 1:
            what = say("describes the pictures in more than one format: some players leave out those of the second")
            found.append(Oddity("moov/trak/mdia/minf/stbl/stsd", what))
        return found

    def _units(self, sample: Sample) -> list[bytes]:
        """The NAL units as they stand there; one more than an honest frame has at most."""
        data = self._film.read(sample.offset, sample.size)
        size = self._film.track.nal_length_bytes[sample.description - 1]
        found: list[bytes] = []
        at = 0
        end = len(data)
        while at < end and len(found) <= MOST_UNITS:
            start = at + size
            at = start + int.from_bytes(data[at:start], "big")
            if at > end or start > end:
                raise MalformedFilm(
                    say("a NAL unit at byte {at} reaches past its picture", at=sample.offset + start), of=self._film.name
                )
            found.append(data[start:at])
        return found

    def _holds(self, sample: Sample) -> bool:
        """True when the sample lies inside one `mdat`."""
        place = bisect_right(self._content, (sample.offset, 1 << 63)) - 1
        return place >= 0 and sample.offset + sample.size <= self._content[place][1]


class _Description:
    """One sample entry: the parameter sets it holds, and what is wrong with it."""

    def __init__(self, kind: bytes, entry: memoryview) -> None:
        self.kind, self.entry = kind, entry
        self.fault = ""
        self.sets: tuple[bytes, ...] = ()
        fields = Fields(need(entry[78:], b"avcC"))
        version, profile, self.length_bytes = fields.unsigned(1), bytes(fields.take(3)), (fields.unsigned(1) & 3) + 1
        sequences = [bytes(fields.take(fields.unsigned(2))) for _ in range(fields.unsigned(1) & 0x1F)]
        pictures = [bytes(fields.take(fields.unsigned(2))) for _ in range(fields.unsigned(1))]
        self.sets = tuple(unit for unit in (each.rstrip(b"\0") for each in (*sequences, *pictures)) if unit)
        kinds = [(unit, nal.SPS) for unit in sequences] + [(unit, nal.PPS) for unit in pictures]
        if version != 1 or any(not unit or nal.unit_type(unit) != wanted for unit, wanted in kinds):
            self.fault = "`avcC` is not as the standard wants it"
        elif self.length_bytes == _NO_LENGTH:
            self.fault = "`avcC` writes lengths in three bytes, which the standard does not know: players read something else"
        elif kind == b"avc1" and not (sequences and pictures):
            self.fault = "`avcC` holds no parameter sets: only some players show the film"
        elif any(unit[1:4] != profile for unit in sequences):
            self.fault = "`avcC` names another profile than its parameter sets: players may refuse the film"
        elif fields.left and (fields.left != 4 or fields.unsigned(4) & 0xFF):
            self.fault = "`avcC` holds more than parameter sets"


def _is_bloated(unit: bytes) -> bool:
    """True for a SEI unit longer than any, which is told as a fault and not read."""
    return len(unit) > MOST_SEI_BYTES and nal.unit_type(unit) == nal.SEI


def _carries(units: list[bytes], sets: tuple[bytes, ...]) -> bool:
    """True when all of these parameter sets also stand in the access unit itself."""
    return set(sets) <= {unit.rstrip(b"\0") for unit in units}


def _track_size(moov: memoryview) -> tuple[int, int]:
    """What `tkhd` says, in whole pixels."""
    header = find(moov, b"trak", b"tkhd")
    size = header[-8:] if header is not None else b""
    return int.from_bytes(size[:4], "big") >> 16, int.from_bytes(size[4:8], "big") >> 16
