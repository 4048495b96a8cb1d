"""Memory that starting needed and filming does not: given back, so that a small board keeps its own for pictures."""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_M_ARENA_MAX = -8
"""glibc's malloc.h. Other C libraries have no mallopt and no arenas either."""

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)")
_SIZE = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


def share_one_arena() -> None:
    """Every thread allocates from one heap: separate ones hold back what the others could use. Call it before threads start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back_startup_pages() -> int:
    """Unmap the pages of program files that are resident and unchanged; returns how many bytes.

    Importing runs through code and tables once that filming never touches again. The kernel maps those that are used
    after all from its page cache. Call it when everything is imported and no thread maps files.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    given = 0
    for start, end, resident_bytes in _unchanged_file_pages():
        if libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED) == 0:
            given += resident_bytes
    return given


def _unchanged_file_pages() -> Iterator[tuple[int, int, int]]:
    """Start, end and resident bytes of each mapping of a file that is not writable and holds no page of this process's own."""
    try:
        text = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # a container without /proc/self/smaps keeps its pages
    for block in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", text):
        head = _MAPPING.match(block)
        if head is None or "w" in head[3] or head[4] == "0":
            continue
        kilobytes = dict(_SIZE.findall(block))
        if kilobytes.get("Anonymous") == "0" and kilobytes.get("Rss", "0") != "0":
            yield int(head[1], 16), int(head[2], 16), 1024 * int(kilobytes["Rss"])
