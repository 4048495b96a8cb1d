"""Which boxes an honest film may hold, where, and how often: everything else is named.

A list of what is allowed, not of what is dangerous: players know boxes that this program does not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from agent.base.phrase import say
from agent.evidence.boxes import MalformedFilm, children, name
from agent.evidence.film import Film
from agent.evidence.oddity import Oddity

_ONE: Final = 1
_MANY: Final = 1 << 30
_PADDING: Final = {b"free": _MANY, b"skip": _MANY}
_MOST_BOXES: Final = 4096
_MOST_ODDITIES: Final = 32
_MOST_FRAGMENTS: Final = 150_000
"""A day and a half of our own; whoever has more is told to take it in parts, since what is not looked at proves nothing."""
_SPARE_BOXES: Final = 100_000
_BOXES_A_FRAGMENT: Final = 64
"""An honest fragment holds five to thirty boxes. All of them together have one budget, however they are spread."""

_FILE: Final = {
    b"ftyp": _ONE, b"styp": _MANY, b"moov": _ONE, b"moof": _MANY, b"mdat": _MANY, b"wide": _MANY, b"meta": _ONE, b"uuid": _MANY,
    b"sidx": _MANY, b"mfra": _ONE, b"prft": _MANY,
}  # fmt: skip
_INSIDE: Final[Mapping[str, Mapping[bytes, int]]] = {
    "moov": {b"mvhd": _ONE, b"trak": _ONE, b"mvex": _ONE, b"udta": _ONE, b"meta": _ONE, b"iods": _ONE},
    "trak": {b"tkhd": _ONE, b"mdia": _ONE, b"edts": _ONE, b"udta": _ONE, b"meta": _ONE},
    "edts": {b"elst": _ONE},
    "mdia": {b"mdhd": _ONE, b"hdlr": _ONE, b"minf": _ONE, b"elng": _ONE},
    "minf": {b"vmhd": _ONE, b"dinf": _ONE, b"stbl": _ONE, b"hdlr": _ONE},
    "dinf": {b"dref": _ONE},
    "dref": {b"url ": _ONE, b"alis": _ONE},
    "stbl": {
        b"stsd": _ONE, b"stts": _ONE, b"ctts": _ONE, b"cslg": _ONE, b"stss": _ONE, b"stsc": _ONE, b"stsz": _ONE, b"stco": _ONE,
        b"co64": _ONE, b"sdtp": _ONE, b"sgpd": _MANY, b"sbgp": _MANY,
    },
    "stsd": {b"avc1": _MANY, b"avc3": _MANY},
    "avc1": {b"avcC": _ONE, b"btrt": _ONE, b"pasp": _ONE, b"colr": _ONE, b"fiel": _ONE},
    "avc3": {b"avcC": _ONE, b"btrt": _ONE, b"pasp": _ONE, b"colr": _ONE, b"fiel": _ONE},
    "mvex": {b"mehd": _ONE, b"trex": _ONE},
    "moof": {b"mfhd": _ONE, b"traf": _ONE},
    "traf": {b"tfhd": _ONE, b"tfdt": _ONE, b"trun": _MANY, b"sdtp": _ONE, b"sgpd": _MANY, b"sbgp": _MANY},
    "mfra": {b"tfra": _ONE, b"mfro": _ONE},
    "file meta": {b"hdlr": _ONE, b"suep": _ONE, b"cstb": _ONE, b"ipro": _ONE},
    "ipro": {b"sinf": _MANY},
    "sinf": {b"schm": _ONE, b"schi": _ONE, b"frma": _ONE},
    "schi": {b"sibo": _ONE, b"cert": _ONE, b"sigC": _ONE, b"auib": _ONE},
    "udta": {b"meta": _ONE, b"loci": _ONE, b"name": _ONE, b"cprt": _MANY, b"titl": _MANY, b"XMP_": _ONE},
    "meta": {b"hdlr": _ONE, b"keys": _ONE, b"ilst": _ONE},
}  # fmt: skip
_ORDER: Final[Mapping[str, tuple[bytes, ...]]] = {
    "moov": (b"mvhd", b"trak"),
    "trak": (b"tkhd", b"mdia"),
    "mdia": (b"mdhd", b"hdlr", b"minf"),
    "minf": (b"dinf", b"stbl"),
    "stbl": (b"stsd", b"stts"),
    "moof": (b"mfhd", b"traf"),
    "traf": (b"tfhd", b"tfdt", b"trun"),
    "meta": (b"hdlr", b"keys", b"ilst"),
    "file meta": (b"hdlr", b"ipro"),
}
"""What players read by what they read before it."""
_HEADS: Final = {"stsd": 8, "dref": 8, "avc1": 78, "avc3": 78, "ipro": 6}
"""How many bytes of fields stand before the boxes inside."""
_PICTURES: Final = (b"covr", b"PICT", b"artw")
# FFmpeg's for an iPod, in films named `.m4v`, and the times of a Smooth Streaming fragment: neither is read by any player here.
_PLAIN_UUIDS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "avc1": (bytes.fromhex("6b6840f25f244fc5ba39a51bcf0323f3"),),
    "traf": (bytes.fromhex("6d1d9b0542d544e680e2141daff757b2"), bytes.fromhex("d4807ef2ca3946958e5426cb9e46a79f")),
}
# GIF, JPEG, PNG and BMP: the type of a tag, which QuickTime's keys give any name.
_PICTURE_TYPES: Final = (b"\0\0\x0c", b"\0\0\x0d", b"\0\0\x0e", b"\0\0\x1b")
# FFmpeg takes a file with this handler in its first bytes for something else, if it finds any such thing in it.
_PROGRAM_STREAM: Final = re.compile(rb"hdlr.{4}mhlrMPEG", re.DOTALL)
_PROBED_BYTES: Final = 1 << 20
_EITHER: Final = say("players may take either")
_UNKNOWN: Final = say("players may know what it does to the picture")
_WHY: Final[Mapping[bytes, str]] = {
    b"trak": say("players may show or play it instead of, or over, the signed pictures"),
    b"moov": _EITHER,
    b"clap": say("it cuts the picture when it is shown"),
    b"tref": say("it ties other content to the pictures"),
    b"sinf": say("it says that the pictures are encrypted"),
    b"senc": say("it says that the pictures are encrypted"),
    b"stsh": say("it shows other pictures after a jump"),
    b"cmov": say("it hides a second description of the film"),
    b"rmra": say("it shows another film"),
    b"emsg": say("it carries messages for the player"),
}
# Spherical video: players turn the frame.
_TURNING_UUIDS: Final = frozenset((bytes.fromhex("ffcc8263f8554a938814587a02521fdd"),))


def examine_layout(film: Film) -> list[Oddity]:
    """Every box of the file that is not where, or not as often as, an honest one would be; the first few."""
    found: list[Oddity] = []
    for oddity in _walk_file(film):
        found.append(oddity)
        if len(found) >= _MOST_ODDITIES:
            break
    return found


class _Budget:
    """Bounds what all boxes of one film may cost, wherever they stand. Raises MalformedFilm when it is used up."""

    def __init__(self, film: Film) -> None:
        self._film = film.name
        self._left = _SPARE_BOXES

    def enter_fragment(self, number: int) -> None:
        """The `number`th begins."""
        if number > _MOST_FRAGMENTS:
            raise MalformedFilm(
                say("more than {most_fragments} fragments: take the film in shorter parts", most_fragments=_MOST_FRAGMENTS),
                of=self._film,
            )
        self._left += _BOXES_A_FRAGMENT

    def spend(self, place: str) -> None:
        """One more box is looked at."""
        self._left -= 1
        if self._left < 0:
            raise MalformedFilm(say("{place}: the film holds more boxes than any honest one", place=place), of=self._film)


def _walk_file(film: Film) -> Iterator[Oddity]:
    counts: Counter[bytes] = Counter()
    budget = _Budget(film)
    if _PROGRAM_STREAM.search(film.read(0, min(_PROBED_BYTES, film.boxes[-1].end))):
        yield Oddity("file", say("says that another kind of film is packed in it: FFmpeg looks for that and plays it"))
    for each in film.boxes:
        counts[each.kind] += 1
        yield from _allowed(each.kind, counts[each.kind], _FILE, "")
        if each.body - each.start != 8 and each.kind not in (b"mdat", b"free"):
            yield Oddity(name(each.kind), say("states its size in 64 bits: players disagree on where it begins"))
        if each.kind == b"wide" and each.end != each.body:
            yield Oddity("wide", say("holds something, which players may take for pictures"))
        if each.kind == b"uuid" and each.end - each.body >= 16 and film.read(each.body, 16) in _TURNING_UUIDS:
            yield Oddity("uuid", say("says that the picture is a sphere: players turn it"))
        if each.kind == b"moof":
            budget.enter_fragment(counts[b"moof"])
            held = memoryview(film.read(each.body, each.end - each.body))
            yield from _walk(held, "moof", f"moof[{counts[b'moof']}]", budget)
        elif each.kind in (b"moov", b"mfra") and counts[each.kind] == 1:
            yield from _walk(memoryview(film.read(each.body, each.end - each.body)), name(each.kind), name(each.kind), budget)
        elif each.kind == b"meta" and counts[b"meta"] == 1:
            yield from _walk(memoryview(film.read(each.body, each.end - each.body))[4:], "file meta", "meta", budget)
    if film.boxes[0].kind != b"ftyp":
        yield Oddity(name(film.boxes[0].kind), say("the film does not begin with `ftyp`"))


def _walk(data: memoryview, what: str, place: str, budget: _Budget) -> Iterator[Oddity]:
    counts: Counter[bytes] = Counter()
    allowed = _INSIDE[what]
    order = _ORDER.get(what, ())
    reached = 0
    for number, (kind, body) in enumerate(children(data[_HEADS.get(what, 0) :])):
        if number >= _MOST_BOXES:
            yield Oddity(place, say("holds more boxes than any honest one"))
            return
        budget.spend(place)
        counts[kind] += 1
        if kind in order:
            if order.index(kind) < reached:
                yield Oddity(f"{place}/{name(kind)}", say("stands behind what players read by it: they disagree on what it says"))
            reached = max(reached, order.index(kind))
        if what == "udta" and (kind[:1] == b"\xa9" or kind == b"\0\0\0\0"):
            continue
        if kind == b"uuid" and bytes(body[:16]) in _PLAIN_UUIDS.get(what, ()):
            continue
        yield from _allowed(kind, counts[kind], allowed, place)
        inside = name(kind)
        if kind not in allowed:
            continue
        if kind == b"meta":
            body = body if bytes(body[4:8]) == b"hdlr" else body[4:]  # noqa: PLW2901 - QuickTime's has no version
        if kind == b"ilst":
            for item, content in children(body):
                if item in _PICTURES or _is_picture(content):
                    yield Oddity(f"{place}/ilst/{name(item)}", say("a picture that nobody signed: players show it as the film's"))
        elif inside in _INSIDE:
            yield from _walk(body, inside, f"{place}/{inside}", budget)


def _is_picture(item: memoryview) -> bool:
    """True when a tag of any name holds an image."""
    return any(kind == b"data" and bytes(body[1:4]) in _PICTURE_TYPES for kind, body in children(item))


def _allowed(kind: bytes, count: int, allowed: Mapping[bytes, int], place: str) -> Iterator[Oddity]:
    limit = allowed.get(kind, _PADDING.get(kind, 0))
    if count <= limit:
        return
    where = f"{place}/{name(kind)}" if place else name(kind)
    if limit:
        yield Oddity(f"{where}[{count}]", say("one is allowed: {why}", why=_WHY.get(kind, _EITHER)))
    elif count == 1:
        yield Oddity(where, say("no box of an honest film: {why}", why=_WHY.get(kind, _UNKNOWN)))
