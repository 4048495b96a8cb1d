"""Weeks of footage without recording them: rows in one commit, and small files that stand for the segments."""

from __future__ import annotations

from pathlib import Path

from agent.base.clock import NS
from agent.recording.disk import SystemDisk
from agent.recording.segment import segment_path
from tests.support.recordings import Recordings

FILE_BYTES = 100


def lay_in(node: Recordings, segments: int, seconds: float = 60, *, files: bool = True) -> list[int]:
    """Whole segments that end now, one after the other, on a synchronised clock; the wall time at which each begins."""
    length_ns = round(seconds * NS)
    now_ns, mono_ns = node.clock.wall_ns(), node.clock.monotonic_ns()
    starts = [now_ns - (segments - i) * length_ns for i in range(segments)]
    paths = [segment_path(node.root, start) for start in starts]
    if files:
        for directory in sorted({path.parent for path in paths}):
            directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            path.write_bytes(b"\0" * FILE_BYTES)
    node.root.mkdir(parents=True, exist_ok=True)
    media_ns = mono_ns - now_ns
    with node.catalog.change() as db:
        db.executemany(
            "INSERT INTO segment (path, state, boot, media_from_ns, media_to_ns, wall_from_ns, wall_to_ns, trusted_from_ns,"
            " bytes, clock, frames) VALUES (?, 'whole', 'earlier', ?, ?, ?, ?, ?, ?, 'synchronised', 1)",
            (
                (str(path.relative_to(node.root)), at + media_ns, at + media_ns + length_ns, at, at + length_ns, at, FILE_BYTES)
                for path, at in zip(paths, starts, strict=True)
            ),
        )
    return starts


class SmallDisk(SystemDisk):
    """A real disk that seems to have room for so many bytes of segments and no more."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self.unlinked: list[Path] = []

    def free_bytes(self, path: Path) -> int:
        return self.room_bytes - sum(p.stat().st_size for p in path.rglob("*.mp4"))

    def total_bytes(self, path: Path) -> int:
        return self.room_bytes

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self.unlinked.append(path)
