"""Forges films: takes an MP4 apart, changes boxes, fields or units at random, and puts it together again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from agent.evidence.boxes import box, full_box
from agent.evidence.parameters import SequenceParameters
from agent.signing import nal

_CONTAINERS: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"edts", b"dinf")
_NUMBERS: Final = (0, 1, 2, 7, 0xFFFF, 0x10000, 0x20000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MATRIX: Final = b"".join(each.to_bytes(4, "big") for each in (0xFFFF0000, 0, 0, 0, 0x10000, 0, 0x1000000, 0, 0x40000000))


class Node:
    """A box: its kind, and either boxes or bytes."""

    def __init__(self, kind: bytes, body: bytes) -> None:
        self.kind, self.body = kind, body
        self.children = parse(body) if kind in _CONTAINERS else None

    def bytes(self) -> bytes:
        """As it stands in a file."""
        return box(self.kind, self.body if self.children is None else b"".join(each.bytes() for each in self.children))


def parse(data: bytes) -> list[Node]:
    """The boxes, as far as they make sense; what follows them goes into the last."""
    found: list[Node] = []
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            size = len(data) - at
        found.append(Node(data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def mutate(film: bytes, pictures: Sequence[bytes], luck: random.Random) -> bytes:
    """The film, changed once or a few times. `pictures` are other pictures' units, for what a forger would hide."""
    content = film
    for _ in range(luck.choice((1, 1, 1, 2, 3))):
        content = luck.choice((_bytes, _bytes, _boxes, _boxes, _boxes, _units, _units, _units))(content, pictures, luck)
    return content


def _bytes(film: bytes, _pictures: Sequence[bytes], luck: random.Random) -> bytes:
    """Bits, bytes and numbers, mostly in the boxes that describe."""
    content = bytearray(film)
    describing = [n for kind in (b"moov", b"moof", b"elst", b"tkhd", b"avcC", b"trun") if (n := film.find(kind)) >= 0]
    at = luck.choice(describing) + luck.randrange(400) if describing and luck.random() < 0.8 else luck.randrange(len(content))
    at = min(at, len(content) - 4)
    kind = luck.randrange(4)
    if kind == 0:
        content[at] ^= 1 << luck.randrange(8)
    elif kind == 1:
        content[at] = luck.randrange(256)
    elif kind == 2:
        content[at : at + 4] = luck.choice(_NUMBERS).to_bytes(4, "big")
    else:
        del content[at : at + luck.randrange(1, 5)]
    return bytes(content)


def _boxes(film: bytes, pictures: Sequence[bytes], luck: random.Random) -> bytes:
    """Boxes doubled, taken out, renamed, moved, or brought in; data offsets are kept right where that can be done."""
    nodes = parse(film)
    places = list(_lists(nodes))
    where = luck.choice(places)
    if not where:
        return film
    at = luck.randrange(len(where))
    kind = luck.randrange(6)
    if kind == 0:
        where.insert(luck.randrange(len(where) + 1), where[at])
    elif kind == 1:
        where.pop(at)
    elif kind == 2:
        where[at].kind = luck.choice((b"free", b"skip", b"abcd", b"clap", b"pasp", b"ctts", b"uuid"))
    elif kind == 3:
        other = luck.randrange(len(where))
        where[at], where[other] = where[other], where[at]
    elif kind == 4:
        where.insert(at, luck.choice(_new_boxes(pictures, luck)))
    else:
        body = bytearray(where[at].body)
        if where[at].children is None and len(body) >= 4:
            place = luck.randrange(0, len(body) - 3)
            body[place : place + 4] = luck.choice(_NUMBERS).to_bytes(4, "big")
            where[at].body = bytes(body)
    made = b"".join(each.bytes() for each in nodes)
    return _moved(made, len(made) - len(film)) if luck.random() < 0.7 else made


def _new_boxes(pictures: Sequence[bytes], luck: random.Random) -> list[Node]:
    first, second = luck.choice(_NUMBERS), luck.choice(_NUMBERS)
    edit = b"".join((first.to_bytes(4, "big"), second.to_bytes(4, "big"), (0x10000).to_bytes(4, "big")))
    return [
        Node(b"elst", bytes(7) + b"\1" + edit),
        Node(b"edts", full_box(b"elst", 0, 0, (1).to_bytes(4, "big"), edit)),
        Node(b"clap", b"".join((luck.randrange(1, 64)).to_bytes(4, "big") for _ in range(8))),
        Node(b"pasp", luck.randrange(1, 9).to_bytes(4, "big") + luck.randrange(1, 9).to_bytes(4, "big")),
        Node(
            b"colr", b"nclx" + bytes((0, luck.randrange(10), 0, luck.randrange(19), 0, luck.randrange(10), luck.choice((0, 128))))
        ),
        Node(b"ctts", bytes(4) + (1).to_bytes(4, "big") + (99).to_bytes(4, "big") + first.to_bytes(4, "big")),
        Node(b"stts", bytes(4) + (1).to_bytes(4, "big") + (99).to_bytes(4, "big") + first.to_bytes(4, "big")),
        Node(b"tkhd", b"\0\0\0\3" + bytes(36) + _MATRIX + bytes(8)),
        Node(b"uuid", bytes.fromhex("ffcc8263f8554a938814587a02521fdd") + b"<rdf/>"),
        Node(b"free", luck.choice(pictures)),
        Node(b"mdat", luck.choice(pictures)),
        Node(b"udta", box(b"meta", bytes(4), box(b"ilst", box(b"covr", box(b"data", bytes(8)))))),
    ]


def _lists(nodes: list[Node]) -> list[list[Node]]:
    found = [nodes]
    for each in nodes:
        if each.children is not None:
            found += _lists(each.children)
    return found


def _moved(film: bytes, by: int) -> bytes:
    """With the absolute offsets of `stco` put right."""
    at = film.find(b"stco")
    if at < 0 or not by:
        return film
    count = int.from_bytes(film[at + 8 : at + 12], "big")
    content = bytearray(film)
    for place in range(at + 12, min(at + 12 + 4 * count, len(film) - 4), 4):
        moved = (int.from_bytes(content[place : place + 4], "big") + by) & 0xFFFFFFFF
        content[place : place + 4] = moved.to_bytes(4, "big")
    return bytes(content)


Assemble = Callable[[list[list[bytes]]], bytes]


def _units(film: bytes, pictures: Sequence[bytes], luck: random.Random) -> bytes:
    """Units changed inside samples that keep their size, so that every table still fits."""
    spots = [at for at in range(len(film) - 8) if _begins_unit(film, at)][:4000]
    if not spots:
        return film
    content = bytearray(film)
    at = luck.choice(spots)
    size = int.from_bytes(film[at : at + 4], "big")
    start, end = at + 4, at + 4 + size
    kind = luck.randrange(7)
    if kind == 0:
        content[start] = luck.choice((0, 0x60)) | luck.randrange(32)
    elif kind == 1:
        hidden = (nal.START_CODE + luck.choice(pictures))[: max(size - 3, 0)]
        content[start + 3 : start + 3 + len(hidden)] = hidden
    elif kind == 2:
        content[end - 1 : end] = b"\0"
    elif kind == 3:
        part = luck.randrange(size + 1)
        content[at : at + 4] = part.to_bytes(4, "big")
        if size - part >= 5:
            content[start + part : start + part + 4] = (size - part - 4).to_bytes(4, "big")
    elif kind == 4:
        place = luck.randrange(start, end)
        content[place] ^= 1 << luck.randrange(8)
    elif kind == 5:
        junk = luck.choice((_sei(luck), b"\x0a", b"\x0b", b"\x09\x10", b"\x0c\xff\x80", b"\x01", luck.choice(pictures)))[:size]
        content[start : start + len(junk)] = junk
        if size - len(junk) >= 5:
            content[at : at + 4] = len(junk).to_bytes(4, "big")
            rest = start + len(junk)
            content[rest : rest + 4] = (size - len(junk) - 4).to_bytes(4, "big")
            content[rest + 4 : end] = bytes((12, *(b"\xff" * max(size - len(junk) - 6, 0)), 128))[: end - rest - 4]
    else:
        content[start:end] = luck.choice(pictures)[:size].ljust(size, b"\0")
    return bytes(content)


def _begins_unit(film: bytes, at: int) -> bool:
    """A guess that holds for most: a length, then a header of a type that films have, and another length where it ends."""
    size = int.from_bytes(film[at : at + 4], "big")
    return 1 < size < 20_000 and film[at + 4] & 0x9F in (1, 5, 6, 7, 8) and at + 4 + size <= len(film)


def _sei(luck: random.Random) -> bytes:
    kind, payload = luck.choice((4, 5, 6, 19, 45, 47, 137, 144, 147, 3, 1)), luck.randbytes(luck.randrange(1, 20))
    return b"\x06" + bytes((kind, len(payload))) + nal.escape(payload) + b"\x80"


def other_sets(sps: bytes) -> list[bytes]:
    """Parameter sets of the same number that can be read and say something else: what a forger would put in their place."""
    found = []
    for at in range(1, len(sps)):
        for bit in range(8):
            changed = sps[:at] + bytes((sps[at] ^ 1 << bit,)) + sps[at + 1 :]
            try:
                if SequenceParameters.read(changed).number == SequenceParameters.read(sps).number:
                    found.append(changed)
            except ValueError:
                continue
    return found
