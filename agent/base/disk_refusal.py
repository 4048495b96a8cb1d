"""What an operating system's refusal means for the disk, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

from agent.base.errors import StorageError

_REMEDIES = {
    errno.ENOSPC: "The disk is full: free space, raise [recording] min_free_mb or lower retention_days",
    errno.EDQUOT: "The quota is used up: raise it or lower retention_days",
    errno.EROFS: "The file system is read-only: check the disk (`dmesg`) and mount it writable",
    errno.EACCES: "Give the service's user write permission on it",
    errno.EPERM: "Give the service's user write permission on it",
    errno.EIO: "The disk fails: replace it",
    errno.ENOENT: "The directory is gone: check that the disk is mounted",
}


def refused(what: str, path: Path, error: OSError) -> StorageError:
    """The StorageError for what the operating system says of `path`."""
    remedy = _REMEDIES.get(error.errno or 0, "Check the disk and its permissions")
    return StorageError(f"cannot {what} {path}: {(error.strerror or str(error)).lower()}", remedy=remedy)
