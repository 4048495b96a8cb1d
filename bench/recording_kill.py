"""A process that really encodes and records, holds and sweeps, until it is killed (kill -9); and what it owes afterwards."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import av
import numpy as np

from agent.base.clock import NS, SystemClock
from agent.journal.register import Register
from agent.journal.verdict import verify
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.recording.catalog import Catalog
from agent.recording.disk import SystemDisk
from agent.recording.hold import Holds, active_holds
from agent.recording.reconcile import open_catalog, settle
from agent.recording.recorder import Recorder
from agent.recording.retention import Retention
from agent.recording.row import Extent, SegmentState
from hardware.encoder_libav import LibavEncoder
from hardware.muxer_libav import LibavMuxer

FPS = 50
BOOT = "kill"
_PRELOAD = ["bench.recording_kill"]
_WIDTH, _HEIGHT = 64, 48


def live(state: str, seed: int, told: Connection) -> None:
    """Record for ever in real time: fragments of 0.2 s, segments of 1 s; now and then a hold, a release and a sweep.

    Tells of each acknowledged fragment (path, pictures) and each hold once it is in force, after the fact.
    """
    clock, chance = SystemClock(), random.Random(seed)
    path = Path(state)
    register = Register(path / "register.jsonl", clock)
    catalog = open_catalog(path / "catalog.sqlite3", path / "recordings", register.path)
    encoder = LibavEncoder(_WIDTH, _HEIGHT, FPS, crf=30, keyframe_seconds=0.5, threads=1)
    told.send(("open", len(catalog.rows("1"))))
    telling = _Telling(catalog, told)
    recorder = Recorder(
        clock=clock,
        catalog=telling,
        directory=path / "recordings",
        muxer=LibavMuxer,
        video=lambda: encoder.format,
        journal=register,
        boot=BOOT,
        segment_seconds=1,
        fragment_seconds=0.2,
    )
    recorder.start()
    holds = Holds(catalog, register, clock)
    retention = Retention(catalog=catalog, clock=clock, boot=BOOT, journal=register, retention_days=12 / 86_400, min_free_bytes=0)
    index = 0
    while True:
        for unit in encoder.encode(_picture(index, FrameTime(index, clock.monotonic_ns(), clock.wall_ns()))):
            recorder.offer(unit)
        index += 1
        if chance.random() < 0.02:
            now_ns = clock.wall_ns()
            hold = holds.add(now_ns - 3 * NS, now_ns - 2 * NS, f"PV {index}", "OPJ")
            told.send(("held", hold.id))
        if chance.random() < 0.02:
            retention.sweep()
        clock.wait(recorder.stopping, 1 / FPS)


def _picture(index: int, time: FrameTime) -> MaskedFrame:
    """A grey picture with a bright bar that walks, its left edge masked."""
    planes = Planes.empty(_WIDTH, _HEIGHT)
    planes.y[...], planes.u[...], planes.v[...] = 90, 100 + index % 40, 150
    planes.y[:, index % 56 : index % 56 + 8] = 220
    edge = np.array([[0.0, 0.0], [0.2, 0.0], [0.2, 1.0], [0.0, 1.0]])
    cover = Cover((edge,), 0.0, None, "", "edge", ViewState.VERIFIED)
    return PrivacyMask("solid").apply(RawFrame(planes, time, small=np.zeros((48, 64), np.uint8)), cover)


def _pictures_that_play(path: Path) -> int:
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


class _Telling(Catalog):
    """Tells the parent of every acknowledged fragment, as soon as the recorder itself counts on it."""

    def __init__(self, catalog: Catalog, told: Connection) -> None:
        super().__init__(catalog.path, catalog.root)
        self._told = told

    def advance(self, segment_id: int, extent: Extent) -> None:
        self._told.send(("frames", segment_id, extent.frames))
        super().advance(segment_id, extent)


@dataclass
class Toll:
    """What many kills cost."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    repaired: int = 0
    torn_bytes: int = 0
    faults: list[str] = field(default_factory=list)


def kill_many(state: Path, kills: int, seed: int, latest_s: float = 1.6) -> Toll:
    """Start, let live for a random time, kill -9, start up, check; again and again in the same directory."""
    chance, toll = random.Random(seed), Toll()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    claims: dict[int, int] = {}
    held: set[int] = set()
    for number in range(kills):
        mine, theirs = context.Pipe(duplex=False)
        child = context.Process(target=live, args=(str(state), seed + number, theirs), daemon=True)
        child.start()
        theirs.close()
        assert mine.poll(30), "the recording process did not start"
        child.join(chance.uniform(0.0, latest_s))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        toll.kills += 1
        _listen(mine, claims, held, toll)
        _check(state, claims, held, toll)
    return toll


def _listen(mine: Connection, claims: dict[int, int], held: set[int], toll: Toll) -> None:
    while True:
        try:
            message = mine.recv()
        except (EOFError, OSError):
            return
        if message[0] == "frames":
            toll.acknowledged += message[2] - claims.get(message[1], 0)
            claims[message[1]] = message[2]
        elif message[0] == "held":
            held.add(message[1])


def _check(state: Path, claims: dict[int, int], held: set[int], toll: Toll) -> None:
    """Start up as the next daemon does, and look at everything."""
    catalog = open_catalog(state / "catalog.sqlite3", state / "recordings", state / "register.jsonl")
    settled = settle(catalog, SystemDisk())
    toll.repaired += settled.repaired
    toll.torn_bytes += settled.cut_bytes
    rows = {row.id: row for row in catalog.rows("1")}
    destroyed_to = max((span.to_ns for span in catalog.destroyed(0, 1 << 62)), default=0)
    for segment_id, pictures in list(claims.items()):
        row = rows.get(segment_id)
        if row is None or row.state is SegmentState.DESTROYING:
            if not destroyed_to:
                toll.lost += pictures
                toll.faults.append(f"segment {segment_id} is gone without having been destroyed")
            del claims[segment_id]  # by retention, or it would have a row
        elif row.frames < pictures:
            toll.lost += pictures - row.frames
            toll.faults.append(f"{row.path}: {row.frames} of {pictures} acknowledged pictures")
    for row in rows.values():
        if row.state is SegmentState.WHOLE:
            if not row.path.exists() or row.path.stat().st_size != row.bytes:
                toll.faults.append(f"{row.path}: catalog and disk disagree")
            elif _pictures_that_play(row.path) != row.frames:
                toll.faults.append(f"{row.path}: does not play whole")
    known = {row.path for row in rows.values()}
    toll.faults += [f"{path}: no row" for path in (state / "recordings").rglob("*.mp4") if path not in known]
    in_force = {hold.id for hold in active_holds(catalog)}
    toll.faults += [f"hold {each} is lost" for each in held - in_force]
    toll.faults += [finding.what for finding in verify(state / "register.jsonl").findings if finding.flaw != "torn"]
    catalog.close()
