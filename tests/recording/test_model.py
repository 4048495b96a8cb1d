"""Recorder, retention, holds, clock steps and restarts in any order, against a model that knows the true time."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.base.clock import NS, ClockQuality, utc
from agent.journal.verdict import verify
from agent.recording.disk import SystemDisk
from agent.recording.reconcile import settle
from agent.recording.row import SegmentRow, SegmentState
from bench.small_film import FPS
from tests.support.recordings import Recordings

DAY_NS = 86_400 * NS
SEGMENT_S = 2
MEMORY = Path("/dev/shm")
"""No power is cut here: a disk that never waits for its syncs runs more of them."""


@dataclass
class Known:
    """What the model knows of one segment: when it truly began, in which boot, how many pictures it holds."""

    true_ns: int
    boot: str
    frames: int


class Model(RuleBasedStateMachine):
    """The node keeps footage for one day. `true_ns` is the time that no clock of the node may know."""

    @initialize()
    def begin(self) -> None:
        """A new node whose clock is right."""
        self.where = Path(tempfile.mkdtemp(prefix="model-", dir=MEMORY if MEMORY.is_dir() else None))
        self.node = Recordings(self.where, segment_seconds=SEGMENT_S, retention_days=1, boot="boot-0")
        self.true_ns = self.node.clock.wall_ns()
        self.boots = 0
        self.known: dict[Path, Known] = {}
        self.synchronised: set[str] = {"boot-0"}
        self.believed = True
        self.recorded: list[Path] = []
        self.holds: dict[int, tuple[int, int]] = {}
        self.sweep()
        self.record(3)

    def teardown(self) -> None:
        if hasattr(self, "node"):
            self.node.assert_in_order()
            self.node.catalog.close()
            shutil.rmtree(self.where)

    @property
    def is_synchronised(self) -> bool:
        return self.node.clock.clock_quality is ClockQuality.SYNCHRONISED

    def pass_time(self, seconds: float) -> None:
        """Time passes, for the world and for the node."""
        self.node.clock.advance(seconds)
        self.true_ns += round(seconds * NS)

    @rule(halves=st.integers(1, 6))
    def record(self, halves: int) -> None:
        """Record for a while, whatever the clock says."""
        seconds, before_ns = halves, self.true_ns
        self.node.record(seconds)
        self.true_ns += round(seconds * FPS) * round(NS / FPS)
        fresh = [row for row in self.node.rows() if row.path not in self.known]
        assert sum(row.frames for row in fresh) == seconds * FPS
        for row in fresh:
            since_ns = row.media_from_ns - fresh[0].media_from_ns
            self.known[row.path] = Known(before_ns + since_ns, self.node.boot, row.frames)
            self.recorded.append(row.path)

    @rule(hours=st.sampled_from([0.01, 3.0, 11.0]))
    def wait(self, hours: float) -> None:
        """Nothing happens for a while."""
        self.pass_time(hours * 3600)
        self.sweep()

    @precondition(lambda self: self.recorded)
    @rule(after_s=st.sampled_from([-60, 1, 60]), which=st.integers(0, 3))
    def wait_for_the_day(self, after_s: int, which: int) -> None:
        """Until shortly before, or after, the day of one of the oldest segments; the timer ran meanwhile."""
        oldest = self.recorded[min(which, len(self.recorded) - 1)]
        left_ns = DAY_NS - self.age_ns(oldest) + after_s * NS
        if left_ns > 0:
            self.pass_time(left_ns / 2 / NS)
            self.sweep()
            self.pass_time(left_ns / 2 / NS)
        self.sweep()

    @rule()
    def synchronise(self) -> None:
        """The network tells the time, and the timer runs."""
        self.node.clock.step_wall(utc(self.true_ns))
        self.node.clock.clock_quality = ClockQuality.SYNCHRONISED
        self.synchronised.add(self.node.boot)
        self.believed = True
        self.sweep()

    @precondition(lambda self: self.believed)
    @rule(hours=st.sampled_from([-20_000.0, -30.0, -1.0, 26.0, 9_000.0]))
    def leap(self, hours: float) -> None:
        """Somebody sets the clock wrong, by hand."""
        self.node.clock.clock_quality = ClockQuality.HOLDOVER
        self.node.clock.step_wall(utc(max(0, self.true_ns + round(hours * 3600) * NS)))

    @rule(off_hours=st.sampled_from([0.0, 5.0, 40.0]))
    def reboot(self, off_hours: float) -> None:
        """Power off and on: monotonic time starts anew, and there is no clock."""
        self.true_ns += round(off_hours * 3600) * NS
        self.boots += 1
        self.node.reopen(boot=f"boot-{self.boots}")
        self.node.clock._monotonic_ns = 5 * NS
        self.node.clock.step_wall(utc(0) + timedelta(seconds=17))
        self.node.clock.clock_quality = ClockQuality.UNSET
        self.believed = False

    @rule(torn=st.integers(0, 5000))
    def crash(self, torn: int) -> None:
        """The power goes during the last segment: its row is open, its end torn. What was acknowledged comes back."""
        rows = self.node.rows()
        if not rows or rows[-1].state is not SegmentState.WHOLE:
            return
        with self.node.catalog.change() as db:
            db.execute("UPDATE segment SET state = 'open', sha256 = '' WHERE id = ?", (rows[-1].id,))
        with rows[-1].path.open("ab") as file:
            file.write(b"\0\0\x10\0moof" + bytes(torn % 256 for _ in range(torn)))
        self.node.reopen()
        settle(self.node.catalog, SystemDisk())

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        """Hold the time of a segment, as the catalog dates it."""
        rows = self.node.rows()
        if rows:
            row = data.draw(st.sampled_from(rows))
            hold = self.node.holds().add(row.wall_from_ns, row.wall_to_ns, "PV 1", "OPJ")
            self.holds[hold.id] = (row.wall_from_ns, row.wall_to_ns)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Release a hold."""
        if self.holds:
            hold_id = data.draw(st.sampled_from(sorted(self.holds)))
            self.node.holds().release(hold_id, "Parquet")
            del self.holds[hold_id]

    @rule()
    def sweep(self) -> None:
        """The timer runs. Only what is due goes; when the time is known, all of it goes."""
        before = self.node.rows()
        done = self.node.retention().sweep()
        assert done.faults == []
        after = {row.path: row for row in self.node.rows()}
        for row in before:
            if row.path not in after:
                self.check_destroyed(row)
        if self.is_synchronised:
            late = [row for path, row in after.items() if not self.is_held(row) and self.age_ns(path) >= DAY_NS]
            assert late == []

    def check_destroyed(self, row: SegmentRow) -> None:
        """Nothing held goes, and nothing before its day, unless its boot never learned the time."""
        known = self.known.pop(row.path)
        self.recorded.remove(row.path)
        if known.boot in self.synchronised or self.boots == 0:
            assert self.true_ns - known.true_ns >= DAY_NS - NS
        if known.boot != self.node.boot or not self.is_synchronised:  # else it may just have been dated anew
            assert not self.is_held(row)

    def is_held(self, row: SegmentRow) -> bool:
        """Does a hold touch the time that the catalog gives this segment?"""
        return any(from_ns < row.wall_to_ns and to_ns > row.wall_from_ns for from_ns, to_ns in self.holds.values())

    def age_ns(self, path: Path) -> int:
        """How old a segment truly is."""
        return self.true_ns - self.known[path].true_ns

    @invariant()
    def catalog_disk_and_model_agree(self) -> None:
        """The same segments in all three, in the order of recording, every one of them playing whole."""
        if hasattr(self, "node"):
            rows = self.node.rows()
            assert [row.path for row in rows] == self.recorded
            assert [row.frames for row in rows] == [self.known[row.path].frames for row in rows]

    @invariant()
    def the_register_is_whole(self) -> None:
        """No act breaks the chain."""
        if hasattr(self, "node"):
            assert verify(self.node.register.path).whole


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
