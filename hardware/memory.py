"""Memory that starting needed and filming does not: given back, so that a small board keeps its own for pictures."""

from __future__ import annotations

import ctypes
import gc
import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hardware.symbol_tables import symbol_tables

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h. Other C libraries have no mallopt, and no arenas either."""
_LARGE_BYTES = 1 << 20
"""From here on memory comes from the kernel and goes back to it: pictures, but not the small ones they are judged by."""
_SPARE_BYTES = 1 << 20
_PR_SET_THP_DISABLE = 41

_FROM_A_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r([-w])[x-]p ([0-9a-f]+) \S+ [1-9]\d* +(/.*)$")
_LIBRARY = re.compile(r"\.so(\.\d\w*)*$")


def allocate_sparingly() -> None:
    """One heap for all threads that keeps a little in hand, and no huge pages. Once, before threads start.

    Separate heaps hold back what the others could use. What a heap hands back at once, each picture asks for anew: some twenty
    page faults a picture at this much in hand, which no benchmark notices. A huge page is resident in whole for the first byte
    written to it, and x264 asks for them (about 5 MB at 1080p, `vigie bench node`).
    """
    libc = ctypes.CDLL(None)
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _SPARE_BYTES)
    libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


def give_back() -> None:
    """Hand the kernel what is free inside the heap, and unmap program pages that nothing was written to; any thread, any time.

    Importing runs through every library once. The kernel maps the pages that are used after all again, from its page cache.
    Takes 20 to 30 ms on a whole node (x86-64, at 1080p). What Python holds by now it is taken to hold for good: its collector
    would look through all of it for nothing again and again, and run through every library for that.
    """
    gc.freeze()
    libc = ctypes.CDLL(None, use_errno=True)
    trim = getattr(libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as smaps:
            for start, end in program_pages(smaps, str(Path("/proc/self/exe").readlink())):
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
    except OSError:
        return  # a container may hide it: then pages stay


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
