"""The tokens that were used, on disk: no command twice, whatever restarts and whatever the clock does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.database_parts import clear_the_way
from agent.base.errors import ReplayCacheError
from agent.base.phrase import say
from agent.base.regular_file import IrregularFileError
from agent.base.system_words import system_words
from agent.operations.caller import Caller, Refusal, Refused
from agent.uplink.token import LEEWAY_S

MOST_REMEMBERED: Final = 4096
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spent (jti TEXT PRIMARY KEY, ends_s INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS forgotten (only INTEGER PRIMARY KEY CHECK (only = 1), up_to_s INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS begun (only INTEGER PRIMARY KEY CHECK (only = 1), at_s INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO forgotten VALUES (1, 0);
"""


class ReplayCache:
    """`spend` is on disk on return. Any thread.

    A token is forgotten once it has ended; from then on every token that ends no later is taken for used, so that a clock
    that steps back brings none to life again. A memory that was lost begins anew: a token issued before may have been
    used, and is refused.
    """

    def __init__(self, path: Path, clock: Clock, most: int = MOST_REMEMBERED) -> None:
        self._path = path
        self._clock = clock
        self._most = most

    def begin(self) -> None:
        """Begin to remember, when there is no memory yet: the sooner, the fewer tokens are refused. ReplayCacheError."""
        with self._told(), closing(self._open()):
            pass

    def spend(self, caller: Caller) -> None:
        """Use up this token. Refused when it was used, ReplayCacheError when the disk does not take it."""
        with self._told(), closing(self._open()) as db, db:
            self._spend(db, caller)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except IrregularFileError as error:
            raise ReplayCacheError(
                say("the used tokens in {path} cannot be written: {why}", path=self._path, why=system_words(error.strerror))
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise ReplayCacheError(
                say("the used tokens in {path} cannot be written: {why}", path=self._path, why=error),
                remedy=say("free space on its disk; if the file is damaged, move it aside and wait five minutes"),
            ) from error

    def _spend(self, db: sqlite3.Connection, caller: Caller) -> None:
        db.execute("BEGIN IMMEDIATE")
        self._forget(db)
        (up_to_s,) = db.execute("SELECT up_to_s FROM forgotten").fetchone()
        known = db.execute("SELECT 1 FROM spent WHERE jti = ?", (caller.jti,)).fetchone()
        if known is not None or caller.ends_s <= up_to_s:
            raise Refused(Refusal.REPLAYED, "this token was used already, or may have been", by=caller.subject, id=caller.jti)
        now_s = self._clock.wall_ns() // NS
        (begun_s,) = db.execute("SELECT at_s FROM begun").fetchone()
        if now_s < begun_s:  # the clock was ahead when the memory began: it counts from now on
            begun_s = now_s
            db.execute("UPDATE begun SET at_s = ?", (now_s,))
        if caller.begins_s < begun_s:
            reason = "this token was issued before this node's memory of used ones begins: ask again, with a new token"
            raise Refused(Refusal.REPLAYED, reason, by=caller.subject, id=caller.jti)
        (count,) = db.execute("SELECT count(*) FROM spent").fetchone()
        if count >= self._most:
            reason = f"{self._most} tokens were used within minutes: no more for now"
            raise Refused(Refusal.BUSY, reason, by=caller.subject, id=caller.jti)
        db.execute("INSERT INTO spent VALUES (?, ?)", (caller.jti, caller.ends_s))

    def _forget(self, db: sqlite3.Connection) -> None:
        ended_s = self._clock.wall_ns() // NS - LEEWAY_S - 1
        (latest_s,) = db.execute("SELECT max(ends_s) FROM spent WHERE ends_s <= ?", (ended_s,)).fetchone()
        if latest_s is not None:
            db.execute("UPDATE forgotten SET up_to_s = max(up_to_s, ?)", (latest_s,))
            db.execute("DELETE FROM spent WHERE ends_s <= ?", (ended_s,))

    def _open(self) -> sqlite3.Connection:
        clear_the_way(self._path)
        db = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA synchronous = FULL")
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'forgotten'").fetchone() is not None
            db.executescript(_SCHEMA)
            # A memory of an earlier version is no new one.
            db.execute("INSERT OR IGNORE INTO begun VALUES (1, ?)", (0 if known else self._clock.wall_ns() // NS,))
        except sqlite3.Error:
            db.close()
            raise
        return db
