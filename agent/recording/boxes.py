"""Reads the top level of our own MP4 files: where whole fragments end, and what they say of themselves. Trusts nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from msgspec import Struct

_HEADER: Final = struct.Struct(">I4s")
_LARGE: Final = struct.Struct(">Q")
MOST_NOTE_BYTES: Final = 1 << 20


class Box(Struct, frozen=True):
    """A whole box: `offset` of its header, `size` with its header, `body` offset of its payload."""

    kind: bytes
    offset: int
    size: int
    body: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def top_boxes(file: BinaryIO, length: int) -> Iterator[Box]:
    """The boxes of the file's first `length` bytes, as far as they are whole; stops in silence at the first that is not."""
    offset = 0
    while offset + _HEADER.size <= length:
        file.seek(offset)
        head = file.read(_HEADER.size + _LARGE.size)
        if len(head) < _HEADER.size:
            return
        size, kind = _HEADER.unpack_from(head)
        body = offset + _HEADER.size
        if size == 1:
            if len(head) < _HEADER.size + _LARGE.size:
                return
            (size,) = _LARGE.unpack_from(head, _HEADER.size)
            body += _LARGE.size
        if size < body - offset or offset + size > length:
            return
        yield Box(kind, offset, size, body)
        offset += size


def payload(file: BinaryIO, box: Box) -> bytes:
    """The bytes of a small box; empty when it is larger than any of ours."""
    size = box.end - box.body
    if size > MOST_NOTE_BYTES:
        return b""
    file.seek(box.body)
    return file.read(size)
