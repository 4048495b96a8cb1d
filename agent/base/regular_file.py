"""Reading a file that somebody may have replaced: a pipe in its place is refused, and never keeps the reader waiting."""

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
    # O_NONBLOCK: opening a pipe would wait for its writer. On a regular file it has no effect.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise IrregularFileError(path, "is a symbolic link") from None
        if error.errno == errno.ENXIO:  # a socket, or a device that is not there
            raise IrregularFileError(path, "is no regular file") from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, "is a directory", str(path))
        if not stat.S_ISREG(mode):
            raise IrregularFileError(path, "is no regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int, *, follow: bool = True) -> bytes:
    """The content, or its first `most_bytes`; raises as of `open_regular`. To refuse long files, ask for one byte more."""
    with open_regular(path, follow=follow) as file:
        return file.read(most_bytes)
