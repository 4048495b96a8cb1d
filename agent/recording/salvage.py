"""Reads a segment back from its file alone: how far it is whole, and what its notes say of it. Trusts no byte."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from agent.base.disk_refusal import refused
from agent.base.regular_file import IrregularFileError, open_regular
from agent.recording.boxes import Box, payload, top_boxes
from agent.recording.note import FragmentNote
from agent.recording.row import MOST_SPANS, Extent, Gap, MaskSpan, lay_on

_CHUNK_BYTES: Final = 1 << 20


class Salvage(Struct, frozen=True):
    """What stands in a file up to its last whole fragment. `first` is the note of the first fragment."""

    first: FragmentNote
    extent: Extent
    sha256: str


def salvage(path: Path, *, deep: bool) -> Salvage | None:
    """What can be kept of the file; None when it holds no whole fragment of ours. StorageError when it cannot be read.

    `deep` reads and checks every byte, as a torn file needs; otherwise only headers and notes are read, `sha256` is
    empty, and only the last fragment is checked.
    """
    try:
        length = path.stat().st_size
        with open_regular(path) as file:
            fragments = _checked(file, list(_fragments(file, length)), deep=deep)
            if not fragments:
                return None
            notes, end = [note for note, _, _ in fragments], fragments[-1][2].end
            sha256 = _sha256(file, end) if deep else ""
    except OSError as error:
        raise refused("read", path, error) from error
    masks: list[MaskSpan] = []
    gaps: list[Gap] = []
    for note in notes:
        gaps += note.gaps
        for span in note.masks:
            lay_on(masks, span, MOST_SPANS)
    to_ns = max(note.media_to_ns for note in notes)
    extent = Extent(to_ns, end, sum(note.frames for note in notes), tuple(masks), tuple(gaps))
    return Salvage(notes[0], extent, sha256)


def first_note(path: Path) -> FragmentNote | None:
    """What the file says it is, by its first note; None when it is no film of ours. No link is followed.

    StorageError when it cannot be read.
    """
    try:
        with open_regular(path, follow=False) as file:
            for box in top_boxes(file, os.fstat(file.fileno()).st_size):
                if box.kind == b"uuid":
                    return FragmentNote.read(payload(file, box))
                if box.kind not in (b"ftyp", b"moov"):
                    return None
    except IrregularFileError:
        return None
    except OSError as error:
        raise refused("read", path, error) from error
    return None


_Fragment = tuple[FragmentNote, Box, Box]


def _fragments(file: BinaryIO, length: int) -> Iterator[_Fragment]:
    """Note, `moof` and `mdat` that follow each other, after a header."""
    boxes = top_boxes(file, length)
    if [box.kind for box in (next(boxes, None), next(boxes, None)) if box] != [b"ftyp", b"moov"]:
        return
    while True:
        head, moof, mdat = next(boxes, None), next(boxes, None), next(boxes, None)
        if head is None or moof is None or mdat is None or (head.kind, moof.kind, mdat.kind) != (b"uuid", b"moof", b"mdat"):
            return
        note = FragmentNote.read(payload(file, head))
        if note is None:
            return
        yield note, moof, mdat


def _checked(file: BinaryIO, fragments: list[_Fragment], *, deep: bool) -> list[_Fragment]:
    """The fragments up to the last whose checksum holds."""
    if deep:
        for index, each in enumerate(fragments):
            if not _intact(file, each):
                return fragments[:index]
        return fragments
    while fragments and not _intact(file, fragments[-1]):
        fragments = fragments[:-1]
    return fragments


def _intact(file: BinaryIO, fragment: _Fragment) -> bool:
    note, moof, mdat = fragment
    file.seek(moof.offset)
    crc, left = 0, mdat.end - moof.offset
    while left > 0:
        chunk = file.read(min(left, _CHUNK_BYTES))
        if not chunk:
            return False
        crc = zlib.crc32(chunk, crc)
        left -= len(chunk)
    return crc == note.crc


def _sha256(file: BinaryIO, length: int) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while length > 0:
        chunk = file.read(min(length, _CHUNK_BYTES))
        if not chunk:
            break
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()
