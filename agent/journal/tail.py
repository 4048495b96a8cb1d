"""The end of a register: its last whole line, and what the next one hangs on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.base.regular_file import open_regular
from agent.journal import chain
from agent.journal.head import Head
from agent.journal.parts import parts

_READ_BYTES: Final = 1 << 16


def last_line(path: Path, fd: int | None = None) -> bytes | None:
    """The last whole line of the register at `path`, without its newline. Raises OSError.

    Of its newest part when the file that grows (`fd`, where it is open) has none yet.
    """
    if fd is not None:
        found = _last_of(fd)
    else:
        try:
            with open_regular(path) as file:
                found = _last_of(file.fileno())
        except FileNotFoundError:
            found = None
    if found is None and (before := parts(path)):
        with open_regular(before[-1]) as file:
            return _last_of(file.fileno())
    return found


def end_of(last: bytes | None, known: Head | None) -> Head:
    """What the next line hangs on: the last line, unless the head knows of later ones that are gone."""
    if last is None:
        return known or Head(0, chain.GENESIS)
    try:
        found = Head(chain.parse(last).n, chain.digest(last))
    except ValueError:
        found = Head(known.n if known else 0, chain.digest(last))
    return known if known is not None and known.n > found.n else found


def last_newline(fd: int, end: int) -> int:
    """Offset of the last newline before `end`, -1 when there is none."""
    while end > 0:
        start = max(0, end - _READ_BYTES)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    return -1


def _last_of(fd: int) -> bytes | None:
    end = last_newline(fd, os.fstat(fd).st_size)
    if end < 0:
        return None
    start = last_newline(fd, end) + 1
    return os.pread(fd, end - start, start)
