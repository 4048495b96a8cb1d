"""Memory that starting needed and filming does not: given back, so that a small board keeps its own for pictures."""

from __future__ import annotations

import ctypes
import gc
import mmap
from pathlib import Path

from hardware.footprint.program_pages import program_pages
from hardware.footprint.trick import Trick


def give_back() -> None:
    """Unmap program pages that nothing was written to, and the heap's that are free; any thread, any time.

    The kernel maps the pages that are used after all again, from its page cache. Takes 20 to 30 ms on a whole node (x86-64, at
    1080p). What Python holds by now it is taken to hold for good: its collector would look through all of it for nothing again
    and again, and run through every library for that.
    """
    gc.freeze()
    libc = ctypes.CDLL(None, use_errno=True)
    if Trick.TRIM.is_on and (trim := getattr(libc, "malloc_trim", None)) is not None:
        trim(ctypes.c_size_t(0))
    if not Trick.UNMAP.is_on:
        return
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as smaps:
            for start, end in program_pages(smaps, str(Path("/proc/self/exe").readlink())):
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
    except OSError:
        return  # a container may hide it: then pages stay
