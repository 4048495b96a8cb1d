"""Which pages of this process's programs may be read again from their files."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hardware.footprint.symbol_tables import symbol_tables

_FROM_A_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r([-w])[x-]p ([0-9a-f]+) \S+ [1-9]\d* +(/.*)$")
_LIBRARY = re.compile(r"\.so(\.\d\w*)*$")


def program_pages(smaps: Iterable[str], executable: str) -> Iterator[tuple[int, int]]:
    """Start and end address of what may be read again from a shared library's file, or from that of `executable`.

    Whole mappings that may not be written to and hold no page of this process's own; and, of those that may be written to, the
    tables of symbols. Three things make that safe while other threads run. The pages hold what is in the file. None can come to
    hold anything else between looking and unmapping: nobody may write there, or nobody has a reason to. And nothing else can
    have come to lie there in the meantime, for Python never unloads a library. Data pages fail the second, locale files and
    films the third.
    """
    program, resident = None, ""
    for line in smaps:
        if "-" in line[:17]:
            program = _FROM_A_FILE.match(line)
            if program is not None and program[5] != executable and not _LIBRARY.search(program[5]):
                program = None
        elif program is not None and line.startswith("Rss:"):
            resident = line.split()[1]
        elif program is not None and line.startswith("Anonymous:"):
            own, start, end = line.split()[1], int(program[1], 16), int(program[2], 16)
            if program[3] == "w" and own != resident:
                yield from _constant(Path(program[5]), start, end, int(program[4], 16))
            elif program[3] == "-" and own == "0":
                yield start, end


def _constant(library: Path, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    """The pages of a mapping, which begins `offset` bytes into the file, that hold nothing but symbols."""
    for first, behind in symbol_tables(library):
        low = max(start, start + first - offset)
        high = min(end, start + behind - offset)
        low, high = -(-low // mmap.PAGESIZE) * mmap.PAGESIZE, high // mmap.PAGESIZE * mmap.PAGESIZE
        if low < high:
            yield low, high
