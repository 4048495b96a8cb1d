"""Memory that starting needed and filming does not: given back, so that a small board keeps its own for pictures."""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h. Other C libraries have no mallopt, and no arenas either."""
_LARGE_BYTES = 1 << 20
"""From here on memory comes from the kernel and goes back to it: pictures, but not the small ones they are judged by."""
_SPARE_BYTES = 8 << 20
_PR_SET_THP_DISABLE = 41

_LIBRARY = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* +/.*\.so(\.[\d.]+)?$")


def allocate_sparingly() -> None:
    """One heap for all threads that keeps a little in hand, and no huge pages. Once, before threads start.

    Separate heaps hold back what the others could use. What a heap hands back at once, each picture would ask for anew:
    on the guard's arrays of 230 kB that costs as much as the work. A huge page is resident in whole for the first byte
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
    Takes 20 to 30 ms on a whole node (x86-64, at 1080p).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    trim = getattr(libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
    for start, end in _unchanged_library_pages():
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def _unchanged_library_pages() -> Iterator[tuple[int, int]]:
    """Start and end of each mapping of a shared library that holds no page of this process's own.

    Libraries alone: Python never unloads one, so that no other memory can have come to lie there in the meantime.
    """
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as lines:
            library = None
            for line in lines:
                if "-" in line[:17]:
                    library = _LIBRARY.match(line)
                elif library is not None and line.startswith("Anonymous:") and line.split()[1] == "0":
                    yield int(library[1], 16), int(library[2], 16)
    except OSError:
        return  # a container may hide it: then pages stay
