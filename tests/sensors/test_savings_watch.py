"""Each rung is told, entered and put in force: once, and not for a moment only."""

from __future__ import annotations

import pytest

from agent.ports.battery import PowerMetrics
from agent.ports.event import Event
from agent.sensors.ladder import BatteryLimits, Savings, Stills
from agent.sensors.power_watch import BATTERY_CAPACITY, POWER_SUPPLY, PowerWatch
from agent.sensors.savings_watch import DATA_CAP, POWER_RUNG, SavingsWatch
from tests.support.manual_clock import ManualClock
from tests.support.sensing import Pages


class House:
    """A watch with all that it acts upon."""

    def __init__(self, cap_mb: int | None = None) -> None:
        self.clock, self.pages = ManualClock(), Pages()
        self.in_force: list[Savings] = []
        self.told: list[Event] = []
        self.watch = SavingsWatch("pole-7", BatteryLimits(), cap_mb, self.in_force.append, self.pages, self.clock)

    def look(self, percent: float | None = None, used: int | None = None, seconds: int = 100, **more: object) -> list[str]:
        """So long, every ten seconds; the rungs that were told meanwhile."""
        power = None if percent is None else PowerMetrics(percent=percent, **{"state": "discharging", **more})  # type: ignore[arg-type]
        begun = len(self.told)
        for _ in range(seconds // 10):
            self.told += self.watch.observe(power, used)
            self.clock.advance(10)
        return [str(event.data["Rung"]) for event in self.told[begun:]]


def test_a_battery_goes_down_every_rung_and_back() -> None:
    """Each told, each entered, each in force before the next one."""
    house = House()
    assert [house.look(percent) for percent in (80, 45, 25, 10, 2)] == [["full"], ["saving"], ["low"], ["critical"], ["empty"]]
    assert [savings.health_s for savings in house.in_force] == [300, 300, 3600, 3600]
    assert (house.in_force[-1].ends, house.watch.words()) == (True, "battery empty")
    assert house.look(3, mains=True, state="charging") == ["full"]
    assert house.in_force[-1] == Savings()
    assert [entry["rung"] for entry in house.pages.entries] == ["saving", "low", "critical", "empty", "full"]
    assert {event.topic for event in house.told} == {POWER_RUNG}
    assert [event.data["Low"] for event in house.told] == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("percent", "at_once", "later"), [(80, "full", []), (45, "saving", []), (25, "low", []), (1, "low", ["empty"])]
)
def test_after_a_start_the_first_reading_counts_at_once(percent: float, at_once: str, later: list[str]) -> None:
    """A low battery spares from the first second on; neither camera nor unit goes by a gauge that has just woken."""
    house = House()
    assert house.look(percent, seconds=10) == [at_once]
    assert not house.watch.savings.rests
    assert house.look(percent, seconds=30) == later


def test_a_contact_that_flutters_changes_nothing() -> None:
    """Ten seconds of a reading that is lower, or of mains that are back, are no rung."""
    house = House()
    house.look(80)
    for _ in range(20):
        assert house.look(10, seconds=10) == []
        assert house.look(80, seconds=10) == []
    house.look(45)
    for _ in range(20):
        assert house.look(45, mains=True, state="charging", seconds=20) == []
        assert house.look(45, seconds=10) == []


def test_a_gauge_that_is_gone_leaves_the_rung_as_it_is() -> None:
    """What is not known is not guessed, neither way."""
    house = House()
    house.look(25)
    assert house.look(None) == []
    assert house.watch.savings.stills is Stills.ALARMS


def test_the_data_plan_has_rungs_of_its_own_and_the_stricter_one_holds() -> None:
    """Pictures go at 80 %, the rest at 100; a new month brings them back."""
    house = House(cap_mb=100)
    assert house.look(45, used=81_000_000) == ["saving", "most"] or house.watch.words() == "battery saving, data most"
    assert house.in_force[-1] == Savings(300.0, Stills.NONE, house.in_force[-1].looking)
    assert house.look(45, used=101_000_000) == ["all"]
    assert house.look(45, used=0) == ["free"]
    assert house.watch.words() == "battery saving"
    told = [event for event in house.told if event.topic == DATA_CAP]
    assert told[-1].data == {"Reached": False, "Rung": "free", "UsedMegabytes": 0.0, "CapMegabytes": 100}


def test_a_register_that_refuses_holds_nothing_up_and_is_owed() -> None:
    """The rung is in force at once, its entry follows when the disk takes it again."""
    house = House()
    house.pages.refuses = True
    house.look(80)
    assert house.look(25) == ["low"]
    assert (house.in_force[-1].legal_fps, house.pages.entries) == (True, [])
    house.pages.refuses = False
    house.look(25, seconds=10)
    assert [(entry["of"], entry["rung"]) for entry in house.pages.entries] == [("battery", "low")]


def test_charge_is_told_by_two_percent_and_a_failed_supply_when_it_lasts() -> None:
    """As ONVIF has it; a gauge that says nothing tells nothing."""
    clock = ManualClock()
    watch, told = PowerWatch(clock), []
    for n in range(100):
        told += watch.observe(PowerMetrics(percent=80 - n / 10, mains=n < 50))
        clock.advance(10)
    assert [event.data["PercentageRemainingCapacity"] for event in told if event.topic == BATTERY_CAPACITY] == [
        80,
        78,
        76,
        74,
        72,
    ]
    assert [event.data["Failed"] for event in told if event.topic == POWER_SUPPLY] == [False, True]
    assert PowerWatch(clock).observe(PowerMetrics()) == []
