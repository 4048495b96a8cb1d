"""The H.264 track of an MP4 film, fragmented or not: where every access unit lies in the file, and when it is shown."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from agent.errors import EvidenceError
from agent.evidence.boxes import (
    Fields,
    MalformedFilm,
    TopBox,
    children,
    find,
    need,
    read_body,
    top_boxes,
)

# 55 hours at 25 pictures a second: no single file of evidence is longer.
MAX_SAMPLES = 5_000_000
_MAX_SAMPLE_BYTES = 64 * 1024 * 1024
_SYNC_UNLESS = 0x00010000


@dataclass(frozen=True, slots=True)
class Sample:
    """One access unit. Times count in the track's timescale; `shown` is its presentation time."""

    offset: int
    size: int
    decoded: int
    shown: int
    duration: int
    sync: bool
    description: int


@dataclass(frozen=True, slots=True)
class Track:
    """What `moov` says of the first H.264 track."""

    track_id: int
    timescale: int
    movie_timescale: int
    width: int
    height: int
    description_box: bytes
    nal_length_bytes: tuple[int, ...]
    defaults: tuple[int, int, int, int]
    tables: memoryview
    shown_until: int | None


class Film:
    """An open MP4 file. Not for several threads. Close it, or use it as a context manager.

    `limit` is how many bytes of a file that still grows may be read.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self._limit = limit
        self.path = path
        self.name = str(path)
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise EvidenceError(f"{path}: {error.strerror}") from None
        try:
            self.boxes = self._index()
            self.track = self._read_moov()
        except MalformedFilm as error:
            self._file.close()
            raise self._placed(error) from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file. Raises MalformedFilm when it has become shorter meanwhile."""
        self._file.seek(offset)
        found = self._file.read(size)
        if len(found) != size:
            raise MalformedFilm(f"{self.name}: cut short at byte {offset + len(found)}")
        return found

    def box_body(self, kind: bytes) -> bytes | None:
        """The content of the first file-level box of this kind, or None."""
        for each in self.boxes:
            if each.kind == kind:
                return read_body(self._file, each, self.name)
        return None

    def samples(self) -> Iterator[Sample]:
        """Every access unit in decoding order. Raises MalformedFilm when one lies outside of the file or there are too many."""
        end = self.boxes[-1].end
        budget = end
        try:
            for count, sample in enumerate(itertools.chain(self._table_samples(), self._fragment_samples())):
                budget -= sample.size
                if count >= MAX_SAMPLES or budget < 0:
                    raise MalformedFilm("describes more pictures than it can hold")
                if sample.size > _MAX_SAMPLE_BYTES or sample.offset < 0 or sample.offset + sample.size > end:
                    raise MalformedFilm(f"picture {count} lies outside of the file: the film is cut short or damaged")
                yield sample
        except MalformedFilm as error:
            raise self._placed(error) from None

    def count_shown(self) -> tuple[int, int]:
        """How many access units come up to where the edit list ends the film, and how many lie hidden behind it."""
        until = self.track.shown_until
        shown = total = 0
        for total, sample in enumerate(self.samples(), 1):
            if until is None or sample.shown < until:
                shown = total
        return shown, total - shown

    def nal_units(self, sample: Sample) -> Iterator[bytes]:
        """The NAL units of one access unit, without trailing zero bytes. Raises MalformedFilm."""
        data = self.read(sample.offset, sample.size)
        length_bytes = self.track.nal_length_bytes[sample.description - 1]
        at = 0
        while at < len(data):
            start = at + length_bytes
            end = start + int.from_bytes(data[at:start], "big")
            if end > len(data) or start > len(data):
                raise MalformedFilm(f"{self.name}: a NAL unit at byte {sample.offset + at} reaches past its picture")
            unit = data[start:end].rstrip(b"\0")
            if unit:
                yield unit
            at = end

    def _placed(self, error: MalformedFilm) -> MalformedFilm:
        if error.what.startswith(self.name):
            return error
        return MalformedFilm(f"{self.name}: {error.what}", remedy=error.remedy)

    def _index(self) -> tuple[TopBox, ...]:
        found = []
        for each in top_boxes(self._file, self.name, self._limit):
            found.append(each)
            if len(found) > MAX_SAMPLES:
                raise MalformedFilm("holds more boxes than any honest film")
        return tuple(found)

    def _read_moov(self) -> Track:
        body = self.box_body(b"moov")
        if body is None:
            raise MalformedFilm("has no `moov` box: it is no film, or its recording never got under way")
        moov = memoryview(body)
        movie_timescale = _timescale(need(moov, b"mvhd"))
        for kind, trak in children(moov):
            if kind == b"trak" and bytes(need(trak, b"mdia", b"hdlr")[8:12]) == b"vide":
                return _read_track(moov, trak, movie_timescale)
        raise MalformedFilm("has no picture track")

    def _fragment_samples(self) -> Iterator[Sample]:
        decoded = 0
        for each in self.boxes:
            if each.kind != b"moof":
                continue
            moof = memoryview(read_body(self._file, each, self.name))
            for kind, traf in children(moof):
                if kind == b"traf":
                    for sample in _read_fragment(self.track, traf, each.start, decoded):
                        decoded = sample.decoded + sample.duration
                        yield sample

    def _table_samples(self) -> Iterator[Sample]:
        """The samples of the tables in `moov`, for films that are not fragmented."""
        tables = self.track.tables
        count, sizes = _sizes(need(tables, b"stsz"))
        if not count:
            return
        durations = _runs(find(tables, b"stts"), "I", count)
        shifts = _runs(find(tables, b"ctts"), "i", count)
        sync_box = find(tables, b"stss")
        sync = None if sync_box is None else frozenset(_table(sync_box, "I"))
        chunks = find(tables, b"co64")
        offsets = _table(chunks, "Q") if chunks is not None else _table(need(tables, b"stco"), "I")
        decoded = 0
        numbers = enumerate(_in_chunks(need(tables, b"stsc"), offsets, sizes, count), 1)
        for (number, (offset, size, description)), duration, shift in zip(numbers, durations, shifts, strict=False):
            is_sync = sync is None or number in sync
            yield Sample(offset, size, decoded, decoded + shift, duration, is_sync, _known(self.track, description))
            decoded += duration


def _read_track(moov: memoryview, trak: memoryview, movie_timescale: int) -> Track:
    header = Fields(need(trak, b"tkhd"))
    version, _ = header.version_and_flags()
    header.take(16 if version == 1 else 8)
    track_id = header.unsigned(4)
    timescale = _timescale(need(trak, b"mdia", b"mdhd"))
    tables = need(trak, b"mdia", b"minf", b"stbl")
    descriptions = Fields(need(tables, b"stsd"))
    descriptions.version_and_flags()
    count = descriptions.unsigned(4)
    entries = descriptions.take(descriptions.left)
    lengths: list[int] = []
    size = (0, 0)
    for kind, entry in children(entries):
        if kind in (b"hvc1", b"hev1"):
            raise MalformedFilm("is H.265: Vigie judges H.264 only")
        if kind not in (b"avc1", b"avc3") or len(entry) < 78:
            raise MalformedFilm(f"its pictures are {kind!r}, not H.264")
        if not lengths:
            size = (int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[26:28], "big"))
        configuration = need(entry[78:], b"avcC")
        if len(configuration) < 5:
            raise MalformedFilm("its decoder configuration is cut short")
        lengths.append((configuration[4] & 3) + 1)
    if not lengths or len(lengths) != count:
        raise MalformedFilm("does not describe its pictures")
    return Track(
        track_id=track_id,
        timescale=timescale,
        movie_timescale=movie_timescale,
        width=size[0],
        height=size[1],
        description_box=bytes(entries),
        nal_length_bytes=tuple(lengths),
        defaults=_fragment_defaults(moov, track_id),
        tables=tables,
        shown_until=_shown_until(find(trak, b"edts", b"elst"), timescale, movie_timescale),
    )


def _timescale(header: memoryview) -> int:
    fields = Fields(header)
    version, _ = fields.version_and_flags()
    fields.take(16 if version == 1 else 8)
    timescale = fields.unsigned(4)
    if not timescale:
        raise MalformedFilm("counts time in units of nothing")
    return timescale


def _fragment_defaults(moov: memoryview, track_id: int) -> tuple[int, int, int, int]:
    """Description, duration, size and flags that fragments fall back on."""
    extends = find(moov, b"mvex")
    for kind, body in children(extends) if extends is not None else ():
        if kind == b"trex":
            fields = Fields(body)
            fields.version_and_flags()
            if fields.unsigned(4) == track_id:
                return fields.unsigned(4), fields.unsigned(4), fields.unsigned(4), fields.unsigned(4)
    return 1, 0, 0, 0


def _shown_until(edits: memoryview | None, timescale: int, movie_timescale: int) -> int | None:
    """Where a plain edit list (one edit, perhaps after an empty one) ends the film, in the track's timescale."""
    if edits is None:
        return None
    fields = Fields(edits)
    version, _ = fields.version_and_flags()
    width = 8 if version == 1 else 4
    ends = []
    for _ in range(min(fields.unsigned(4), 1024)):
        duration, media_time, _rate = fields.unsigned(width), fields.signed(width), fields.unsigned(4)
        if media_time >= 0:
            ends.append((media_time, duration))
    if len(ends) != 1 or ends[0][1] == 0:
        return None
    return ends[0][0] + ends[0][1] * timescale // movie_timescale


def _read_fragment(track: Track, traf: memoryview, moof_start: int, decoded: int) -> Iterator[Sample]:
    header = Fields(need(traf, b"tfhd"))
    _, flags = header.version_and_flags()
    if header.unsigned(4) != track.track_id:
        return
    base = header.unsigned(8) if flags & 0x01 else moof_start
    description = header.unsigned(4) if flags & 0x02 else track.defaults[0]
    duration = header.unsigned(4) if flags & 0x08 else track.defaults[1]
    size = header.unsigned(4) if flags & 0x10 else track.defaults[2]
    sample_flags = header.unsigned(4) if flags & 0x20 else track.defaults[3]
    time_box = find(traf, b"tfdt")
    if time_box is not None:
        time = Fields(time_box)
        version, _ = time.version_and_flags()
        decoded = time.unsigned(8 if version == 1 else 4)
    offset = base
    for kind, body in children(traf):
        if kind != b"trun":
            continue
        run = Fields(body)
        version, flags = run.version_and_flags()
        count = run.unsigned(4)
        offset = base + run.signed(4) if flags & 0x001 else offset
        first_flags = run.unsigned(4) if flags & 0x004 else None
        if count > run.left and not size:
            raise MalformedFilm("a fragment describes more pictures than it can hold")
        for number in range(count):
            own_duration = run.unsigned(4) if flags & 0x100 else duration
            own_size = run.unsigned(4) if flags & 0x200 else size
            own_flags = run.unsigned(4) if flags & 0x400 else sample_flags
            if number == 0 and first_flags is not None:
                own_flags = first_flags
            shift = 0
            if flags & 0x800:
                shift = run.signed(4) if version else run.unsigned(4)
            if own_size == 0:
                raise MalformedFilm("a fragment holds a picture of no bytes")
            sync = not own_flags & _SYNC_UNLESS
            yield Sample(offset, own_size, decoded, decoded + shift, own_duration, sync, _known(track, description))
            offset += own_size
            decoded += own_duration


def _known(track: Track, description: int) -> int:
    if not 1 <= description <= len(track.nal_length_bytes):
        raise MalformedFilm("a picture follows a description that is not there")
    return description


def _sizes(box: memoryview) -> tuple[int, Iterator[int]]:
    """How many samples, and the size of each."""
    fields = Fields(box)
    fields.version_and_flags()
    constant, count = fields.unsigned(4), fields.unsigned(4)
    if count > MAX_SAMPLES:
        raise MalformedFilm("describes more pictures than it can hold")
    return count, itertools.repeat(constant, count) if constant else iter(fields.numbers(count, "I"))


def _table(box: memoryview, form: Literal["I", "Q"]) -> array[int]:
    fields = Fields(box)
    fields.version_and_flags()
    return fields.numbers(fields.unsigned(4), form)


def _runs(box: memoryview | None, form: str, count: int) -> Iterator[int]:
    """A run-length table (`stts`, `ctts`) as one value per sample; zeros where there is no table."""
    if box is None:
        yield from itertools.repeat(0, count)
        return
    fields = Fields(box)
    fields.version_and_flags()
    left = count
    for _ in range(fields.unsigned(4)):
        length = min(fields.unsigned(4), left)
        value = fields.signed(4) if form == "i" else fields.unsigned(4)
        yield from itertools.repeat(value, length)
        left -= length
    if left:
        raise MalformedFilm("its time table is shorter than the film")


def _in_chunks(box: memoryview, offsets: array[int], sizes: Iterator[int], count: int) -> Iterator[tuple[int, int, int]]:
    """Offset, size and description of every sample, by the sample-to-chunk table."""
    fields = Fields(box)
    fields.version_and_flags()
    entries = [(fields.unsigned(4), fields.unsigned(4), fields.unsigned(4)) for _ in range(_bounded(fields, 12))]
    left = count
    for place, (first, per_chunk, description) in enumerate(entries):
        after = entries[place + 1][0] if place + 1 < len(entries) else len(offsets) + 1
        if not 1 <= first < after <= len(offsets) + 1:
            raise MalformedFilm("its chunk table contradicts itself")
        for chunk in range(first - 1, after - 1):
            offset = offsets[chunk]
            for size in itertools.islice(sizes, per_chunk):
                if not size:
                    raise MalformedFilm("holds a picture of no bytes")
                yield offset, size, description
                offset += size
                left -= 1
            if not left:
                return
    if left:
        raise MalformedFilm("its chunk table is shorter than the film")


def _bounded(fields: Fields, entry_bytes: int) -> int:
    count = fields.unsigned(4)
    if count * entry_bytes > fields.left:
        raise MalformedFilm("a table is shorter than it says")
    return count
