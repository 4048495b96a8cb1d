"""Where segments go: names that nothing bears yet, and the room that is left to others."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.recording.catalog import Catalog
from agent.recording.disk import Disk
from agent.recording.segment import segment_path

_RESERVE_BYTES: Final = 8 << 20  # recordings leave this much to catalog, register and outbox


class Shelf(Struct, frozen=True):
    """The recordings directory as the recorder sees it."""

    directory: Path
    catalog: Catalog
    disk: Disk

    def keep_reserve(self) -> None:
        """Raise StorageError when recordings would take the room that the rest of the node needs."""
        free = self.disk.free_bytes(self.catalog.path.parent if not self.directory.exists() else self.directory)
        if free < _RESERVE_BYTES:
            raise StorageError(
                say("the disk under {directory} is full ({free} bytes left)", directory=self.directory, free=free),
                remedy=say("Free space, raise [recording] min_free_mb or lower retention_days"),
            )

    def free_name(self, wall_ns: int) -> Path:
        """The name of this instant, or of the next free millisecond: a leaping clock never overwrites."""
        while True:
            path = segment_path(self.directory, wall_ns)
            if not path.exists() and not self.catalog.taken(path):
                return path
            wall_ns += 1_000_000
