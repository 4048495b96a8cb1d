"""One recorder, and one sweep at a time, per catalog: locks that live as long as their holder; a crash leaves none behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from agent.base.disk_refusal import refused
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.regular_file import IrregularFileError, open_own


class FileLock:
    """A right that one process at a time has, for the catalog at `path`: to write segments, or (`what`) to sweep."""

    def __init__(self, path: Path, what: str = "recorder") -> None:
        self._path = path.with_name(f"{path.name}.{what}")
        self._fd: int | None = None

    def take(self) -> None:
        """Take it, or StorageError when another process records here. Idempotent."""
        if not self.taken():
            raise StorageError(
                say("another process records into {parent}", parent=self._path.parent),
                remedy=say("Stop it, or give this node its own [node] state_dir"),
            )

    def taken(self) -> bool:
        """Take it if nobody else has it. Idempotent."""
        if self._fd is None:
            self._fd = self._try()
        return self._fd is not None

    def is_free(self) -> bool:
        """Does nobody record here now?"""
        if self._fd is not None:
            return False
        fd = self._try()
        if fd is None:
            return False
        os.close(fd)
        return True

    def give_back(self) -> None:
        """Idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _try(self) -> int | None:
        try:
            fd = self._open()
        except OSError as error:
            raise refused("lock", self._path, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return fd

    def _open(self) -> int:
        """The lock's file, made when it is not there. A link or a pipe in its place was nobody's lock, and makes way."""
        try:
            return open_own(self._path, os.O_RDWR | os.O_CREAT)
        except IrregularFileError:
            self._path.unlink(missing_ok=True)
            return open_own(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
