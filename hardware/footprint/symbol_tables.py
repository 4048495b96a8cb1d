"""Where a shared library keeps the names it exports: tables that loading reads and nobody writes.

Wheels are repaired by a tool that moves these tables behind everything else, into segments that may be written to, so that
what a mapping allows no longer tells that they are constant; what they are does. Source: the System V ABI's ELF-64 object
file format, and glibc's `elf.h` for the GNU sections.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from pathlib import Path

_IDENT = b"\x7fELF\x02\x01"
"""64 bits, little-endian."""
_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_MOST_SECTIONS = 4096
_SHT_STRTAB, _SHT_DYNSYM, _SHT_GNU_HASH, _SHT_GNU_VERSYM = 3, 11, 0x6FFFFFF6, 0x6FFFFFFF
_TABLES = frozenset({_SHT_STRTAB, _SHT_DYNSYM, _SHT_GNU_HASH, _SHT_GNU_VERSYM})
_SHF_WRITE, _SHF_ALLOC = 1, 2


@functools.cache
def symbol_tables(library: Path) -> tuple[tuple[int, int], ...]:
    """Start and end of each table, in bytes of the file; none when they cannot be told."""
    try:
        with library.open("rb") as file:
            header = file.read(_HEADER.size)
            if not header.startswith(_IDENT):
                return ()
            fields = _HEADER.unpack(header)
            at, size, count = fields[5], fields[10], fields[11]
            if size != _SECTION.size or count > _MOST_SECTIONS:
                return ()
            file.seek(at)
            return tuple(_tables(file.read(size * count)))
    except (OSError, OverflowError, ValueError, struct.error):
        return ()


def _tables(sections: bytes) -> Iterator[tuple[int, int]]:
    for _, kind, flags, _, start, size, *_ in _SECTION.iter_unpack(sections):
        if kind in _TABLES and flags & _SHF_ALLOC and not flags & _SHF_WRITE:
            yield start, start + size
