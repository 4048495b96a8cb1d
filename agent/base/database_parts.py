"""What stands where SQLite would have its files: planted links, pipes and directories make it refuse, or wait for ever."""

from __future__ import annotations

import logging
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.base.regular_file import IrregularFileError

log = logging.getLogger(__name__)

_PARTS: Final = ("-wal", "-shm", "-journal")


def clear_the_way(database: Path) -> None:
    """Move aside what is no regular file in the place of a log of `database`: SQLite never wrote through it, so nothing is lost.

    Nothing is followed. The database itself may be a link, which SQLite follows; a pipe, a socket or a directory in its place is
    an IrregularFileError. OSError when something cannot be moved.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(database.stat().st_mode):
            raise IrregularFileError(database, "is no regular file: move it away")
    for suffix in _PARTS:
        part = database.with_name(database.name + suffix)
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(part.lstat().st_mode):
                aside = part.with_name(f"{part.name}.no-log")
                part.replace(aside)
                log.error("%s was no file of the database (a link, a pipe, a directory): it is called %s now", part, aside)
