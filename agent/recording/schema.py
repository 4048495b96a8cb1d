"""The catalog's tables. A change of them is a new VERSION and a way from the old one."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
STATEMENTS: Final = """
CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    boot TEXT NOT NULL,
    media_from_ns INTEGER NOT NULL,
    media_to_ns INTEGER NOT NULL,
    wall_from_ns INTEGER NOT NULL,
    wall_to_ns INTEGER NOT NULL,
    clock TEXT NOT NULL,
    trusted_from_ns INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    masks TEXT NOT NULL DEFAULT '[]',
    gaps TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX segment_by_wall ON segment (wall_from_ns);
CREATE INDEX segment_by_trust ON segment (trusted_from_ns);
CREATE INDEX segment_unsettled ON segment (state) WHERE state <> 'whole';
CREATE INDEX segment_undated ON segment (boot) WHERE clock <> 'synchronised';
CREATE TABLE hold (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    from_ns INTEGER NOT NULL,
    to_ns INTEGER NOT NULL,
    reference TEXT NOT NULL,
    by TEXT NOT NULL,
    until_ns INTEGER,
    held_ns INTEGER NOT NULL,
    released_ns INTEGER,
    released_by TEXT,
    unentered TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE destroyed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    from_ns INTEGER NOT NULL,
    to_ns INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    entered INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX destroyed_unentered ON destroyed (id) WHERE entered = 0;
CREATE INDEX destroyed_by_time ON destroyed (reason, to_ns);
CREATE TABLE place (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    root TEXT NOT NULL
) STRICT;
CREATE TABLE trusted (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    wall_ns INTEGER NOT NULL,
    boot TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    believed INTEGER NOT NULL
) STRICT;
"""
ADDED: Final = (
    # How the clock ran since it was first synchronised. The release before goes on without it.
    "CREATE TABLE IF NOT EXISTS pace (id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, mono_ns INTEGER NOT NULL,"
    " offset_ns INTEGER NOT NULL, doubt_ns INTEGER NOT NULL, claim_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL) STRICT",
    # Of which place a segment is. The release before destroys segments and leaves these rows: a number is never used twice.
    "CREATE TABLE IF NOT EXISTS film_place (segment INTEGER PRIMARY KEY, place TEXT NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS film_by_place ON film_place (place)",
)
"""Tables that came later: made in catalogs of the same version, which a release that does not know them reads as well."""
