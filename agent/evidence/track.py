"""What `moov` says of a film's H.264 track, read strictly."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from agent.base.phrase import say
from agent.evidence.boxes import Fields, MalformedFilm, children, find, need

_SIGN: Final = 1 << 31


class Track(Struct, frozen=True):
    """What `moov` says of the first H.264 track. `alone`: the film holds no other track.

    `shown_until` is where an edit list ends it, `lasts` how long its headers let players show it otherwise, `ended_by` the box
    that says so.
    """

    track_id: int
    timescale: int
    movie_timescale: int
    width: int
    height: int
    description_box: bytes
    nal_length_bytes: tuple[int, ...]
    defaults: tuple[int, int, int, int]
    tables: memoryview
    shown_from: int
    shown_until: int | None
    lasts: int | None
    ended_by: str
    alone: bool


def read_moov(moov: memoryview) -> Track:
    """The first picture track. Raises MalformedFilm when there is none, or none of H.264."""
    movie_timescale = _timescale(need(moov, b"mvhd"))
    traks = [body for kind, body in children(moov) if kind == b"trak"]
    for trak in traks:
        if bytes(need(trak, b"mdia", b"hdlr")[8:12]) == b"vide":
            return _read_track(moov, trak, movie_timescale, alone=len(traks) == 1)
    raise MalformedFilm(say("has no picture track"))


def _read_track(moov: memoryview, trak: memoryview, movie_timescale: int, *, alone: bool) -> Track:
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
            raise MalformedFilm(say("is H.265: Vigie judges H.264 only"))
        if kind not in (b"avc1", b"avc3") or len(entry) < 78:
            raise MalformedFilm(say("its pictures are {kind!r}, not H.264", kind=kind))
        if not lengths:
            size = (int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[26:28], "big"))
        configuration = need(entry[78:], b"avcC")
        if len(configuration) < 5:
            raise MalformedFilm(say("its decoder configuration is cut short"))
        lengths.append((configuration[4] & 3) + 1)
    if not lengths or len(lengths) != count:
        raise MalformedFilm(say("does not describe its pictures"))
    begin, until = _shown_span(find(trak, b"edts", b"elst"), timescale, movie_timescale)
    lasts, ended_by = None, "moov/trak/edts/elst"
    if find(trak, b"edts") is None and find(moov, b"mvex") is None:
        lasts, ended_by = _stated_length(moov, trak, timescale, movie_timescale)
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
        shown_from=begin,
        shown_until=until,
        lasts=lasts,
        ended_by=ended_by,
        alone=alone,
    )


def _timescale(header: memoryview) -> int:
    fields = Fields(header)
    version, _ = fields.version_and_flags()
    if version > 1:
        raise MalformedFilm(say("states its times in a form that players do not know: some show nothing of it"))
    fields.take(16 if version == 1 else 8)
    timescale = fields.unsigned(4)
    if not 0 < timescale < _SIGN:
        raise MalformedFilm(say("counts time in units of nothing, or in what players take for less than nothing"))
    return timescale


def _stated_length(moov: memoryview, trak: memoryview, timescale: int, movie_timescale: int) -> tuple[int | None, str]:
    """How long a plain film lasts by its headers, and by which: GStreamer shows no more of it."""
    lengths = [
        (duration * timescale // counted, place)
        for header, counted, place in (
            (need(moov, b"mvhd"), movie_timescale, "moov/mvhd"),
            (need(trak, b"mdia", b"mdhd"), timescale, "moov/trak/mdia/mdhd"),
        )
        if (duration := _duration(header))
    ]
    return min(lengths, default=(None, ""))


def _duration(header: memoryview) -> int:
    fields = Fields(header)
    version, _ = fields.version_and_flags()
    fields.take(20 if version == 1 else 12)
    return fields.unsigned(8 if version == 1 else 4)


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


def _shown_span(edits: memoryview | None, timescale: int, movie_timescale: int) -> tuple[int, int | None]:
    """Where a plain edit list (one edit, perhaps after an empty one) begins and ends the film, in the track's timescale."""
    if edits is None:
        return -(1 << 63), None
    fields = Fields(edits)
    version, _ = fields.version_and_flags()
    width = 8 if version == 1 else 4
    spans = []
    for _ in range(min(fields.unsigned(4), 1024)):
        duration, media_time, _rate = fields.unsigned(width), fields.signed(width), fields.unsigned(4)
        if media_time >= 0:
            spans.append((media_time, duration))
    if len(spans) != 1:
        return -(1 << 63), None
    begin, duration = spans[0]
    return begin, begin + duration * timescale // movie_timescale if duration else None
