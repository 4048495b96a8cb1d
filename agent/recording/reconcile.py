"""Start-up: makes catalog and disk agree again after a crash (docs/recording.md, 10 to 15)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.errors import CatalogDamaged, StorageError
from agent.base.lock_file import FileLock
from agent.base.phrase import say
from agent.recording.ballast import Ballast, says_full
from agent.recording.catalog import Catalog, condemned
from agent.recording.disk import Disk
from agent.recording.hold import restore
from agent.recording.row import Extent, NewSegment, SegmentRow, SegmentState
from agent.recording.salvage import Salvage, salvage

log = logging.getLogger(__name__)

_DAY_FILES: Final = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*.mp4"


class Settled(Struct, frozen=True):
    """What start-up found: segments whose torn end was cut off or was already whole, rows without a frame, bytes cut off,
    and segments that the disk does not give back."""

    repaired: int = 0
    dropped: int = 0
    cut_bytes: int = 0
    unreadable: int = 0


def settle(catalog: Catalog, disk: Disk) -> Settled:
    """Settle every open row. Only the holder of the lock may call this. StorageError when the disk refuses."""
    repaired = dropped = cut = unreadable = 0
    for row in catalog.unsettled():
        if row.state is not SegmentState.OPEN:
            continue  # half destroyed: the retention sweep carries on
        try:
            found = salvage(row.path, deep=True) if row.path.exists() else None
        except StorageError as error:
            # A bad block in one film must not keep the next one from being recorded: this one stands as it was last known.
            log.error("recording: %s", error)
            catalog.finish(row.id, Extent(row.media_to_ns, row.bytes, row.frames, row.masks, row.gaps), "")
            unreadable += 1
            continue
        if found is None:
            _drop(row, disk)
            catalog.forget([row.id])
            dropped += 1
            continue
        torn = row.path.stat().st_size - found.extent.bytes
        if torn:
            disk.truncate(row.path, found.extent.bytes)
            cut += torn
        catalog.finish(row.id, found.extent, found.sha256)
        repaired += 1
    if repaired or dropped:
        log.info("recording: %d interrupted segments settled, %d without a frame dropped, %d bytes cut", repaired, dropped, cut)
    return Settled(repaired, dropped, cut, unreadable)


def _drop(row: SegmentRow, disk: Disk) -> None:
    if row.path.exists():
        disk.unlink(row.path)
        disk.sync_directory(row.path.parent)


def open_catalog(path: Path, root: Path, register: Path) -> Catalog:
    """The catalog at `path`. One that is missing beside recordings, or damaged, is made anew: segments from their files
    below `root`, holds from the register. The damaged one is kept aside as `*.damaged-N`.
    """
    if condemned(path).exists():
        _replace(path)
    try:
        catalog = Catalog(path, root)
    except CatalogDamaged:
        _replace(path)
        catalog = Catalog(path, root)
    except StorageError as error:
        if not says_full(error) or not Ballast(path).drop():
            raise
        catalog = Catalog(path, root)
    if catalog.fresh:
        held = restore(catalog, register)
        adopted = rebuild(catalog, root)
        if adopted or held:
            log.warning("recording: the catalog was made anew: %d segments from their files, %d holds", adopted, held)
    return catalog


def condemn(catalog: Catalog) -> None:
    """Damage was found while working: whoever opens this catalog next sets it aside and makes it anew."""
    with suppress(OSError):
        condemned(catalog.path).touch()


def _replace(path: Path) -> None:
    """Set a damaged catalog aside, unless a daemon still works with it: it will find the damage itself."""
    if not FileLock(path).is_free():
        raise StorageError(
            say("the catalog {path} is damaged", path=path),
            remedy=say("It is made anew when the daemon that records here restarts"),
        )
    log.error("the catalog %s is damaged; it is set aside and made anew from the recordings", path)
    _set_aside(path)
    condemned(path).unlink(missing_ok=True)


def rebuild(catalog: Catalog, root: Path) -> int:
    """Enter every segment of ours below `root` that has no row, oldest first; how many. Files of others are left alone."""
    found = [(path, kept) for path in sorted(root.glob(_DAY_FILES)) if not catalog.taken(path) for kept in _readable(path)]
    for path, kept in sorted(found, key=lambda pair: (pair[1].first.trusted_ns, pair[1].first.media_ns)):
        adopt(catalog, path, kept)
    return len(found)


def _readable(path: Path) -> Iterator[Salvage]:
    try:
        kept = salvage(path, deep=False)
    except StorageError as error:
        log.warning("recording: %s", error)
        return
    if kept is not None:
        yield kept


def adopt(catalog: Catalog, path: Path, kept: Salvage) -> None:
    """A row for a file that has none."""
    first = kept.first
    new = NewSegment(path, first.boot, first.media_ns, first.wall_ns, first.clock, first.trusted_ns, (), first.place)
    catalog.finish(catalog.begin(new), kept.extent, kept.sha256)


def strays(catalog: Catalog, root: Path, day: str) -> list[tuple[Path, Salvage]]:
    """Segments of ours without a row in day directories before `day` (`YYYY/MM/DD`): there should be none."""
    days = sorted(p for p in root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]") if str(p.relative_to(root)) < day)
    paths = [path for each in days for path in sorted(each.glob("*.mp4")) if not catalog.taken(path)]
    return [(path, kept) for path in paths for kept in _readable(path)]


def _set_aside(path: Path) -> None:
    for n in range(1, 1000):
        if not path.with_name(f"{path.name}.damaged-{n}").exists():
            break
    for tail in ("", "-wal", "-shm"):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged-{n}{tail}"))
