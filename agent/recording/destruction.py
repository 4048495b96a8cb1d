"""Destroys films, and says what really went: a file that was renamed, moved, replaced or linked does not pass for destroyed."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.base.clock import NS
from agent.base.errors import StorageError
from agent.base.phrase import many, say
from agent.recording.catalog import Catalog
from agent.recording.disk import Disk
from agent.recording.row import DestroyedSpan, SegmentRow
from agent.recording.strays import FilmIdentity, find

ABSENT: Final = "absent"
_JOINED_NS: Final = NS  # spans that lie closer than this are told as one


@dataclass(slots=True)
class Went:
    """What became of some rows: `gone` are destroyed, `absent` lie nowhere below the recordings any more.

    What is in neither could not be removed. `directories` had a name removed; `faults` are sentences for the operator.
    """

    gone: list[SegmentRow] = field(default_factory=list)
    absent: list[SegmentRow] = field(default_factory=list)
    directories: set[Path] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def remove(catalog: Catalog, disk: Disk, rows: Sequence[SegmentRow], *, begun: bool) -> Went:
    """Remove the films of these rows, wherever below the recordings they lie. `begun`: an earlier sweep may have removed some.

    A file that is not the row's film is left alone, and told. What a film holds is destroyed under all its names.
    """
    went = Went()
    elsewhere: list[SegmentRow] = []
    for row in rows:
        try:
            if (found := disk.look(row.path)) is None:
                (went.gone if begun else elsewhere).append(row)
            elif not stat.S_ISREG(found.st_mode) or not _is_ours(row, found.st_size):
                went.faults.append(
                    say("{path} is not the film that was recorded there: somebody put it there. It is left", path=row.path)
                )
                elsewhere.append(row)
            else:
                _erase(went, disk, row, row.path, found.st_nlink)
        except StorageError as error:
            went.faults.append(error.words)
    if elsewhere:
        _remove_elsewhere(went, catalog, disk, elsewhere)
    for directory in sorted(went.directories):
        if directory.exists():
            disk.sync_directory(directory)
    return went


def _remove_elsewhere(went: Went, catalog: Catalog, disk: Disk, rows: Sequence[SegmentRow]) -> None:
    wanted = {FilmIdentity.of(row) for row in rows}
    found: dict[FilmIdentity, Path] = {}
    for root in {catalog.root, *(row.path.parents[3] for row in rows if not row.path.is_relative_to(catalog.root))}:
        found |= find(root, wanted - found.keys())
    for row in rows:
        path = found.get(FilmIdentity.of(row))
        if path is None:
            went.absent.append(row)
            went.faults.append(
                say(
                    "{path} is not there any more, and this node did not destroy it: find out who took or removed the film",
                    path=row.path,
                )
            )
            continue
        try:
            if (seen := disk.look(path)) is not None:
                _erase(went, disk, row, path, seen.st_nlink)
                went.faults.append(say("{path} had been moved to {other}: it was destroyed there", path=row.path, other=path))
        except StorageError as error:
            went.faults.append(error.words)


def _erase(went: Went, disk: Disk, row: SegmentRow, path: Path, links: int) -> None:
    if links > 1:
        disk.truncate(path, 0)
        went.faults.append(
            many(
                "{path} had another name: what it held is destroyed under both. Find out who made the link",
                "{path} had {number} other names: what it held is destroyed under all of them. Find out who made the links",
                links - 1,
                path=path,
            )
        )
    disk.unlink(path)
    went.directories.add(path.parent)
    went.gone.append(row)


def _is_ours(row: SegmentRow, size: int) -> bool:
    """Is it this row's film? One that says nothing, or cannot be read, is by its length: damage must not save a film."""
    try:
        identity = FilmIdentity.at(row.path)
    except StorageError:
        return True
    return identity == FilmIdentity.of(row) if identity is not None else size == row.bytes or not row.bytes


def remove_empty(directories: Iterable[Path], root: Path) -> None:
    """The directories of days, months and years in which nothing is left; never `root` itself."""
    for directory in directories:
        for each in (directory, directory.parent, directory.parent.parent):
            if each == root:
                break
            with suppress(OSError):  # not empty: a day, month or year that goes on
                each.rmdir()


def spans(rows: Sequence[SegmentRow], reason: str, at_ns: int) -> list[DestroyedSpan]:
    """What is gone, told as few unbroken spans; each with the digest of its list of paths and SHA-256s."""
    groups: list[list[SegmentRow]] = []
    for row in rows:
        if groups and abs(row.wall_from_ns - groups[-1][-1].wall_to_ns) <= _JOINED_NS:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [
        DestroyedSpan(
            from_ns=min(row.wall_from_ns for row in group),
            to_ns=max(row.wall_to_ns for row in group),
            at_ns=at_ns,
            segments=len(group),
            digest=hashlib.sha256("".join(f"{row.path.name} {row.sha256}\n" for row in group).encode()).hexdigest(),
            reason=reason,
        )
        for group in groups
    ]


def enough(rows: Sequence[SegmentRow], missing_bytes: int) -> Iterator[SegmentRow]:
    """The first of these rows that together hold so many bytes."""
    for row in rows:
        if missing_bytes <= 0:
            return
        yield row
        missing_bytes -= row.bytes
