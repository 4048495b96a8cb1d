"""The catalog: which segments exist, when they were, what lay on them. SQLite in WAL, one file beside the recordings.

Several processes open it (daemon, retention timer, command line); SQLite serialises them. A row is written before its
file exists and goes after its file is gone, so that after a power cut only rows that are not WHOLE need a look.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.base.database_parts import clear_the_way
from agent.base.database_refusal import is_corrupt, is_damage
from agent.base.errors import CatalogDamaged, StorageError
from agent.base.phrase import say
from agent.base.regular_file import IrregularFileError
from agent.base.system_words import system_words
from agent.recording import schema
from agent.recording.row import DestroyedSpan, Extent, NewSegment, SegmentRow, Stock
from agent.recording.segment_columns import COLUMNS, HELD, row_of, spans_text


class Catalog:
    """One connection; calls from several threads are serialised. Every change is durable on return unless said otherwise.

    `path` is the database, `root` the directory that segment paths are relative to. `fresh`: it was empty and has just been made.
    Raises StorageError.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self._lock = threading.RLock()
        self.fresh = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            clear_the_way(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA busy_timeout = 10000")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._create()
            self._settle_place()
        except (sqlite3.Error, OSError) as error:
            raise _refused(path, error) from error

    def close(self) -> None:
        """Idempotent."""
        self._db.close()

    # --- segments -------------------------------------------------------------------------------------------------

    def begin(self, new: NewSegment) -> int:
        """A row for a file that does not exist yet; its id. Rows are in the order of recording, whatever the wall clock did."""
        with self.change() as db:
            cursor = db.execute(
                "INSERT INTO segment (path, state, boot, media_from_ns, media_to_ns, wall_from_ns, wall_to_ns, clock,"
                " trusted_from_ns, gaps) VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._relative(new.path),
                    new.boot,
                    new.media_from_ns,
                    new.media_from_ns,
                    new.wall_from_ns,
                    new.wall_from_ns,
                    new.clock,
                    new.trusted_from_ns,
                    spans_text(new.gaps),
                ),
            )
            assert cursor.lastrowid is not None
            if new.place:
                db.execute("INSERT INTO film_place (segment, place) VALUES (?, ?)", (cursor.lastrowid, new.place))
            return cursor.lastrowid

    def advance(self, segment_id: int, extent: Extent) -> None:
        """A fragment more is on disk. Not durable by itself: after a power cut the file tells."""
        with self._lock:
            try:
                self._db.execute("PRAGMA synchronous = NORMAL")
                try:
                    self._extend(segment_id, extent)
                finally:
                    self._db.execute("PRAGMA synchronous = FULL")
            except sqlite3.Error as error:
                raise _refused(self.path, error) from error

    def finish(self, segment_id: int, extent: Extent, sha256: str) -> None:
        """The file is complete and synced."""
        with self.change() as db:
            self._extend(segment_id, extent)
            db.execute("UPDATE segment SET state = 'whole', sha256 = ? WHERE id = ?", (sha256, segment_id))

    def forget(self, segment_ids: Iterable[int]) -> None:
        """The files of these rows do not exist (any more)."""
        with self.change() as db:
            gone = [(i,) for i in segment_ids]
            db.executemany("DELETE FROM segment WHERE id = ?", gone)
            db.executemany("DELETE FROM film_place WHERE segment = ?", gone)

    def span(self, from_wall_ns: int, to_wall_ns: int) -> list[SegmentRow]:
        """Segments that overlap [from, to) of wall time, in the order of recording; those being destroyed are left out."""
        return self.rows("s.wall_from_ns < ? AND s.wall_to_ns > ? AND s.state <> 'destroying'", (to_wall_ns, from_wall_ns))

    def between(self, row: SegmentRow, later: SegmentRow) -> list[SegmentRow]:
        """Segments recorded after the one and before the other, whatever their dates; those being destroyed are left out."""
        return self.rows("s.id > ? AND s.id < ? AND s.state <> 'destroying'", (row.id, later.id))

    def unsettled(self) -> list[SegmentRow]:
        """Rows whose file needs a look after a crash: open ones and half-destroyed ones."""
        return self.rows("s.state <> 'whole'", more="ORDER BY +s.id")  # the index of unsettled rows, not the whole table

    def destroyed(self, from_wall_ns: int, to_wall_ns: int) -> list[DestroyedSpan]:
        """What was destroyed of [from, to) of wall time."""
        with self.read() as db:
            found = db.execute(
                "SELECT from_ns, to_ns, at_ns, segments, digest, reason FROM destroyed"
                " WHERE from_ns < ? AND to_ns > ? ORDER BY id",
                (to_wall_ns, from_wall_ns),
            ).fetchall()
        return [DestroyedSpan(*row) for row in found]

    def stock(self) -> Stock:
        """How much there is."""
        with self.read() as db:
            row = db.execute(
                "SELECT count(*), coalesce(sum(bytes), 0), min(wall_from_ns), max(wall_to_ns) FROM segment"
            ).fetchone()
        return Stock(*row)

    def taken(self, path: Path) -> bool:
        """Does a row hold this name already?"""
        with self.read() as db:
            names = (self._relative(path), str(path.absolute()))
            return db.execute("SELECT 1 FROM segment WHERE path IN (?, ?)", names).fetchone() is not None

    # --- destruction ----------------------------------------------------------------------------------------------

    def unheld(self, where: str, values: Sequence[int | str], more: str) -> list[SegmentRow]:
        """Like `rows`, without what is held."""
        return self.rows(f"{where} AND NOT {HELD}", values, more)

    def mark_destroying(self, rows: Sequence[SegmentRow]) -> list[SegmentRow]:
        """Seal the fate of these rows, save of those that came under a hold since they were read; the ones that go."""
        with self.change() as db:
            sealed = {
                row.id
                for row in rows
                if db.execute(f"UPDATE segment AS s SET state = 'destroying' WHERE id = ? AND NOT {HELD}", (row.id,)).rowcount  # noqa: S608
            }
        return [row for row in rows if row.id in sealed]

    def destroy(self, rows: Sequence[SegmentRow], spans: Sequence[DestroyedSpan]) -> None:
        """The files of these rows are gone for good: rows out, spans in, in one commit."""
        with self.change() as db:
            gone = [(row.id,) for row in rows]
            db.executemany("DELETE FROM segment WHERE id = ?", gone)
            db.executemany("DELETE FROM film_place WHERE segment = ?", gone)
            db.executemany(
                "INSERT INTO destroyed (from_ns, to_ns, at_ns, segments, digest, reason) VALUES (?, ?, ?, ?, ?, ?)",
                ((s.from_ns, s.to_ns, s.at_ns, s.segments, s.digest, s.reason) for s in spans),
            )

    def unentered(self) -> list[tuple[int, DestroyedSpan]]:
        """Destroyed spans that the register does not know of yet, with their numbers."""
        with self.read() as db:
            found = db.execute(
                "SELECT id, from_ns, to_ns, at_ns, segments, digest, reason FROM destroyed WHERE entered = 0 ORDER BY id"
            ).fetchall()
        return [(row[0], DestroyedSpan(*row[1:])) for row in found]

    def entered(self, span_id: int) -> None:
        """The register knows of this destroyed span."""
        with self.change() as db:
            db.execute("UPDATE destroyed SET entered = 1 WHERE id = ?", (span_id,))

    def last_destroyed_ns(self, reason: str) -> int | None:
        """The wall time up to which footage was destroyed for this reason; None when none ever was."""
        with self.read() as db:
            found = db.execute("SELECT max(to_ns) FROM destroyed WHERE reason = ?", (reason,)).fetchone()[0]
        return None if found is None else int(found)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        with self.change() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self.fresh = True
                for statement in schema.STATEMENTS.split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {schema.VERSION}")
            elif version != schema.VERSION:
                raise StorageError(
                    say(
                        "{path} is a catalog of version {version}, this program knows {known}",
                        path=self.path,
                        version=version,
                        known=schema.VERSION,
                    ),
                    remedy=say("Install the version of Vigie that wrote it, or a newer one"),
                )
            for statement in schema.ADDED:
                db.execute(statement)

    def _settle_place(self) -> None:
        """When recordings were told to go elsewhere, what lies in the old place keeps its full path, and is destroyed there.

        When the state directory itself was moved, its files came along, and paths stay relative.
        """
        root = str(self.root.absolute())
        with self.change() as db:
            found = db.execute("SELECT root FROM place").fetchone()
            if found is not None and found[0] == root:
                return
            if found is not None:
                old = Path(found[0])
                newest = db.execute("SELECT path FROM segment WHERE path NOT LIKE '/%' ORDER BY id DESC LIMIT 50").fetchall()
                if any((old / path).exists() for (path,) in newest) and not any(
                    (self.root / path).exists() for (path,) in newest
                ):
                    db.execute("UPDATE segment SET path = ? || '/' || path WHERE path NOT LIKE '/%'", (str(old),))
            db.execute("INSERT OR REPLACE INTO place (id, root) VALUES (1, ?)", (root,))

    def _extend(self, segment_id: int, extent: Extent) -> None:
        self._db.execute(
            "UPDATE segment SET media_to_ns = ?1, wall_to_ns = wall_from_ns + ?1 - media_from_ns, bytes = ?2, frames = ?3,"
            " masks = ?4, gaps = ?5 WHERE id = ?6",
            (extent.media_to_ns, extent.bytes, extent.frames, spans_text(extent.masks), spans_text(extent.gaps), segment_id),
        )

    def rows(self, where: str, values: Sequence[int | str] = (), more: str = "ORDER BY s.id") -> list[SegmentRow]:
        """Segments (as `s`) that satisfy a constant condition of this package."""
        with self.read() as db:
            found = db.execute(f"SELECT {COLUMNS} FROM segment AS s WHERE {where} {more}", values).fetchall()  # noqa: S608 - constants
        return [row_of(row, self.root) for row in found]

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction; StorageError, and nothing changed, when it fails."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:  # on a full disk SQLite has rolled back itself
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise _refused(self.path, error) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise _refused(self.path, error) from error


def condemned(path: Path) -> Path:
    """While this file is there the catalog at `path` is known to be damaged: whoever opens it next makes it anew."""
    return path.with_name(path.name + ".condemned")


def _refused(path: Path, error: Exception) -> StorageError:
    remedy = say("Check the disk's space and permissions")
    if is_corrupt(error):
        remedy = say("The next start sets it aside and makes it anew from the recordings")
        with suppress(OSError):
            condemned(path).touch()
    if isinstance(error, IrregularFileError):
        return StorageError(say("the catalog {path} cannot be used: {why}", path=path, why=system_words(error.strerror)))
    kind = CatalogDamaged if is_damage(error) else StorageError
    return kind(say("the catalog {path} cannot be used: {why}", path=path, why=error), remedy=remedy)
