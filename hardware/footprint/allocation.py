"""How the C library's heap is to behave."""

from __future__ import annotations

import ctypes

from hardware.footprint.trick import Trick

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h. Other C libraries have no mallopt, and no arenas either."""
_LARGE_BYTES = 1 << 20
"""From here on memory comes from the kernel and goes back to it: pictures, but not the small ones they are judged by."""
_SPARE_BYTES = 4 << 20
"""More than what one picture is judged by: with less, where the last live object happens to lie in the heap decides whether every
picture gives its memory back and asks for it anew, 0.8 ms of the kernel's time at 640x360 and 0.3 ms at 1080p (x86-64)."""
_PR_SET_THP_DISABLE = 41


def allocate_sparingly() -> None:
    """One heap for all threads that keeps a little in hand, and no huge pages. Once, before threads start.

    What a heap hands back at once, each picture asks for anew.
    """
    libc = ctypes.CDLL(None)
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is not None and Trick.ONE_HEAP.is_on:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _SPARE_BYTES)
    if Trick.NO_HUGE_PAGES.is_on:
        libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
