"""ISO base media boxes, read strictly: every length is checked against what really is there before anything is believed.

Nothing is read into memory beyond the boxes that describe the film, and those only up to a bound, so that a hostile file costs
bounded memory and time.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterator
from typing import BinaryIO, Literal

from msgspec import Struct

from agent.base.errors import EvidenceError
from agent.base.phrase import joined, say

MAX_DESCRIPTION_BYTES = 64 * 1024 * 1024
_MOST_INSIDE = 4096


class MalformedFilm(EvidenceError):
    """A file that is no MP4, or one that is cut short or contradicts itself. `of` names the file, where it is known already."""

    def __init__(self, what: str, *, of: str = "", remedy: str = "") -> None:
        super().__init__(joined(": ", (of, what)) if of else what, remedy=remedy)
        self.of = of


class CutShort(MalformedFilm):
    """The file ends, or was never written, in the middle of a box at file level."""


class TopBox(Struct, frozen=True):
    """A box at file level. `body` is the offset of its content, `end` that of the byte after it."""

    kind: bytes
    start: int
    body: int
    end: int


def top_boxes(file: BinaryIO, of: str, limit: int | None = None) -> Iterator[TopBox]:
    """Every box of the file, in order. Raises MalformedFilm, at the latest at the end, when the file is no whole MP4.

    `limit` is where to stop reading a file that still grows.
    """
    size = os.fstat(file.fileno()).st_size
    size = size if limit is None else min(size, limit)
    at = 0
    if size < 8:
        raise MalformedFilm(say("{size} bytes are no MP4 film", size=size), of=of)
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise CutShort(say("cut short at byte {at}: the film lacks its end", at=at), of=of)
        if not any(head[:8]):
            raise CutShort(say("from byte {at} on nothing was written: the film lacks its end", at=at), of=of)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if at == 0 and kind not in (b"ftyp", b"styp", b"moov", b"free", b"skip", b"mdat", b"wide"):
            raise MalformedFilm(say("is no MP4 film"), of=of, remedy=say("expected a file that begins with an `ftyp` box"))
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            length = size - at
        if length < body - at:
            raise MalformedFilm(
                say("the box at byte {at} claims {length} bytes: the file is damaged", at=at, length=length), of=of
            )
        if at + length > size:
            raise CutShort(
                say(
                    "cut short: box {kind} at byte {at} should reach to byte {at_2}, the file ends at {size}",
                    kind=name(kind),
                    at=at,
                    at_2=at + length,
                    size=size,
                ),
                of=of,
                remedy=say("copy it again from its source"),
            )
        yield TopBox(kind, at, body, at + length)
        at += length


def read_body(file: BinaryIO, box: TopBox, of: str) -> bytes:
    """The content of a describing box. Raises MalformedFilm when it is larger than any honest one."""
    length = box.end - box.body
    if length > MAX_DESCRIPTION_BYTES:
        raise MalformedFilm(
            say("box {kind} holds {length} bytes of description: not an honest film", kind=name(box.kind), length=length), of=of
        )
    file.seek(box.body)
    body = file.read(length)
    if len(body) != length:
        raise MalformedFilm(say("cut short while it was read"), of=of)
    return body


def children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and content of every box inside `data`. Raises MalformedFilm."""
    at, end, count = 0, len(data), 0
    while at < end and not (end - at == 4 and not any(data[at:])):  # QuickTime ends some boxes with a zero
        count += 1
        if count > _MOST_INSIDE:
            raise MalformedFilm(say("a box holds more boxes than any honest one"))
        if end - at < 8:
            raise MalformedFilm(say("a box is cut short inside another"))
        length, body = int.from_bytes(data[at : at + 4], "big"), at + 8
        if length == 1 and end - at >= 16:
            length, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        elif length == 0:
            # Up to the end, says the standard of the last box of a file alone; FFmpeg reads it so anywhere, GStreamer nowhere.
            raise MalformedFilm(
                say("box {kind} states no size inside another: players disagree on it", kind=name(bytes(data[at + 4 : at + 8])))
            )
        if length < body - at or at + length > end:
            raise MalformedFilm(
                say(
                    "box {kind} claims {length} bytes inside a smaller one",
                    kind=name(bytes(data[at + 4 : at + 8])),
                    length=length,
                )
            )
        yield bytes(data[at + 4 : at + 8]), data[body : at + length]
        at += length


def find(data: memoryview, *path: bytes) -> memoryview | None:
    """The content of the first box at `path`, or None."""
    for kind, body in children(data):
        if kind == path[0]:
            return body if len(path) == 1 else find(body, *path[1:])
    return None


def need(data: memoryview, *path: bytes) -> memoryview:
    """The content of the first box at `path`. Raises MalformedFilm when there is none."""
    found = find(data, *path)
    if found is None:
        raise MalformedFilm(say("box {name} is missing: the film does not describe itself", name="/".join(map(name, path))))
    return found


class Fields:
    """Reads big-endian numbers one after the other. Raises MalformedFilm when the box is too short."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> memoryview:
        """The next bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise MalformedFilm(say("a box is shorter than its own fields"))
        found = self._data[self._at : end]
        self._at = end
        return found

    def unsigned(self, size: int) -> int:
        """The next number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """The next number of `size` bytes, two's complement."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def version_and_flags(self) -> tuple[int, int]:
        """The head of a full box."""
        return self.unsigned(1), self.unsigned(3)

    def numbers(self, count: int, form: Literal["I", "Q"]) -> array[int]:
        """`count` unsigned numbers of 4 ("I") or 8 ("Q") bytes, after a check that they are all there."""
        found = array(form)
        found.frombytes(self.take(found.itemsize * count))
        if sys.byteorder == "little":
            found.byteswap()
        return found

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def text(self) -> str:
        """The next null-terminated UTF-8 string."""
        rest = bytes(self._data[self._at :])
        end = rest.find(b"\0")
        if end < 0:
            raise MalformedFilm(say("a text in a box has no end"))
        self._at += end + 1
        return rest[:end].decode("utf-8", "replace")


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with its head."""
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, bytes((version,)) + flags.to_bytes(3, "big"), *parts)


def name(kind: bytes) -> str:
    """A box's kind, legible."""
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in kind)
