"""What a person asked to be written somewhere (`--out`, `--sheet`, `--summary`): the one way in which commands write such a file.

A file is made whole or not at all, and takes the place of an older one of its own kind alone: a slip of the fingers must cost
neither a film nor the register, a key or the configuration. A device, a pipe or an open descriptor
(`/dev/null`, `/dev/stdout`, a FIFO somebody reads) is written to as it stands: renaming over it would take it from everybody
else on the machine. A link is followed to those only, so that nobody's planted link says which file is overwritten.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from agent.base.durable_file import replace_durably
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words

_OPENED_FOR_US: Final = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Links in there name what the shell has opened for this process, and nobody else can plant any."""


class Output:
    """A place that a person named. Raises StorageError where nothing can, or must, be written."""

    def __init__(self, path: Path, opening: bytes) -> None:
        """Judges the place before any work is done for it. `opening` is what every file of this kind begins with."""
        self.path = path
        self._opening = opening
        self._in_place = _is_written_in_place(path)
        if not self._in_place and not path.absolute().parent.is_dir():
            raise StorageError(
                say("{path} cannot be written: there is no directory {parent}", path=path, parent=path.absolute().parent),
                remedy=_ELSEWHERE,
            )
        self._spare_other_files()

    def write(self, content: bytes, *, mode: int = 0o644) -> None:
        """All of `content`; a file gets `mode` and is on disk on return. A device keeps what it was."""
        if not content.startswith(self._opening):
            # Once written it could never be replaced: the next call would take it for another kind of file.
            raise _refused(self.path, say("what was made for it is of another kind"), say("Report this as a bug"))
        try:
            if self._in_place:
                _pour(self.path, content)
            elif _is_written_in_place(self.path):
                raise _refused(self.path, say("it has just become something else than a file"))
            else:
                self._spare_other_files()
                replace_durably(self.path, content, mode=mode)
        except OSError as error:
            raise _refused(self.path, _words(error)) from error

    def _spare_other_files(self) -> None:
        if self._in_place:
            return
        try:
            held = read_regular(self.path, len(self._opening), follow=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refused(self.path, _words(error)) from error
        if held and held != self._opening:
            raise _refused(
                self.path, say("another kind of file is there already"), say("Name a new file, or remove that one first")
            )


_ELSEWHERE: Final = say("Name a file in a directory that this user may write in")


def _is_written_in_place(path: Path) -> bool:
    """False: a file is made here or replaced. True: what stands here takes the bytes itself."""
    try:
        kind = path.lstat().st_mode
        linked = stat.S_ISLNK(kind)
        if linked:
            kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise _refused(path, say("it is a link to nothing")) from None
        return False
    except OSError as error:
        raise _refused(path, _words(error)) from error
    if stat.S_ISREG(kind):
        if linked and path.absolute().parent not in _OPENED_FOR_US:
            raise _refused(path, say("it is a link to {target}", target=path.readlink()), say("Name the file itself"))
        return linked
    if stat.S_ISDIR(kind):
        raise _refused(path, say("it is a directory"), say("Name a file in it"))
    if stat.S_ISCHR(kind) or stat.S_ISFIFO(kind):
        return True
    raise _refused(path, say("it is a disk") if stat.S_ISBLK(kind) else say("it is a socket"))


def _pour(path: Path, content: bytes) -> None:
    # O_NONBLOCK: a pipe that nobody reads is refused instead of waited for. It is taken back for the writing.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "wb") as file:
        os.set_blocking(descriptor, True)
        file.write(content)


def _words(error: OSError) -> str:
    if error.errno == errno.ENXIO:
        return say("nobody reads from it")
    return system_words((error.strerror or str(error)).lower())


def _refused(path: Path, why: str, remedy: str = _ELSEWHERE) -> StorageError:
    return StorageError(say("{path} cannot be written: {why}", path=path, why=why), remedy=remedy)
