"""Where every access unit of a film lies, and when it is shown: from the tables of `moov`, or from each `moof`."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct

from agent.base.phrase import say
from agent.evidence.boxes import Fields, MalformedFilm, children, find, need
from agent.evidence.track import Track

# 55 hours at 25 frames a second: no single file of evidence is longer.
MAX_SAMPLES: Final = 5_000_000
_EMPTY: Final = "a fragment has several parts, and one of them holds no picture: not an honest film"
_SYNC_UNLESS: Final = 0x00010000
_WRAP: Final = 1 << 32


class Sample(Struct, frozen=True, gc=False):
    """One access unit. Times count in the track's timescale; `shown` is its presentation time."""

    offset: int
    size: int
    decoded: int
    shown: int
    duration: int
    sync: bool
    description: int


def table_samples(track: Track) -> Iterator[Sample]:
    """The samples of the tables in `moov`, for films that are not fragmented."""
    tables = track.tables
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
        yield Sample(offset, size, decoded, decoded + shift, duration, is_sync, _known(track, description))
        decoded += duration


def fragment_samples(track: Track, moof: memoryview, moof_start: int, decoded: int, *, dated: bool = False) -> Iterator[Sample]:
    """The samples of one fragment; `decoded` is where the one before ended, for fragments that do not say where they begin.

    With `dated` they must say it: players take it from elsewhere in the film.
    """
    empty = False
    for kind, traf in children(moof):
        if kind == b"traf":
            if empty and track.alone:
                raise MalformedFilm(_EMPTY)
            empty = True
            if dated and find(traf, b"tfdt") is None:
                raise MalformedFilm(say("a fragment does not say when it begins: players take it from the index"))
            for sample in _read_fragment(track, traf, moof_start, decoded):
                decoded = sample.decoded + sample.duration
                empty = False
                yield sample


def _read_fragment(track: Track, traf: memoryview, moof_start: int, decoded: int) -> Iterator[Sample]:
    header = Fields(need(traf, b"tfhd"))
    _, flags = header.version_and_flags()
    if header.unsigned(4) != track.track_id:
        if track.alone:
            raise MalformedFilm(say("a fragment is of a track that the film does not hold: players stop there"))
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
    offset = None
    for kind, body in children(traf):
        if kind != b"trun":
            continue
        run = Fields(body)
        version, flags = run.version_and_flags()
        count = run.unsigned(4)
        if not count and offset is not None:
            raise MalformedFilm(_EMPTY)
        if flags & 0x001:
            offset = base + run.signed(4)
        elif offset is not None:
            # Behind the run before, says the standard; where its fragment begins, says FFmpeg.
            raise MalformedFilm(say("a fragment does not say where its further pictures lie: players look in different places"))
        else:
            offset = base
        first_flags = run.unsigned(4) if flags & 0x004 else None
        if count > run.left and not size:
            raise MalformedFilm(say("a fragment describes more pictures than it can hold"))
        known = _known(track, description) if count else description
        columns = _columns(run, count, flags, (duration, size, sample_flags, 0))
        for number, (own_duration, own_size, own_flags, own_shift) in enumerate(zip(*columns, strict=False)):
            if own_size == 0:
                raise MalformedFilm(say("a fragment holds a picture of no bytes"))
            shift = own_shift - _WRAP if own_shift >= _WRAP // 2 else own_shift
            if shift < 0 and not version:
                raise MalformedFilm(say("a fragment holds shifts that players read in two ways"))
            unless = own_flags if number or first_flags is None else first_flags
            yield Sample(offset, own_size, decoded, decoded + shift, own_duration, not unless & _SYNC_UNLESS, known)
            offset += own_size
            decoded += own_duration


def _columns(run: Fields, count: int, flags: int, defaults: tuple[int, int, int, int]) -> list[Iterable[int]]:
    """Duration, size, flags and shift of every sample of a `trun`: each by the table, or the same for all."""
    present = [bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800)]
    width = sum(present)
    table = run.numbers(width * count, "I")
    places = [sum(present[:column]) for column in range(len(present))]
    return [
        table[places[column] :: width] if is_there else itertools.repeat(defaults[column], count)
        for column, is_there in enumerate(present)
    ]


def _known(track: Track, description: int) -> int:
    if not 1 <= description <= len(track.nal_length_bytes):
        raise MalformedFilm(say("a picture follows a description that is not there"))
    return description


def _sizes(box: memoryview) -> tuple[int, Iterator[int]]:
    """How many samples, and the size of each."""
    fields = Fields(box)
    fields.version_and_flags()
    constant, count = fields.unsigned(4), fields.unsigned(4)
    if count > MAX_SAMPLES:
        raise MalformedFilm(say("describes more pictures than it can hold"))
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
        length = fields.unsigned(4)
        if not length or not left:
            raise MalformedFilm(say("its time table contradicts itself"))
        length = min(length, left)
        value = fields.signed(4) if form == "i" else fields.unsigned(4)
        yield from itertools.repeat(value, length)
        left -= length
    if left:
        raise MalformedFilm(say("its time table is shorter than the film"))


def _in_chunks(box: memoryview, offsets: array[int], sizes: Iterator[int], count: int) -> Iterator[tuple[int, int, int]]:
    """Offset, size and description of every sample, by the sample-to-chunk table."""
    fields = Fields(box)
    fields.version_and_flags()
    entry_count = _bounded(fields, 12)
    if entry_count > len(offsets):
        raise MalformedFilm(say("its chunk table contradicts itself"))
    entries = [(fields.unsigned(4), fields.unsigned(4), fields.unsigned(4)) for _ in range(entry_count)]
    left = count
    if entries and entries[0][0] != 1:
        raise MalformedFilm(say("its chunk table leaves out the first chunk: some players show it, some do not"))
    for place, (first, per_chunk, description) in enumerate(entries):
        after = entries[place + 1][0] if place + 1 < len(entries) else len(offsets) + 1
        # FFmpeg takes the next entry's number for an entry of no frames.
        if not per_chunk or not first < after <= len(offsets) + 1:
            raise MalformedFilm(say("its chunk table contradicts itself"))
        for chunk in range(first - 1, after - 1):
            offset = offsets[chunk]
            for size in itertools.islice(sizes, per_chunk):
                if not size:
                    raise MalformedFilm(say("holds a picture of no bytes"))
                yield offset, size, description
                offset += size
                left -= 1
            if not left:
                return
    if left:
        raise MalformedFilm(say("its chunk table is shorter than the film"))


def _bounded(fields: Fields, entry_bytes: int) -> int:
    count = fields.unsigned(4)
    if count * entry_bytes > fields.left:
        raise MalformedFilm(say("a table is shorter than it says"))
    return count
