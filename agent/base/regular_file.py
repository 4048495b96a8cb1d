"""Files that somebody may have replaced: a pipe in its place is refused and never waited for, a planted link is not followed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class IrregularFileError(OSError):
    """A pipe, a socket, a device, or a symbolic link where none is followed."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(errno.EINVAL, what, str(path))


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open for reading. OSError as of `open`, IrregularFileError when the path names a pipe, a socket or a device.

    Without `follow` a symbolic link in the last place is refused as well: right for what only we write.
    """
    return os.fdopen(_open(path, os.O_RDONLY | (0 if follow else os.O_NOFOLLOW), 0), "rb")


def open_own(path: Path, flags: int, mode: int = 0o640) -> int:
    """A descriptor of a file that only we write, for writing or locking: `flags` as of `os.open`. Raises as of `open_regular`.

    No link is followed and no pipe waited for: whoever plants one in the file's place gets nothing written elsewhere.
    """
    return _open(path, flags | os.O_NOFOLLOW, mode)


def _open(path: Path, flags: int, mode: int) -> int:
    # O_NONBLOCK: opening a pipe would wait for its other end. On a regular file it has no effect.
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK, mode)
    except OSError as error:
        if error.errno == errno.ELOOP and flags & os.O_NOFOLLOW:
            raise IrregularFileError(path, "is a symbolic link") from None
        if error.errno == errno.ENXIO:  # a socket, or a device that is not there
            raise IrregularFileError(path, "is no regular file") from None
        raise
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise OSError(errno.EISDIR, "is a directory", str(path))
        if not stat.S_ISREG(kind):
            raise IrregularFileError(path, "is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, most_bytes: int, *, follow: bool = True) -> bytes:
    """The content, or its first `most_bytes`; raises as of `open_regular`. To refuse long files, ask for one byte more."""
    with open_regular(path, follow=follow) as file:
        return file.read(most_bytes)
