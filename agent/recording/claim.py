"""One recorder per catalog: a lock that lives as long as its holder, so that a crash leaves none behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from agent.errors import StorageError
from agent.recording.disk import refused


class Claim:
    """The right to write segments under the catalog at `path`. Taken by the daemon; the retention sweep only asks."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".recorder")
        self._fd: int | None = None

    def take(self) -> None:
        """Take it, or StorageError when another process records here. Idempotent."""
        if self._fd is not None:
            return
        fd = self._try()
        if fd is None:
            raise StorageError(
                f"another process records into {self._path.parent}", remedy="Stop it, or give this node its own [node] state_dir"
            )
        self._fd = fd

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
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise refused("lock", self._path, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return fd
