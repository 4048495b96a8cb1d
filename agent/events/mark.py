"""The sequence's high-water mark, beside the database: what keeps the count unbroken when the database is lost.

One file of two 512-byte slots, written in turn and in place, so that a torn write leaves the other slot whole and a
full disk cannot refuse it: overwriting needs no new block.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

from msgspec import Struct

from agent.base.durable_file import sync_directory
from agent.base.regular_file import open_own, read_regular

SLOT_BYTES = 512


class Mark(Struct, frozen=True):
    """No sequence above `reserved` was ever handed out under `epoch`.

    `burnt` says that sequences may have been handed out that the database does not know of (its disk was full).
    """

    epoch: str
    reserved: int
    burnt: bool = False


class MarkFile:
    """Reads and writes the mark; one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._generation = 0

    def read(self) -> Mark | None:
        """The newest whole slot; None when there is none."""
        try:
            content = read_regular(self.path, 2 * SLOT_BYTES)
        except OSError:
            return None
        slots = (_parsed(content[:SLOT_BYTES]), _parsed(content[SLOT_BYTES : 2 * SLOT_BYTES]))
        found = [slot for slot in slots if slot is not None]
        if not found:
            return None
        self._generation, mark = max(found, key=lambda slot: slot[0])
        return mark

    def write(self, mark: Mark) -> None:
        """Durable on return; OSError when the disk refuses."""
        generation = self._generation + 1
        text = json.dumps([generation, mark.epoch, mark.reserved, mark.burnt])
        line = f"{zlib.crc32(text.encode()):08x} {text}\n".encode()
        new = not self.path.exists()
        handle = open_own(self.path, os.O_RDWR | os.O_CREAT)
        try:
            if new:
                os.pwrite(handle, bytes(2 * SLOT_BYTES), 0)
            os.pwrite(handle, line.ljust(SLOT_BYTES, b"\0"), generation % 2 * SLOT_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            sync_directory(self.path.parent)
        self._generation = generation


def _parsed(slot: bytes) -> tuple[int, Mark] | None:
    try:
        checksum, text = slot.rstrip(b"\0").decode().split(" ", 1)
        if int(checksum, 16) != zlib.crc32(text.rstrip("\n").encode()):
            return None
        generation, epoch, reserved, burnt = json.loads(text)
        return int(generation), Mark(str(epoch), int(reserved), bool(burnt))
    except (ValueError, TypeError):
        return None
