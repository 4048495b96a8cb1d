"""Trusted time: wall time that never goes back. What deadlines are kept in (docs/recording.md, 18 to 20)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import NS, Clock, ClockQuality
from agent.recording.catalog import Catalog

_LEAP_NS: Final = 10 * NS  # a free-running clock gains less than this between two looks a minute apart
_LONGEST_OFF_NS: Final = 31 * 86_400 * NS  # past the longest retention: further ahead, a failed battery clock is likelier


class _Mark(Struct, frozen=True):
    """What was last known: trusted time `wall_ns` at `mono_ns` of `boot`; `believed`: a clock set in this boot said so."""

    wall_ns: int
    boot: str
    mono_ns: int
    believed: bool


def trusted_now(catalog: Catalog, clock: Clock, boot: str) -> int:
    """Trusted time now, in nanoseconds of Unix time; stored, so that no later answer is smaller.

    When the clock is synchronised, every segment of this boot that was recorded before it was is dated anew in the same
    commit: nobody ever sees the new time beside the old dates.
    """
    mono_ns, wall_ns, quality = clock.monotonic_ns(), clock.wall_ns(), clock.quality()
    with catalog.change() as db:
        found = db.execute("SELECT wall_ns, boot, mono_ns, believed FROM trusted").fetchone()
        old = _Mark(found[0], found[1], found[2], bool(found[3])) if found else None
        new = _advance(old, wall_ns, mono_ns, quality, boot)
        db.execute(
            "INSERT OR REPLACE INTO trusted (id, wall_ns, boot, mono_ns, believed) VALUES (1, ?, ?, ?, ?)",
            (new.wall_ns, new.boot, new.mono_ns, new.believed),
        )
        if quality is ClockQuality.SYNCHRONISED:
            db.execute(
                "UPDATE segment SET wall_from_ns = ?1 + media_from_ns, wall_to_ns = ?1 + media_to_ns,"
                " trusted_from_ns = ?2 + media_from_ns, clock = 'synchronised' WHERE boot = ?3 AND clock <> 'synchronised'",
                (wall_ns - mono_ns, new.wall_ns - mono_ns, boot),
            )
    return new.wall_ns


def peek_trusted(catalog: Catalog, clock: Clock, boot: str) -> int:
    """Trusted time now without storing it: for a catalog on a disk that takes no write."""
    with catalog.read() as db:
        found = db.execute("SELECT wall_ns, boot, mono_ns, believed FROM trusted").fetchone()
    old = _Mark(found[0], found[1], found[2], bool(found[3])) if found else None
    return _advance(old, clock.wall_ns(), clock.monotonic_ns(), clock.quality(), boot).wall_ns


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
