"""Clear pixels live in memory for one frame's time: the kernel is told never to write this process's memory to disk."""

from __future__ import annotations

import ctypes
import logging
import resource

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """No core file, no core piped to a collector, and no reading of this memory by another process of the same user.

    The limit alone is not enough: a collector behind a pipe (systemd-coredump) is run whatever the limit says.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("the kernel does not let this process forbid core dumps: errno %d", ctypes.get_errno())
