"""The disk: room for the days that are promised, and fast enough to write and to sync."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from agent.base.phrase import joined, say, size
from agent.base.process_exit import why_refused
from agent.commissioning.line import Line, Metric, fail, left_open, ok, warn
from agent.config.model import Config

DEFAULT_CRF_BITS_PER_PIXEL = 0.04
"""An even quality has no bit rate of its own: of a busy square at crf 23, x264 superfast, about so much per pixel."""
SPARE = 1.1
LEAST_KBPS = 200
"""Less is not advised to anybody: nothing can be recognised on it."""
WRITE_BYTES = 32 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024
SYNCS = 20
SLOW_SYNC_S, HOPELESS_SYNC_S = 0.25, 1.0
TIMES_THE_STREAM = 4.0
_FASTER = say("put [recording] directory on an SSD, or on a new card")


class Room(Struct, frozen=True):
    """A file system in bytes: what all files may take, what is free to an ordinary user."""

    total_bytes: int
    free_bytes: int


def room_of(directory: Path) -> Room:
    """By statvfs, of the nearest directory that exists."""
    at = os.statvfs(existing(directory))
    return Room(at.f_blocks * at.f_frsize, at.f_bavail * at.f_frsize)


def existing(directory: Path) -> Path:
    """The directory itself or the nearest one above it that exists."""
    return next(path for path in (directory, *directory.parents) if path.exists())


def judge_room(config: Config, room: Room, recorded_bytes: int, measured_bps: float | None = None) -> Line:
    """Days that fit against days that are promised. `recorded_bytes` is what recordings hold already.

    The bit rate is the measured one, else the configured one, else an estimate, and the line says which.
    """
    bps, source = _bit_rate(config, measured_bps)
    reserve = config.recording.min_free_bytes
    usable = max(0, room.free_bytes + recorded_bytes - reserve)
    days, wanted = days_that_fit(usable, bps), config.recording.retention_days
    needed = round(wanted * 86_400 * bps / 8 * SPARE)
    metrics: dict[str, Metric] = {
        "days": round(days, 1),
        "wanted_days": wanted,
        "bitrate_kbps": round(bps / 1000),
        "bitrate_source": source,
        "usable_bytes": usable,
        "free_bytes": room.free_bytes,
        "total_bytes": room.total_bytes,
    }
    said = say(
        "{days:.1f} days fit, {wanted:g} are promised ({usable} usable, {bps:.0f} kbit/s {source})",
        days=days,
        wanted=wanted,
        usable=size(usable),
        bps=bps / 1000,
        source=source,
    )
    if room.free_bytes < reserve and recorded_bytes == 0:
        return fail(
            "disk",
            say("full: {free} free, {said}", free=size(room.free_bytes), said=said),
            say(
                "`sudo du -xh / | sort -h | tail` shows what fills it; [recording] directory needs {needed}",
                needed=size(needed),
            ),
            **metrics,
        )
    fitting_kbps, fitting_days = int(usable * 8 / 86_400 / wanted / SPARE / 1000), int(days / SPARE)
    ways: list[str] = [say("a disk of {needed} for [recording] directory", needed=size(needed + reserve))]
    ways += [f"[encoding] bitrate_kbps = {fitting_kbps}"] if fitting_kbps >= LEAST_KBPS else []
    ways += [f"[recording] retention_days = {fitting_days}"] if fitting_days >= 1 else []
    remedy = joined(say(", or "), ways)
    if days < wanted:
        return fail("disk", said, remedy, **metrics)
    if days < wanted * SPARE:
        return warn("disk", say("{said}: just enough", said=said), remedy, **metrics)
    return ok("disk", said, **metrics)


class Speed(Struct, frozen=True):
    """`write_bytes_per_s` includes the sync at the end; `syncs_s` are the times of small durable writes, sorted."""

    write_bytes_per_s: float
    syncs_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return self.syncs_s[len(self.syncs_s) // 2]

    @property
    def worst_s(self) -> float:
        return self.syncs_s[-1]


def measure_speed(directory: Path, now_s: Callable[[], float] = time.monotonic, *, write_bytes: int = WRITE_BYTES) -> Speed:
    """Write and sync a file in `directory`, and take it away again. OSError when the disk refuses."""
    block = os.urandom(BLOCK_BYTES)  # a disk that compresses must not flatter itself
    descriptor, name = tempfile.mkstemp(prefix=".vigie-doctor-", dir=directory)
    try:
        began_s = now_s()
        for _ in range(write_bytes // BLOCK_BYTES):
            _write_whole(descriptor, block)
        os.fdatasync(descriptor)
        took_s = max(now_s() - began_s, 1e-9)
        syncs = []
        for _ in range(SYNCS):
            sync_began_s = now_s()
            _write_whole(descriptor, block[:4096])
            os.fdatasync(descriptor)
            syncs.append(now_s() - sync_began_s)
    finally:
        os.close(descriptor)
        Path(name).unlink()
    return Speed(write_bytes / took_s, tuple(sorted(syncs)))


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def judge_speed(config: Config, measure: Callable[[Path], Speed] = measure_speed) -> Line:
    """Whether the disk keeps up with the stream. A full or foreign directory is a line, not an error."""
    directory = config.recordings_dir
    if not directory.is_dir():
        return left_open("disk speed", say("waits for the first start, which makes {directory}", directory=directory))
    if room_of(directory).free_bytes < config.recording.min_free_bytes / 2 + WRITE_BYTES:
        return left_open("disk speed", say("waits for room on the disk: too little is free to write on trial"))
    try:
        speed = measure(directory)
    except PermissionError:
        return left_open(
            "disk speed",
            say("not measured: you may not write in {directory}", directory=directory),
            say("`sudo vigie doctor`"),
        )
    except OSError as error:
        return fail(
            "disk speed",
            say("{directory} cannot be written: {why}", directory=directory, why=why_refused(error)),
            say("`sudo dmesg | tail -n 20` shows whether the disk fails"),
        )
    bps, _ = _bit_rate(config, None)
    metrics: dict[str, Metric] = {
        "write_mb_per_s": round(speed.write_bytes_per_s / 1e6, 1),
        "sync_median_ms": round(1000 * speed.median_s, 2),
        "sync_worst_ms": round(1000 * speed.worst_s, 2),
    }
    median_ms, worst_ms = 1000 * speed.median_s, 1000 * speed.worst_s
    said = say(
        "{write_bytes_per_s:.0f} MB/s written, a sync takes {median_ms:.1f} ms, {worst_ms:.1f} ms at worst",
        write_bytes_per_s=speed.write_bytes_per_s / 1e6,
        median_ms=median_ms,
        worst_ms=worst_ms,
    )
    if speed.write_bytes_per_s * 8 < TIMES_THE_STREAM * bps:
        return fail("disk speed", say("{said}: too slow for {bps:.0f} kbit/s", said=said, bps=bps / 1000), _FASTER, **metrics)
    if speed.worst_s > HOPELESS_SYNC_S:
        return fail("disk speed", say("{said}: a second may be lost at a power cut", said=said), _FASTER, **metrics)
    if speed.worst_s > SLOW_SYNC_S:
        return warn("disk speed", say("{said}: slow to sync, as worn cards are", said=said), _FASTER, **metrics)
    return ok("disk speed", said, **metrics)


def _bit_rate(config: Config, measured_bps: float | None) -> tuple[float, str]:
    if measured_bps:
        return measured_bps, say("measured")
    if config.encoding.bitrate_kbps is not None:
        return config.encoding.bitrate_kbps * 1000.0, say("configured")
    camera = config.camera
    return camera.width * camera.height * camera.fps * DEFAULT_CRF_BITS_PER_PIXEL, say(
        "estimated: crf has no bit rate of its own"
    )


def days_that_fit(disk_bytes: int, bitrate_bps: float) -> float:
    """Days of footage at a mean bit rate (all streams and overhead included) that `disk_bytes` hold."""
    return disk_bytes * 8 / bitrate_bps / 86_400 if bitrate_bps > 0 else float("inf")
