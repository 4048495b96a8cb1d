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

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)")
_SIZE = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


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


class StartupPages:
    """The unchanged pages of program files that are mapped when this is made: importing ran through them once.

    Make it when everything is imported and before threads start. The files mapped by then stay mapped for the life of
    the process (Python never unloads a module), so that `give_back` may be called at any time, from any thread.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._ranges = [(start, end) for start, end in _unchanged_file_mappings()]

    def give_back(self) -> None:
        """Unmap them. The kernel maps those that are used after all again, from its page cache."""
        for start, end in self._ranges:
            self._libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def _unchanged_file_mappings() -> Iterator[tuple[int, int]]:
    """Start and end of each mapping of a file that is not writable and holds no page of this process's own."""
    try:
        text = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # a container may hide it: then pages stay
    for block in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", text):
        head = _MAPPING.match(block)
        if head is None or "w" in head[3] or head[4] == "0":
            continue
        if dict(_SIZE.findall(block)).get("Anonymous") == "0":
            yield int(head[1], 16), int(head[2], 16)
