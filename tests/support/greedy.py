"""Another program that takes the room on a disk."""

from __future__ import annotations

import os
from pathlib import Path


def fill(where: Path, *, leave_bytes: int = 0) -> Path:
    """Take the room, all but so many bytes; the file that takes it."""
    path = where / "somebody-else.bin"
    with path.open("wb") as file:
        room = os.statvfs(where)
        left = room.f_bavail * room.f_frsize - leave_bytes
        while left > 0:
            try:
                left -= file.write(b"\0" * min(left, 1 << 16))
                file.flush()
            except OSError:
                break
    return path
