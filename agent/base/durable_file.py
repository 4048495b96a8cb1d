"""Files that are whole or not there: written beside their name, synced, then moved."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

_KNOWS_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


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


def name_finished(source: Path, final: Path) -> None:
    """Give a finished file its name, but never that of another file: FileExistsError. Raises OSError.

    Two that finish at once: one has the name, the other is refused. `source` may keep its own name as well.
    """
    try:
        os.link(source, final)
    except OSError as error:
        if error.errno not in _KNOWS_NO_LINKS:
            raise
        # FAT, as on most sticks: the name is taken while nobody else can take it, and the file moved there.
        os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        source.replace(final)


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


def replace_durably(path: Path, content: bytes, *, mode: int) -> None:
    """Put `content` in the place of what was there, whole or not at all, durable on return. Raises OSError."""
    with Temporary(path, mode=mode) as temporary:
        write_durably(temporary, content)
        temporary.replace(path)
    sync_directory(path.parent)
