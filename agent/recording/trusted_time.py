"""Trusted time: wall time that never goes back. What deadlines are kept in (docs/recording.md, 18 to 20)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from msgspec import Struct, structs
from msgspec.structs import replace

from agent.base.clock import NS, Clock, ClockQuality
from agent.recording.catalog import Catalog

_LEAP_NS: Final = 10 * NS  # a free-running clock gains less than this between two looks a minute apart
_LONGEST_OFF_NS: Final = 31 * 86_400 * NS  # past the longest retention: further ahead, a failed battery clock is likelier
_DOUBT_NS: Final = 86_400 * NS  # of running time, in which a leap that nothing explains destroys nothing
_DRIFT_PART: Final = 2000  # a synchronised clock parts from the monotonic one by less than a 2000th: both are steered alike
_NOT_YET: Final = -(1 << 62)


class _Pace(Struct, frozen=True):
    """How the clock ran since it was first synchronised in `boot`: then, at `mono_ns`, it was `offset_ns` ahead of that.

    `doubt_ns`: so much running time is left of a doubt, counted up to `seen_ns`; what is doubted is that it is `claim_ns` ahead.
    """

    boot: str
    mono_ns: int
    offset_ns: int
    doubt_ns: int
    claim_ns: int
    seen_ns: int


class _Mark(Struct, frozen=True):
    """What was last known: trusted time `wall_ns` at `mono_ns` of `boot`; `believed`: a clock set in this boot said so."""

    wall_ns: int
    boot: str
    mono_ns: int
    believed: bool


class Trusted(Struct, frozen=True):
    """Trusted time now, in nanoseconds of Unix time.

    `leap_ns`: by how much the synchronised clock is ahead of what this board has counted itself, and is not believed yet.
    """

    now_ns: int
    leap_ns: int = 0


def trusted_now(catalog: Catalog, clock: Clock, boot: str) -> int:
    """Trusted time now, in nanoseconds of Unix time; stored, so that no later answer is smaller. See `look_at_clock`."""
    return look_at_clock(catalog, clock, boot).now_ns


def look_at_clock(catalog: Catalog, clock: Clock, boot: str) -> Trusted:
    """What the clock says, as far as it is believed; stored. Raises StorageError.

    When the clock is synchronised, every segment of this boot that was recorded before it was is dated anew in the same
    commit: nobody ever sees the new time beside the old dates. A leap that is not believed dates nothing.
    """
    mono_ns, wall_ns, quality = clock.monotonic_ns(), clock.wall_ns(), clock.quality()
    with catalog.change() as db:
        old, pace = _stored(db)
        pace, leap_ns = _judge(pace, old, wall_ns, mono_ns, quality, boot)
        new = _advance(old, wall_ns, mono_ns, quality if not leap_ns else ClockQuality.UNSET, boot)
        db.execute(
            "INSERT OR REPLACE INTO trusted (id, wall_ns, boot, mono_ns, believed) VALUES (1, ?, ?, ?, ?)",
            (new.wall_ns, new.boot, new.mono_ns, new.believed),
        )
        db.execute(
            "INSERT OR REPLACE INTO pace (id, boot, mono_ns, offset_ns, doubt_ns, claim_ns, seen_ns)"
            " VALUES (1, ?, ?, ?, ?, ?, ?)",
            structs.astuple(pace),
        )
        if quality is ClockQuality.SYNCHRONISED and not leap_ns:
            db.execute(
                "UPDATE segment SET wall_from_ns = ?1 + media_from_ns, wall_to_ns = ?1 + media_to_ns,"
                " trusted_from_ns = ?2 + media_from_ns, clock = 'synchronised' WHERE boot = ?3 AND clock <> 'synchronised'",
                (wall_ns - mono_ns, new.wall_ns - mono_ns, boot),
            )
    return Trusted(new.wall_ns, leap_ns)


def peek_at_clock(catalog: Catalog, clock: Clock, boot: str) -> Trusted:
    """The same without storing it: for a catalog on a disk that takes no write."""
    mono_ns, wall_ns, quality = clock.monotonic_ns(), clock.wall_ns(), clock.quality()
    with catalog.read() as db:
        old, pace = _stored(db)
    _, leap_ns = _judge(pace, old, wall_ns, mono_ns, quality, boot)
    new = _advance(old, wall_ns, mono_ns, quality if not leap_ns else ClockQuality.UNSET, boot)
    return Trusted(new.wall_ns, leap_ns)


def _stored(db: sqlite3.Connection) -> tuple[_Mark | None, _Pace | None]:
    mark = db.execute("SELECT wall_ns, boot, mono_ns, believed FROM trusted").fetchone()
    pace = db.execute("SELECT boot, mono_ns, offset_ns, doubt_ns, claim_ns, seen_ns FROM pace").fetchone()
    return _Mark(mark[0], mark[1], mark[2], bool(mark[3])) if mark else None, _Pace(*pace) if pace else None


def _judge(
    pace: _Pace | None, old: _Mark | None, wall_ns: int, mono_ns: int, quality: ClockQuality, boot: str
) -> tuple[_Pace, int]:
    """Where the clock stands beside the board's own count, and by how much it has leapt ahead (0: it has not, or is believed).

    Only a clock that had been synchronised in this boot can leap: how long a unit lay switched off, no count of its own tells. A
    doubt outlives a restart, and only running time takes from it: else a leap and a restart would do what a leap alone may not.
    """
    if pace is None or pace.boot != boot:
        doubt_ns = pace.doubt_ns if pace is not None and old is not None else 0
        counted_ns = old.wall_ns - mono_ns if old is not None and doubt_ns else _NOT_YET
        pace = _Pace(boot, mono_ns, counted_ns, doubt_ns, _NOT_YET, mono_ns)
    left_ns = max(1, pace.doubt_ns - max(0, mono_ns - pace.seen_ns)) if pace.doubt_ns else 0
    if quality is not ClockQuality.SYNCHRONISED:
        return replace(pace, doubt_ns=left_ns, seen_ns=mono_ns), 0
    offset_ns = wall_ns - mono_ns
    believed = _Pace(boot, mono_ns, offset_ns, 0, _NOT_YET, mono_ns)
    if pace.offset_ns == _NOT_YET:
        return believed, 0
    ahead_ns, allowed_ns = offset_ns - pace.offset_ns, _LEAP_NS + (mono_ns - pace.mono_ns) // _DRIFT_PART
    if ahead_ns <= allowed_ns:
        return replace(pace, doubt_ns=0, claim_ns=_NOT_YET, seen_ns=mono_ns), 0
    if pace.claim_ns != _NOT_YET and abs(offset_ns - pace.claim_ns) > allowed_ns:
        left_ns = _DOUBT_NS  # it leapt again: another claim, another day
    if left_ns == 1:
        return believed, 0  # it has said so for a day: it is right
    return replace(pace, doubt_ns=left_ns or _DOUBT_NS, claim_ns=offset_ns, seen_ns=mono_ns), ahead_ns


def _advance(old: _Mark | None, wall_ns: int, mono_ns: int, quality: ClockQuality, boot: str) -> _Mark:
    is_set = quality is not ClockQuality.UNSET
    if old is None:
        return _Mark(wall_ns, boot, mono_ns, is_set)
    same_boot = old.boot == boot
    floor_ns = old.wall_ns + (max(0, mono_ns - old.mono_ns) if same_boot else 0)
    believed_before = same_boot and old.believed
    most_ahead_ns = _LEAP_NS if believed_before else _LONGEST_OFF_NS
    leapt = quality is ClockQuality.HOLDOVER and wall_ns > floor_ns + most_ahead_ns
    now_ns = max(floor_ns, wall_ns) if is_set and not leapt else floor_ns
    return _Mark(now_ns, boot, mono_ns, believed_before or (is_set and not leapt))


def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """The kernel's name of this boot: monotonic times compare within it only."""
    return path.read_text(encoding="ascii").strip()
