"""Files that are whole or not there: written beside their name, synced, then moved."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from agent.errors import EvidenceError, StorageError


class Temporary:
    """An empty file beside the final one, as a context; gone at its end unless it was moved away. Raises OSError."""

    def __init__(self, final: Path, *, mode: int) -> None:
        descriptor, name = tempfile.mkstemp(prefix=f".{final.name}.", suffix=".part", dir=final.parent)
        os.fchmod(descriptor, mode)
        os.close(descriptor)
        self._path = Path(name)

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """On disk on return. Raises OSError."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """The names in it survive a power cut from here on. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file by another, whole or not at all, durable on return. Raises EvidenceError."""
    try:
        with Temporary(path, mode=mode) as temporary:
            write_durably(temporary, content)
            temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise EvidenceError(f"{path}: {error.strerror}") from None


def sha256(path: Path) -> str:
    """Of the whole file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refused(path: Path, error: OSError) -> StorageError:
    """What to tell of an export that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(f"{path}: the disk is full, nothing was exported", remedy="free space or choose another disk")
    return StorageError(f"{path}: {(error.strerror or str(error)).lower()}, nothing was exported")
