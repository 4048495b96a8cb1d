"""The loop: calm about a driver that fails, and what it found lasts over a restart."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.base.errors import DeviceError
from agent.ports.accelerometer import Acceleration
from agent.ports.event import Event
from agent.ports.position import Fix
from agent.sensors.data_used import DataUsed
from agent.sensors.ladder import BatteryLimits
from agent.sensors.position_watch import MOVED, PositionWatch
from agent.sensors.posture import read_posture
from agent.sensors.power_watch import PowerWatch
from agent.sensors.savings_watch import SavingsWatch
from agent.sensors.sensors import SensorDrivers, Sensors, Watches
from agent.sensors.tilt_watch import TILTED, TiltWatch
from tests.support.manual_clock import ManualClock
from tests.support.nmea import CHALON
from tests.support.sensing import Pages, hanging

UPRIGHT = hanging(0)


@dataclass
class Driver:
    """Answers what `answer` makes, or fails in words."""

    answer: Callable[[], object] = lambda: None
    fails: str = ""
    asked: int = 0
    closed: bool = False

    def read(self) -> object:
        self.asked += 1
        if self.fails:
            raise DeviceError(self.fails, remedy="plug it in")
        return self.answer()

    def close(self) -> None:
        self.closed = True


@dataclass
class Unit:
    """A unit with a receiver and an accelerometer, whose seconds a test lets pass."""

    path: Path
    clock: ManualClock = field(default_factory=ManualClock)
    told: list[Event] = field(default_factory=list)
    hangs: Acceleration = UPRIGHT
    commissioned: int | None = 0
    fixed: bool = False

    def __post_init__(self) -> None:
        self.gps = Driver(lambda: Fix(*CHALON, self.clock.monotonic_ns()))
        self.tilt = Driver(lambda: self.hangs)
        self.sensors = self.started()

    def started(self) -> Sensors:
        """After a start, or a power cut."""
        savings = SavingsWatch("a", BatteryLimits(), None, lambda _: None, Pages(), self.clock)
        watches = Watches(
            PositionWatch("a", 100.0, self.clock),
            TiltWatch("a", 5.0, self.clock),
            PowerWatch(self.clock),
            savings,
            DataUsed(self.path / "used.json", 1, self.clock, "a"),
        )
        drivers = SensorDrivers(positions=self.gps, accelerometer=self.tilt)  # type: ignore[arg-type]
        self.sensors = Sensors(
            drivers,
            watches,
            self,
            self.path / "posture.json",
            self.clock,
            commissioned=lambda: self.commissioned,
            trusts_first=self.fixed,
        )
        return self.sensors

    def raise_event(self, event: Event) -> None:
        self.told.append(event)

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.sensors.turn()
            self.clock.advance(1)


def stays_tilted_until_commissioned(unit: Unit) -> None:
    """Over two starts; a commissioning after them ends it."""
    for _ in range(2):
        unit.started()
        unit.live(10)
        assert unit.sensors.sensed().tilted
    unit.commissioned = 9
    unit.live(10)
    assert unit.sensors.sensed().tilted == ""


def test_a_driver_that_fails_is_told_once_and_asked_ever_less(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An hour without a receiver: one line in the log, one question a minute; its return is told as well."""
    unit = Unit(tmp_path)
    unit.gps.fails = "gpsd does not answer"
    unit.live(3600)
    assert caplog.text.count("gpsd does not answer") == 1
    assert unit.gps.asked < 70
    assert unit.sensors.fix is not None
    assert unit.sensors.fix.fault == "gpsd does not answer"
    assert unit.sensors.sensed().latitude is None
    unit.gps.fails = ""
    unit.live(120)
    assert caplog.text.count("answers again") == 1
    assert unit.sensors.sensed().latitude == pytest.approx(CHALON[0])


def test_a_bug_in_one_driver_costs_its_own_reading(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and asked again; whether the unit is tilted is watched all the while."""
    unit = Unit(tmp_path)
    unit.live(10)
    assert unit.sensors.fix is not None

    def broken() -> None:
        raise RecursionError("maximum recursion depth exceeded")

    asked, unit.sensors.fix._ask = unit.sensors.fix._ask, broken
    unit.live(60)
    assert unit.sensors.fix.fault == "RecursionError: maximum recursion depth exceeded"
    assert caplog.text.count("RecursionError") == 1
    unit.sensors.fix._ask = asked
    unit.live(120)
    assert unit.sensors.sensed().latitude == pytest.approx(CHALON[0])


def test_commissioning_keeps_how_it_hangs_and_stands(tmp_path: Path) -> None:
    """From then on both are judged; before, nobody knows what is right."""
    unit = Unit(tmp_path, hangs=hanging(30))
    unit.live(60)
    assert [event.topic for event in unit.told if event.topic in (TILTED, MOVED)] == []
    unit.commissioned = 1
    unit.live(5)
    posture = read_posture(tmp_path / "posture.json")
    assert (posture.upright, posture.home is not None) == (hanging(30), True)
    assert {event.topic: next(iter(event.data.values())) for event in unit.told if event.topic in (TILTED, MOVED)} == {
        TILTED: False,
        MOVED: False,
    }


def test_a_tilt_outlasts_a_power_cut_and_ends_with_a_commissioning(tmp_path: Path) -> None:
    """Hung back in the dark: still tilted, until a person looks."""
    unit = Unit(tmp_path)
    unit.live(30)
    unit.commissioned = 1
    unit.live(5)
    unit.hangs = hanging(20)
    unit.live(10)
    unit.hangs = hanging(0)
    unit.started()
    unit.live(10)
    assert unit.sensors.sensed().tilted
    unit.commissioned = 2
    unit.live(10)
    assert unit.sensors.sensed().tilted == ""
    unit.started()
    assert unit.sensors.sensed().tilted == ""


def test_a_start_before_the_deployment_is_read_takes_back_no_tilt(tmp_path: Path) -> None:
    """It fell while it was without power: what counts as upright is how it hung when a person looked, and no reading of today."""
    unit = Unit(tmp_path)
    unit.commissioned = 1
    unit.live(5)
    unit.hangs, unit.commissioned = hanging(40), None
    unit.started()
    unit.live(1)
    unit.commissioned = 1
    unit.live(10)
    assert unit.sensors.sensed().tilted
    assert read_posture(tmp_path / "posture.json").upright == hanging(0)


@pytest.mark.parametrize("lost", ["removed", "dangling", "older"])
def test_a_posture_that_is_lost_over_a_power_cut_counts_as_tilted(tmp_path: Path, lost: str) -> None:
    """Nobody knows any more how it hung: what it hangs like after the cut proves nothing, until it is commissioned again."""
    unit, kept = Unit(tmp_path), tmp_path / "posture.json"
    unit.commissioned = 1
    unit.live(5)
    if lost == "older":
        unit.commissioned = 2
    else:
        kept.unlink()
    if lost == "dangling":
        kept.symlink_to(tmp_path / "gone")
    unit.hangs = hanging(40)
    stays_tilted_until_commissioned(unit)


def test_what_a_disk_refused_is_kept_once_it_takes_writes_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """How it hung at its commissioning, and a tilt that was found since; told once."""
    unit, kept = Unit(tmp_path), tmp_path / "posture.json"
    unit.live(5)
    kept.unlink(missing_ok=True)
    (kept / "in the way").mkdir(parents=True)
    unit.commissioned = 1
    unit.live(60)
    assert caplog.text.count("cannot be kept") == 1
    shutil.rmtree(kept)
    unit.live(5)
    assert read_posture(kept).upright == hanging(0)
    kept.unlink()
    (kept / "in the way").mkdir(parents=True)
    unit.hangs = hanging(20)
    unit.live(10)
    shutil.rmtree(kept)
    unit.live(5)
    unit.hangs = hanging(0)
    unit.started()
    unit.live(10)
    assert unit.sensors.sensed().tilted


def test_a_fixed_node_takes_its_first_reading_for_upright(tmp_path: Path) -> None:
    """Nobody commissions it but with its masks; the second start takes nothing anew."""
    unit = Unit(tmp_path, hangs=hanging(10), commissioned=1, fixed=True)
    unit.live(5)
    assert read_posture(tmp_path / "posture.json").upright == hanging(10)
    unit.hangs = hanging(40)
    unit.started()
    unit.live(10)
    assert unit.sensors.sensed().tilted


@pytest.mark.parametrize("content", [b"", b"{", b'{"upright":7}', b"\xff"])
@pytest.mark.parametrize("commissioned", [0, 5])
def test_a_posture_that_cannot_be_read_counts_as_tilted(tmp_path: Path, content: bytes, commissioned: int) -> None:
    """It may have been: only a person clears it, by a commissioning after that."""
    (tmp_path / "posture.json").write_bytes(content)
    stays_tilted_until_commissioned(Unit(tmp_path, commissioned=commissioned))


def test_at_the_end_every_driver_is_let_go(tmp_path: Path) -> None:
    """Stopped in order."""
    unit = Unit(tmp_path)
    unit.sensors.start()
    unit.sensors.stop()
    assert unit.sensors.join(60)
    assert (unit.gps.closed, unit.tilt.closed) == (True, True)
