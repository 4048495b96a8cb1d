"""What the fields of `moov` make players do with the frames: turn, cut, hide, repeat, stretch or recolour them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent.base.phrase import say
from agent.evidence.boxes import Fields, children, find, need
from agent.evidence.film import Film
from agent.evidence.oddity import Oddity
from agent.evidence.parameters import UNSPECIFIED, Colour, SequenceParameters

_UPRIGHT: Final = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_BRANDS: Final = frozenset(
    (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV",
     b"dash", b"qt  ", b"cmfc", b"cmf2", b"mmp4", b"3gp4", b"3gp5", b"3gp6", b"3gg6", b"f4v ", b"isml")
)  # fmt: skip
_ENABLED: Final = 1
_GRAPHICS_MODES: Final = (0, 0x40)
# Bits of colour in QuickTime's sample description that bring a table.
_PALETTES: Final = (1, 2, 4, 8)
_MOST_INITIAL_S: Final = 10
_SIGN: Final = 1 << 31


def examine_container(film: Film) -> Iterator[Oddity]:
    """Everything in `ftyp` and `moov` that changes what is shown. Raises MalformedFilm."""
    moov = memoryview(film.box_body(b"moov") or b"")
    yield from _brand(film)
    yield from _movie(moov)
    trak = need(moov, b"trak")
    yield from _track_header(trak)
    yield from _edits(trak, film)
    yield from _tables(trak)
    yield from _extension(moov, film)


def _brand(film: Film) -> Iterator[Oddity]:
    brand = (film.box_body(b"ftyp") or b"")[:4]
    if brand not in _BRANDS:
        yield Oddity("ftyp", say("names the file {brand!r}, which players may take for something else than a film", brand=brand))


def _movie(moov: memoryview) -> Iterator[Oddity]:
    fields = Fields(need(moov, b"mvhd"))
    version, _ = fields.version_and_flags()
    fields.take(28 if version == 1 else 16)
    if fields.unsigned(4) != 0x10000:
        yield Oddity("moov/mvhd", say("asks players for another speed"))
    fields.take(12)
    if _matrix(fields) != _UPRIGHT:
        yield Oddity("moov/mvhd", say("turns, mirrors or stretches the picture when it is shown"))


def _track_header(trak: memoryview) -> Iterator[Oddity]:
    fields = Fields(need(trak, b"tkhd"))
    version, flags = fields.version_and_flags()
    fields.take(40 if version == 1 else 28)
    fields.take(8)
    if not flags & _ENABLED:
        yield Oddity("moov/trak/tkhd", say("switches the track off: players do not show it"))
    if _matrix(fields) != _UPRIGHT:
        yield Oddity("moov/trak/tkhd", say("turns, mirrors or stretches the picture when it is shown"))
    graphics = find(trak, b"mdia", b"minf", b"vmhd")
    if graphics is not None:
        mode = Fields(graphics)
        mode.version_and_flags()
        if mode.unsigned(2) not in _GRAPHICS_MODES:
            yield Oddity("moov/trak/mdia/minf/vmhd", say("asks for the picture to be blended"))
    references = need(trak, b"mdia", b"minf", b"dinf", b"dref")
    entries = list(children(references[8:]))
    if len(entries) != 1 or bytes(entries[0][1][1:4]) != b"\0\0\1":
        yield Oddity("moov/trak/mdia/minf/dinf/dref", say("says that the pictures lie in another file"))


def _matrix(fields: Fields) -> tuple[int, ...]:
    return tuple(fields.unsigned(4) for _ in range(9))


def _edits(trak: memoryview, film: Film) -> Iterator[Oddity]:
    box = find(trak, b"edts", b"elst")
    if box is None:
        return
    fields = Fields(box)
    version, _ = fields.version_and_flags()
    width = 8 if version == 1 else 4
    count = fields.unsigned(4)
    fragmented = any(each.kind == b"moof" for each in film.boxes)
    shown = 0
    for number in range(min(count, 3)):
        duration, start, rate = fields.unsigned(width), fields.signed(width), fields.unsigned(4)
        if rate != 0x10000:
            yield Oddity("moov/trak/edts/elst", say("asks players for another speed, or for a picture that stands still"))
        if start >= 0:
            shown += 1
            if not duration and not fragmented:
                yield Oddity("moov/trak/edts/elst", say("lasts no time: some players show the film, some do not"))
        elif start != -1 or number or duration > _MOST_INITIAL_S * film.track.movie_timescale:
            yield Oddity("moov/trak/edts/elst", say("shows nothing for a while"))
    if shown != 1 or count > 2 or fields.left:
        yield Oddity("moov/trak/edts/elst", say("cuts the film in pieces: players hide, repeat or reorder pictures"))


def _tables(trak: memoryview) -> Iterator[Oddity]:
    tables = need(trak, b"mdia", b"minf", b"stbl")
    shifts = find(tables, b"ctts")
    if shifts is not None:
        fields = Fields(shifts)
        version, _ = fields.version_and_flags()
        count = fields.unsigned(4)
        if version == 0 and any(value >= _SIGN for value in fields.numbers(2 * count, "I")[1::2]):
            yield Oddity("moov/trak/mdia/minf/stbl/ctts", say("holds shifts that players read in two ways"))
    if find(tables, b"stco") is not None and find(tables, b"co64") is not None:
        yield Oddity("moov/trak/mdia/minf/stbl", say("says twice where the pictures lie: players may take either"))


def _extension(moov: memoryview, film: Film) -> Iterator[Oddity]:
    fragments = any(each.kind == b"moof" for each in film.boxes)
    begun = [each.kind for each in film.boxes if each.kind in (b"moov", b"moof")]
    extends = find(moov, b"mvex", b"trex")
    announced = extends is not None and int.from_bytes(extends[4:8], "big") == film.track.track_id
    if fragments and (not announced or begun[0] != b"moov"):
        yield Oddity("moof", say("fragments that `moov` does not announce: some players show them, some do not"))


def examine_description(entry: memoryview, sets: Sequence[SequenceParameters], trak_size: tuple[int, int]) -> Iterator[Oddity]:
    """The sample entry against the parameter sets that decode its frames. `trak_size` is that of `tkhd`, in pixels."""
    place = "moov/trak/mdia/minf/stbl/stsd"
    size = (int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[26:28], "big"))
    if int.from_bytes(entry[6:8], "big") != 1:
        yield Oddity(place, say("says that the pictures lie in another file"))
    boxes = {bytes(kind): body for kind, body in children(entry[78:])}
    aspect = _pair(boxes.get(b"pasp"))
    for sps in sets:
        if size != (sps.width, sps.height):
            shown = f"{sps.width}x{sps.height}"
            yield Oddity(
                place,
                say(
                    "says {width}x{height}, the pictures are coded as {shown}: players stretch or cut them",
                    width=size[0],
                    height=size[1],
                    shown=shown,
                ),
            )
        if aspect is not None and aspect[0] * sps.aspect[1] != aspect[1] * sps.aspect[0]:
            yield Oddity(f"{place}/pasp", say("is not the shape of the coded pictures' points: players stretch them"))
        if not _fits(trak_size, sps):
            yield Oddity(
                "moov/trak/tkhd",
                say("says {width}x{height}: players stretch the picture", width=trak_size[0], height=trak_size[1]),
            )
        if b"colr" in boxes and not _same_colour(bytes(boxes[b"colr"]), sps.colour):
            yield Oddity(f"{place}/colr", say("names other colours than the coded pictures: players recolour them"))
    if int.from_bytes(entry[74:76], "big") & 0x1F in _PALETTES:
        yield Oddity(place, say("says that a table of colours follows: some players read the description from another byte on"))
    if b"fiel" in boxes and bytes(boxes[b"fiel"][:1]) != b"\1":
        yield Oddity(f"{place}/fiel", say("says that the pictures are fields: players rework them"))


def _pair(box: memoryview | None) -> tuple[int, int] | None:
    if box is None:
        return None
    fields = Fields(box)
    return fields.unsigned(4), fields.unsigned(4)


def _fits(trak_size: tuple[int, int], sps: SequenceParameters) -> bool:
    """True when the size the track asks for is that of the picture, with or without the shape of its points."""
    if trak_size in ((0, 0), (sps.width, sps.height)):
        return True
    across, down = sps.aspect
    wide = abs(trak_size[0] - sps.width * across / down) <= 1 and abs(trak_size[1] - sps.height) <= 1
    return wide or (abs(trak_size[0] - sps.width) <= 1 and abs(trak_size[1] - sps.height * down / across) <= 1)


def _same_colour(box: bytes, coded: Colour) -> bool:
    if box[:4] not in (b"nclx", b"nclc") or len(box) < 10:
        return False
    stated = [int.from_bytes(box[at : at + 2], "big") for at in (4, 6, 8)]
    full = len(box) > 10 and box[:4] == b"nclx" and bool(box[10] & 0x80)
    known = (coded.primaries, coded.transfer, coded.matrix)
    return all(value in (own, UNSPECIFIED) for value, own in zip(stated, known, strict=True)) and full is coded.full_range
