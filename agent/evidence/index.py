"""The indices of a film, `sidx` and `mfra`: players jump where they point, so they may point at fragments only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.base.phrase import say
from agent.evidence.boxes import Fields, MalformedFilm, TopBox, find
from agent.evidence.film import Film
from agent.evidence.oddity import Oddity

_MOST_ENTRIES: Final = 300_000
_BEFORE_FRAGMENTS: Final = (b"moof", b"styp", b"sidx", b"prft", b"uuid")


def examine_index(film: Film) -> list[Oddity]:
    """What is odd about them. Raises MalformedFilm."""
    found: list[Oddity] = []
    begins = {each.start for each in film.boxes if each.kind in _BEFORE_FRAGMENTS}
    ends = {each.end for each in film.boxes}
    found += _hidden_index(film)
    for each in film.boxes:
        if each.kind == b"sidx":
            found += list(_segment_index(film, each, begins, ends))[:1]
        elif each.kind == b"mfra":
            fragments = {each.start for each in film.boxes if each.kind == b"moof"}
            found += list(_random_access(film, each, fragments))[:1]
        if len(found) > 8:
            break
    return found


def _hidden_index(film: Film) -> Iterator[Oddity]:
    """Players find `mfra` by the file's last four bytes, which say how far before the end it begins."""
    end = film.boxes[-1].end
    place = end - int.from_bytes(film.read(end - 4, 4), "big")
    known = {each.start for each in film.boxes if each.kind == b"mfra"}
    if (known and place not in known) or (0 <= place <= end - 8 and film.read(place + 4, 4) == b"mfra" and not known):
        yield Oddity("mfra", say("is not where the end of the file says: players take another index, and jump where it points"))


def _segment_index(film: Film, box: TopBox, begins: set[int], ends: set[int]) -> Iterator[Oddity]:
    fields = Fields(memoryview(film.read(box.body, box.end - box.body)))
    version, _ = fields.version_and_flags()
    fields.take(8)
    width = 8 if version else 4
    fields.unsigned(width)
    at = box.end + fields.unsigned(width)
    fields.take(2)
    for _ in range(fields.unsigned(2)):
        size = fields.unsigned(4)
        fields.take(8)
        if size & 0x80000000 or at not in begins or at + size not in ends:
            yield Oddity("sidx", say("points at what is no fragment: players show what they find there"))
        at += size


def _random_access(film: Film, box: TopBox, fragments: set[int]) -> Iterator[Oddity]:
    table = find(memoryview(film.read(box.body, box.end - box.body)), b"tfra")
    if table is None:
        return
    fields = Fields(table)
    version, _ = fields.version_and_flags()
    fields.unsigned(4)
    sizes = fields.unsigned(4)
    more = sum((sizes >> shift & 3) + 1 for shift in (4, 2, 0))
    width = 8 if version else 4
    count = fields.unsigned(4)
    if count > _MOST_ENTRIES:
        raise MalformedFilm(say("`mfra` lists more than any honest film holds"))
    for _ in range(count):
        fields.unsigned(width)
        if fields.unsigned(width) not in fragments:
            yield Oddity("mfra/tfra", say("points at what is no fragment: players show what they find there"))
        fields.take(more)
