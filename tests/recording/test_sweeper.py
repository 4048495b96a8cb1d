"""The daemon's own sweep: shortfall and faults are told when they begin and when they end, not each minute."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.recording.metrics import recording_metrics
from agent.recording.retention import Shortfall, Sweep
from agent.recording.sweeper import Sweeper
from tests.support.recordings import DAY_S, Recordings
from tests.support.stock import FILE_BYTES, SmallDisk, lay_in


class Told:
    """What the sweeper told, and a way to let it sweep once more."""

    def __init__(self, node: Recordings) -> None:
        self.node = node
        self.shortfalls: list[Shortfall | None] = []
        self.alarms: list[str] = []
        self.sweeper = Sweeper(
            clock=node.clock, retention=node.retention(), report=self.shortfalls.append, alarm=self.alarms.append
        )

    def sweep(self) -> None:
        """One more sweep, waited for."""
        last, ticker = self.sweeper.last, threading.Event()
        if self.sweeper.last is None:
            self.sweeper.start()
        else:
            self.node.clock.advance(30)
        for _ in range(1000):
            if self.sweeper.last is not last:
                return
            ticker.wait(0.01)
        raise AssertionError("no sweep came")

    def last(self) -> Sweep:
        """What the last sweep did."""
        assert self.sweeper.last is not None
        return self.sweeper.last

    def end(self) -> None:
        """Stop and wait."""
        self.sweeper.stop()
        assert self.sweeper.join(60)


def test_a_shortfall_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    """Footage goes for want of space: one report with the days achieved, figures for health; another when it is over."""
    disk = SmallDisk(100 * FILE_BYTES)
    node = Recordings(tmp_path, disk=disk, min_free_bytes=30 * FILE_BYTES)
    lay_in(node, 100, seconds=3600)
    told = Told(node)
    told.sweep()
    told.sweep()
    told.sweep()
    assert [short is not None and round(short.days, 1) for short in told.shortfalls] == [2.9]
    assert (short := told.last().shortfall) is not None
    assert short.days == pytest.approx(2.92, abs=0.01)
    node.clock.advance(12 * DAY_S)
    told.sweep()
    told.sweep()
    told.end()
    assert told.shortfalls[-1] is None
    assert told.last().shortfall is None


def test_the_first_sweep_says_how_it_stands(tmp_path: Path) -> None:
    """A shortfall that ended while no daemon ran is taken back; after that only changes are told."""
    told = Told(Recordings(tmp_path))
    told.sweep()
    told.sweep()
    told.end()
    assert told.shortfalls == [None]


def test_a_fault_is_an_alarm_once_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    """The disk is gone: one alarm, not one a minute; back and gone again: another."""
    node = Recordings(tmp_path)
    lay_in(node, 3)
    node.clock.advance(20 * DAY_S)
    away = node.root.rename(tmp_path / "away")
    told = Told(node)
    told.sweep()
    told.sweep()
    assert len(told.alarms) == 1
    assert "is mounted" in told.alarms[0]
    assert "; ".join(told.last().faults) == told.alarms[0]
    away.rename(node.root)
    told.sweep()
    told.sweep()
    told.end()
    assert node.files() == []
    assert told.last().faults == []


def test_health_tells_what_there_is(tmp_path: Path) -> None:
    """Oldest, newest, bytes, days and the holds in force."""
    node = Recordings(tmp_path)
    starts = lay_in(node, 48, seconds=3600)
    node.holds().add(starts[0], starts[1], "PV 1", "OPJ")
    metrics = recording_metrics(node.catalog)
    assert (metrics.oldest, metrics.newest) == ("2026-05-30T12:00:00.000Z", "2026-06-01T12:00:00.000Z")
    assert (metrics.bytes, metrics.segments, metrics.days) == (48 * FILE_BYTES, 48, 2.0)
    assert [hold.reference for hold in metrics.holds] == ["PV 1"]


def test_health_of_a_node_that_never_recorded(tmp_path: Path) -> None:
    """Nothing there is no error."""
    metrics = recording_metrics(Recordings(tmp_path).catalog)
    assert (metrics.oldest, metrics.newest, metrics.days, metrics.holds) == (None, None, 0.0, ())
