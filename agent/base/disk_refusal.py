"""What an operating system's refusal means for the disk, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.system_words import system_words

_REMEDIES = {
    errno.ENOSPC: say("The disk is full: free space, raise [recording] min_free_mb or lower retention_days"),
    errno.EDQUOT: say("The quota is used up: raise it or lower retention_days"),
    errno.EROFS: say("The file system is read-only: check the disk (`dmesg`) and mount it writable"),
    errno.EACCES: say("Give the service's user write permission on it"),
    errno.EPERM: say("Give the service's user write permission on it"),
    errno.EIO: say("The disk fails: replace it"),
    errno.ENOENT: say("The directory is gone: check that the disk is mounted"),
}


_DOES = {
    "remove": say("remove"),
    "create": say("create"),
    "sync": say("sync"),
    "repair": say("repair"),
    "look at": say("look at"),
    "measure": say("measure"),
    "write": say("write"),
    "truncate": say("truncate"),
    "read": say("read"),
}


def refused(what: str, path: Path, error: OSError) -> StorageError:
    """The StorageError for what the operating system says of `path`."""
    remedy = _REMEDIES.get(error.errno or 0, say("Check the disk and its permissions"))
    return StorageError(
        say(
            "cannot {what} {path}: {why}",
            what=_DOES.get(what, what),
            path=path,
            why=system_words((error.strerror or str(error)).lower()),
        ),
        remedy=remedy,
    )
