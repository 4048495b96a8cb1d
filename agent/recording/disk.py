"""The disk under the recordings: the only place that creates, writes, syncs and unlinks, so that order can be proved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from agent.base.disk_refusal import refused
from agent.base.durable_file import sync_directory
from agent.base.regular_file import open_own


class OpenFile(Protocol):
    """A file that only grows. One thread."""

    def write(self, data: bytes) -> None:
        """Append all of `data`, or StorageError; after an error the file may hold a part of it."""
        ...

    def sync(self) -> None:
        """Everything written survives a power cut from here on."""
        ...

    def truncate(self, length: int) -> None:
        """Cut a half-written tail off."""
        ...

    def close(self) -> None:
        """Idempotent; does not sync."""
        ...


class Disk(Protocol):
    """A directory tree of recordings; paths are absolute."""

    def create(self, path: Path) -> OpenFile:
        """A new file in directories made as needed; FileExistsError when the name is taken."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Names made and removed in this directory survive a power cut from here on."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a file; no error when it is gone already."""
        ...

    def truncate(self, path: Path, length: int) -> None:
        """Cut a file's torn tail off; durable on return."""
        ...

    def look(self, path: Path) -> os.stat_result | None:
        """What lies there, no link followed; None when nothing does."""
        ...

    def free_bytes(self, path: Path) -> int:
        """What an ordinary user may still write on the file system of `path`."""
        ...

    def total_bytes(self, path: Path) -> int:
        """How large the file system of `path` is."""
        ...


class SystemDisk:
    """The real one."""

    def create(self, path: Path) -> OpenFile:
        try:
            missing = [p for p in path.parents if not p.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            for made in missing:
                self.sync_directory(made.parent)
            return _SystemFile(path)
        except FileExistsError:
            raise
        except OSError as error:
            raise refused("create", path, error) from error

    def sync_directory(self, path: Path) -> None:
        try:
            sync_directory(path)
        except OSError as error:
            raise refused("sync", path, error) from error

    def unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise refused("remove", path, error) from error

    def truncate(self, path: Path, length: int) -> None:
        try:
            descriptor = open_own(path, os.O_RDWR)
            try:
                os.ftruncate(descriptor, length)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise refused("repair", path, error) from error

    def look(self, path: Path) -> os.stat_result | None:
        try:
            return path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refused("look at", path, error) from error

    def free_bytes(self, path: Path) -> int:
        room = _room(path)
        return room.f_bavail * room.f_frsize

    def total_bytes(self, path: Path) -> int:
        room = _room(path)
        return room.f_blocks * room.f_frsize


def _room(path: Path) -> os.statvfs_result:
    try:
        return os.statvfs(path)
    except OSError as error:
        raise refused("measure", path, error) from error


class _SystemFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise refused("write", self._path, error) from error

    def sync(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise refused("sync", self._path, error) from error

    def truncate(self, length: int) -> None:
        try:
            os.ftruncate(self._fd, length)
            os.fdatasync(self._fd)
        except OSError as error:
            raise refused("truncate", self._path, error) from error

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
