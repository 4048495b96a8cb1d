"""Finds films of ours that lie where no row says: renamed, moved deeper below the recordings, copied, linked."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from agent.base.errors import StorageError
from agent.recording.catalog import Catalog
from agent.recording.row import SegmentRow
from agent.recording.salvage import first_note

log = logging.getLogger(__name__)


class FilmIdentity(Struct, frozen=True):
    """What a film says it is, wherever it lies: the boot it was recorded in, and the media time of its first frame."""

    boot: str
    media_ns: int

    @classmethod
    def of(cls, row: SegmentRow) -> FilmIdentity:
        """Of the film that this row was made for."""
        return cls(row.boot, row.media_from_ns)

    @classmethod
    def at(cls, path: Path) -> FilmIdentity | None:
        """Of the file that lies there; None when it is no film of ours. StorageError when it cannot be read."""
        note = first_note(path)
        return cls(note.boot, note.media_ns) if note is not None else None


def row_of(catalog: Catalog, identity: FilmIdentity) -> SegmentRow | None:
    """The row that was made for this film. Raises StorageError."""
    return next(iter(catalog.rows("s.media_from_ns = ? AND s.boot = ?", (identity.media_ns, identity.boot))), None)


def follow(catalog: Catalog, row: SegmentRow, path: Path) -> None:
    """The film of this row lies there now. Raises StorageError."""
    with catalog.change() as db:
        db.execute("UPDATE segment SET path = ? WHERE id = ?", (str(path.relative_to(catalog.root)), row.id))


class Stray(Struct, frozen=True):
    """A file below the recordings that no row names; `identity` is None when it is not ours."""

    path: Path
    identity: FilmIdentity | None


def strays_below(catalog: Catalog, root: Path) -> Iterator[Stray]:
    """Every regular file below `root`, at any depth and of any name, that no row names. Links are not followed; O(all)."""
    named: set[str] | None = None
    for path in _files_below(root):
        if named is None:  # asked for once there is a file at all: most looks find what is known
            named = _named(catalog)
        # Asked again: a segment may have begun since.
        if path in named or path[len(str(root)) + 1 :] in named or catalog.taken(Path(path)):
            continue
        try:
            yield Stray(Path(path), FilmIdentity.at(Path(path)))
        except StorageError as error:
            log.warning("recording: %s", error)


def _named(catalog: Catalog) -> set[str]:
    with catalog.read() as db:
        return {path for (path,) in db.execute("SELECT path FROM segment")}


def _files_below(root: Path) -> Iterator[str]:
    """Regular files, by what their directories say of them: nothing is opened, no link followed."""
    waiting = [str(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.path
        except OSError as error:  # a directory that went meanwhile, or that the disk does not give back
            log.debug("recording: %s", error)


def find(root: Path, wanted: set[FilmIdentity]) -> dict[FilmIdentity, Path]:
    """Where these films lie below `root`, whether a row names the place or not. O(all): for what is not where it should be."""
    found: dict[FilmIdentity, Path] = {}
    for path in map(Path, _files_below(root)):
        if len(found) == len(wanted):
            break
        try:
            identity = FilmIdentity.at(path)
        except StorageError:
            continue
        if identity in wanted:
            found.setdefault(identity, path)
    return found
