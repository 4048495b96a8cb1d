"""A disk that keeps a diary of every write and sync, and rebuilds what a power cut at any moment would leave of it."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.recording.disk import OpenFile, SystemDisk

Kind = Literal["create", "write", "sync", "sync-directory", "truncate", "unlink"]


@dataclass(frozen=True)
class Step:
    """One call that reached the disk; `state` is the node's other files (catalog, register) as they were just before."""

    kind: Kind
    path: Path
    data: bytes = b""
    length: int = 0
    state: Path = Path()


@dataclass
class _Inode:
    """A file as the platters and the cache hold it."""

    synced: bytes = b""
    cached: bytes = b""


class Diary(SystemDisk):
    """Implements Disk on the real disk. After each step, `keep` copies the catalog and the register aside."""

    def __init__(self, state: Path, aside: Path) -> None:
        self.steps: list[Step] = []
        self._state = state
        self._aside = aside
        self.marks: dict[int, int] = {}

    def note(self, kind: Kind, path: Path, data: bytes = b"", length: int = 0) -> None:
        """Write down one step, with the small files as they are now."""
        copy = self._aside / str(len(self.steps))
        copy.mkdir(parents=True)
        for each in self._state.iterdir():
            if each.is_file() and not each.name.endswith((".ballast", "-shm")):
                shutil.copyfile(each, copy / each.name)
        self.steps.append(Step(kind, path.relative_to(self._state), data, length, copy))

    def create(self, path: Path) -> OpenFile:
        self.note("create", path)
        return _Watched(super().create(path), path, self)

    def sync_directory(self, path: Path) -> None:
        self.note("sync-directory", path)
        super().sync_directory(path)

    def truncate(self, path: Path, length: int) -> None:
        self.note("truncate", path, length=length)
        super().truncate(path, length)

    def unlink(self, path: Path) -> None:
        self.note("unlink", path)
        super().unlink(path)


@dataclass
class _Watched:
    file: OpenFile
    path: Path
    diary: Diary = field(repr=False)

    def write(self, data: bytes) -> None:
        self.diary.note("write", self.path, data)
        self.file.write(data)

    def sync(self) -> None:
        self.diary.note("sync", self.path)
        self.file.sync()

    def truncate(self, length: int) -> None:
        self.diary.note("truncate", self.path, length=length)
        self.file.truncate(length)

    def close(self) -> None:
        self.file.close()


def after_cut(steps: list[Step], at: int, target: Path, chance: random.Random) -> None:
    """What is on disk when the power goes just before step `at` has an effect.

    Synced bytes and names are there. Of what was only cached, chance decides: all of it, none, a part that ends anywhere, or the
    right length with blocks of zeros in it; a name made or removed without a sync of its directory may be there or not.
    """
    files: dict[Path, _Inode] = {}
    sure: set[Path] = set()
    gone: set[Path] = set()
    for step in steps[:at]:
        if step.kind == "create":
            files[step.path] = _Inode()
        elif step.kind == "write":
            files[step.path].cached += step.data
        elif step.kind == "sync":
            inode = files[step.path]
            inode.synced, inode.cached = inode.synced + inode.cached, b""
        elif step.kind == "truncate":
            files[step.path].synced = (files[step.path].synced + files[step.path].cached)[: step.length]
            files[step.path].cached = b""
        elif step.kind == "unlink":
            gone.add(step.path)
        else:
            sure |= {path for path in files if path.parent == step.path}
            for path in [p for p in gone if p.parent == step.path]:
                gone.discard(path)
                sure.discard(path)
                files.pop(path, None)
    target.mkdir(parents=True)
    for each in _state(steps, at, chance).iterdir():
        shutil.copyfile(each, target / each.name)
    for path, inode in files.items():
        if path not in sure and chance.random() < 0.5:
            continue
        if path in gone and chance.random() < 0.5:
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(inode.synced + _torn(inode.cached, chance))


def _state(steps: list[Step], at: int, chance: random.Random) -> Path:
    """Catalog and register as the cut leaves them: how far an open segment goes is not synced there."""
    if at == len(steps):
        return steps[-1].state
    growing = ("write", "sync")
    oldest = at
    while oldest and steps[oldest].kind in growing and steps[oldest - 1].kind in growing:
        oldest -= 1
    return steps[chance.randint(oldest, at)].state


def _torn(cached: bytes, chance: random.Random) -> bytes:
    fate = chance.randrange(4)
    if fate == 0 or not cached:
        return b""
    if fate == 1:
        return cached
    if fate == 2:
        return cached[: chance.randrange(len(cached))]
    hole = chance.randrange(len(cached))
    return cached[:hole] + b"\0" * min(512, len(cached) - hole) + cached[hole + 512 :]
