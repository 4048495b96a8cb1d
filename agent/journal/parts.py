"""The files of one register: `register.jsonl`, which grows, and the full parts before it, `register-FIRST-LAST.jsonl`.

A part bears the numbers of its first and last line. The chain runs through all of them: the first line of each file names the
digest of the last line of the file before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from agent.base.durable_file import sync_directory
from agent.base.regular_file import open_regular

_NUMBERS: Final = re.compile(r"-[0-9]{12,19}-[0-9]{12,19}")


def parts(path: Path) -> list[Path]:
    """The full parts of the register at `path`, oldest first."""
    found = path.parent.glob(f"{path.stem}-*{path.suffix}")
    return sorted((each for each in found if _NUMBERS.fullmatch(each.stem.removeprefix(path.stem))), key=first_of)


def first_of(part: Path) -> int:
    """The number of its first line, by its name."""
    return int(part.stem.split("-")[-2])


def last_of(part: Path) -> int:
    """The number of its last line, by its name."""
    return int(part.stem.split("-")[-1])


def set_aside(path: Path, first: int, last: int) -> Path:
    """Make the file at `path` a part; what follows begins a new file. Raises OSError."""
    part = path.with_name(f"{path.stem}-{first:012d}-{last:012d}{path.suffix}")
    path.rename(part)
    sync_directory(path.parent)
    return part


def lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a register without their newlines, from its oldest part on; a torn end is left out.

    Nothing when there is no file. OSError when one cannot be read.
    """
    try:
        current = open_regular(path)
    except FileNotFoundError:
        current = None
    try:
        # Opened before the parts are listed: a file that becomes a part meanwhile is read here, once.
        inode = os.fstat(current.fileno()).st_ino if current is not None else -1
        for part in parts(path):
            try:
                with open_regular(part) as file:
                    if os.fstat(file.fileno()).st_ino != inode:
                        yield from _whole(file)
            except FileNotFoundError:  # the oldest, dropped meanwhile
                continue
        if current is not None:
            yield from _whole(current)
    finally:
        if current is not None:
            current.close()


def lines_of(path: Path) -> Iterator[bytes]:
    """The whole lines of this one file. Raises OSError."""
    with open_regular(path) as file:
        yield from _whole(file)


def register_bytes(path: Path) -> int:
    """What all files of the register at `path` take on the disk."""
    total = 0
    for each in [*parts(path), path]:
        try:
            total += each.stat().st_size
        except OSError:
            continue
    return total


def bytes_on(path: Path, disk: Path) -> int:
    """The same, as far as it lies on the file system of `disk`."""
    try:
        return register_bytes(path) if path.parent.stat().st_dev == disk.stat().st_dev else 0
    except OSError:
        return 0


def _whole(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        if line.endswith(b"\n"):
            yield line[:-1]
