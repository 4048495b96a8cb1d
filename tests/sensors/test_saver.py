"""`set-saver`: a command may make a unit do without, and gives nothing back that a battery took."""

from __future__ import annotations

from agent.ports.battery import PowerMetrics
from agent.sensors.ladder import BATTERY, BatteryLimits, BatteryRung, Savings
from agent.sensors.savings_watch import SavingsWatch
from tests.support.journals import Remembered
from tests.support.manual_clock import ManualClock


def test_the_stricter_of_command_and_battery_holds() -> None:
    """In force at once, without any gauge; a battery that is further gone wins, and outlasts the saver."""
    in_force: list[Savings] = []
    clock = ManualClock()
    watch = SavingsWatch("nomade-3", BatteryLimits(), None, in_force.append, Remembered(), clock)
    watch.spare(BatteryRung.SAVING)
    assert in_force[-1] == BATTERY[BatteryRung.SAVING]
    assert watch.words() == "by command saving"
    for _ in range(4):
        watch.observe(PowerMetrics(percent=20.0, state="discharging"), None)
        clock.advance(10)
    assert in_force[-1] == BATTERY[BatteryRung.LOW]
    watch.spare(BatteryRung.FULL)
    assert in_force[-1] == BATTERY[BatteryRung.LOW]
    assert watch.words() == "battery low"
