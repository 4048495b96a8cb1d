"""A few megabytes kept in hand on the catalog's disk: given up when the disk is full, so that destruction can be written down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.base.database_refusal import cannot_open, is_full
from agent.base.disk_refusal import refused
from agent.base.errors import StorageError

BALLAST_BYTES: Final = 2 << 20


class Ballast:
    """The file `<catalog>.ballast`. Any process."""

    def __init__(self, catalog_path: Path, size_bytes: int = BALLAST_BYTES) -> None:
        self._path = catalog_path.with_name(catalog_path.name + ".ballast")
        self._size_bytes = size_bytes

    def drop(self) -> bool:
        """Give the space back; False when there was none to give."""
        try:
            held = self._path.stat().st_size > 0
            self._path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise refused("remove", self._path, error) from error
        return held

    def take(self) -> None:
        """Take the space again when there is some. A disk without room for it is no error: the next sweep tries again."""
        if self._path.exists():
            return
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError:
            return
        try:
            os.posix_fallocate(fd, 0, self._size_bytes)
        except OSError:
            self._path.unlink(missing_ok=True)
        finally:
            os.close(fd)


def says_full(error: StorageError) -> bool:
    """Is it for want of space that the disk refused? Or may it be: a database without room for its log cannot be opened."""
    return is_full(error.__cause__) or cannot_open(error.__cause__)
